//! Evidence made to break pages: it stays text on every page, in every report and every export, and in a real browser.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use naze::vocab::Range;
use serde_json::{Map, Value as Json, json};

use super::browser::{Browser, served};
use super::html::elements;
use super::{crawl_from, measured};
use crate::common::Naze;

/// Texts that have broken pages elsewhere: markup, attributes, addresses, drawings, styles, templates, encodings, Markdown.
const HOSTILE: [&str; 40] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onfocus=alert(1) autofocus='",
    "\" onmouseover=\"alert(1)",
    "'\"--></style></script><svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre><iframe srcdoc=\"<script>alert(1)</script>\">",
    "</text></svg><script>alert(1)</script>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><script>alert&#40;1)</script></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<img src=`javascript:alert(1)`>",
    "<a href=\"javascript:alert(1)\" style=\"position:fixed;inset:0\">x</a>",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "//evil.example/x",
    "http://evil.example/\"onclick=alert(1)//",
    "../../etc/passwd?x=1#y",
    "/v1/receipts?x=1&y=<b>#z",
    "<style>*{background:url(//evil.example)}</style>",
    "x:expression(alert(1))",
    "</style><body onload=alert(1)>",
    "<link rel=stylesheet href=//evil.example>",
    "<base href=//evil.example><meta http-equiv=refresh content=0;url=//evil.example>",
    "<form action=//evil.example><button>x",
    "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
    "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3c;script&#x3e;alert(1)&#x3c;/script&#x3e;",
    "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
    "\u{202e}txt.exe\u{2066}<b>\u{200b}",
    "[x](javascript:alert(1)) ![x](//evil.example/x.png) <b>**bold**</b>",
    "| a | b |\n|---|---|\n```\n<script>alert(1)</script>",
    "a\r\nSet-Cookie: x=1\r\n\r\n<html><script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "<!--#exec cmd=\"id\"--><?php echo 1 ?>]]>",
];

/// Where to begin: pages that show evidence.
const STARTS: [&str; 17] = [
    "/",
    "/principles/jidoka",
    "/principles/andon",
    "/principles/heijunka",
    "/principles/tracing",
    "/slos",
    "/recommendations",
    "/reviews/2026-W11",
    "/kaizen",
    "/experiments",
    "/incidents",
    "/trends",
    "/trends?metric=tps_heijunka_pool_utilization",
    "/queries/events_around?at=2026-03-10T11:20:00Z&before=30m&after=30m",
    "/queries/failure_types",
    "/queries/alert_timeline",
    "/explore?query=SELECT%20%3Fo%20%7B%20GRAPH%20%3Fg%20%7B%20%3Fs%20%3Chttps%3A%2F%2Fw3id.org%2Fnaze%23summary%3E%20%3Fo%20%7D%20%7D",
];
/// Pages that are looked at.
const PAGES_MAX: usize = 120;

/// Elements that pages have of their own.
const KNOWN: [&str; 59] = [
    "html",
    "head",
    "meta",
    "title",
    "link",
    "script",
    "body",
    "a",
    "header",
    "nav",
    "main",
    "footer",
    "p",
    "h1",
    "h2",
    "h3",
    "section",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "div",
    "table",
    "caption",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "time",
    "span",
    "code",
    "pre",
    "bdi",
    "strong",
    "small",
    "details",
    "summary",
    "form",
    "label",
    "input",
    "select",
    "option",
    "button",
    "textarea",
    "figure",
    "figcaption",
    "svg",
    "line",
    "rect",
    "text",
    "path",
    "circle",
    "defs",
    "marker",
    "style",
    "blockquote",
];

/// A naze that was told every text in every field that takes it, of every kind; and how many fields that were.
fn told() -> (Naze, usize) {
    let naze = Naze::in_memory();
    measured(&naze);
    let kinds: Vec<String> = naze.engine.vocabulary().kinds().map(|(name, _)| name.to_owned()).collect();
    let templates: Vec<Map<String, Json>> = kinds.iter().map(|kind| template(&naze, kind)).collect();
    let mut fields = 0;
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let mut filled = |template: &Map<String, Json>| -> Json {
            let mut receipt = template.clone();
            for value in receipt.values_mut() {
                if let Some(text) = value.as_str().filter(|text| text.contains(PLACE)) {
                    *value = json!(text.replace(PLACE, hostile));
                    fields += 1;
                }
            }
            receipt.insert("occurredAt".into(), json!(format!("2026-03-10T11:{number:02}:00Z")));
            receipt.insert("labels".into(), json!({*hostile: hostile}));
            Json::Object(receipt)
        };
        let receipts: Json = templates.iter().map(&mut filled).collect();
        let reply = naze.record(&receipts);
        assert_eq!(reply["refused"], 0, "{hostile}: {reply}");
    }
    (naze, fields)
}

/// Stands where a hostile text will.
const PLACE: &str = "PLACE";

/// A receipt with a text in as many fields as the shapes allow.
fn template(naze: &Naze, kind: &str) -> Map<String, Json> {
    let value = |name: &str, range: &Range| match range {
        Range::Text => Some(json!(PLACE)),
        Range::Component => Some(json!(format!("{name} {PLACE}"))),
        Range::Time => Some(json!("2026-03-10T11:00:00Z")),
        Range::Number | Range::Integer => Some(json!(1)),
        Range::Boolean => Some(json!(true)),
        _ => None,
    };
    let vocabulary = naze.engine.vocabulary();
    let fields = vocabulary.fields().filter(|(_, field)| !field.set_by_naze);
    let mut receipt: Map<String, Json> =
        fields.filter_map(|(name, field)| Some((name.to_owned(), value(name, &field.range)?))).collect();
    receipt.insert("kind".into(), json!(kind));
    receipt.insert("occurredAt".into(), json!("2026-03-10T10:59:00Z"));
    receipt.insert("component".into(), json!(PLACE));
    for _ in 0..8 {
        let reply = naze.post("/v1/receipts", "application/json", json!([receipt]).to_string()).json();
        if reply["refused"] == 0 {
            return receipt;
        }
        for violation in reply["receipts"][0]["problem"]["violations"].as_array().unwrap() {
            let field = violation["field"].as_str().unwrap_or_else(|| panic!("{kind}: {violation}"));
            // Instead of a text of their own, some fields take one of a list, and some are not of this kind.
            let listed = violation["rule"].as_str().unwrap().strip_prefix("sh:in ");
            match listed.and_then(|list| list.split(", ").next()) {
                Some(listed) => receipt.insert(field.to_owned(), json!(listed)),
                None => receipt.remove(field),
            };
        }
    }
    panic!("{kind} is refused: {receipt:?}");
}

/// Nothing in a document was born of evidence.
#[track_caller]
fn is_inert(path: &str, html: &str, scripts: usize) {
    let found = elements(path, html);
    for (name, attributes) in &found {
        assert!(KNOWN.contains(&name.as_str()), "<{name}> in {path}");
        let is_born =
            |name: &String| name.starts_with("on") || ["style", "srcdoc", "autofocus"].contains(&name.as_str());
        assert!(!attributes.keys().any(is_born), "{path}: <{name} {attributes:?}>");
        for target in ["href", "src", "action", "formaction", "data"].iter().filter_map(|name| attributes.get(*name)) {
            let is_own = target.starts_with('#') || target.starts_with('/') && !target.starts_with("//");
            assert!(is_own, "{path}: <{name}> leads to {target}");
        }
    }
    assert_eq!(found.iter().filter(|(name, _)| name == "script").count(), scripts, "{path}");
}

#[test]
fn hostile_evidence_in_every_field_is_inert_on_every_page_report_and_export() {
    let (naze, fields) = told();
    assert!(fields > 40 * 100, "{fields} fields took a text");
    let pages = crawl_from(&naze, &STARTS, PAGES_MAX);
    for start in ["/incidents/", "/component?", "/receipts/", "/trends?", "/queries/", "/principles/"] {
        assert!(pages.keys().any(|path| path.starts_with(start)), "no {start}");
    }
    for (path, text) in &pages {
        is_inert(path, text, 1);
    }
    let incidents = naze.get("/v1/incidents").json();
    let incidents: Vec<&str> =
        incidents["incidents"].as_array().unwrap().iter().map(|one| one["receipts"][0].as_str().unwrap()).collect();
    assert!(incidents.len() >= HOSTILE.len(), "{}", incidents.len());
    for id in incidents {
        for report in ["why", "timeline", "postmortem"] {
            let path = format!("/v1/incidents/{id}/{report}");
            let html = naze.get_as(&path, "text/html");
            assert_eq!(html.status, StatusCode::OK, "{path}: {}", html.text());
            is_inert(&path, &html.text(), 0);
            let markdown = naze.get_as(&path, "text/markdown").text();
            is_inert_markdown(&path, &markdown);
            naze.get_as(&path, "application/json").json();
        }
    }
    for path in ["/v1/recommendations", "/v1/timeline?from=2026-03-10T10:00:00Z"] {
        is_inert(path, &naze.get_as(path, "text/html").text(), 0);
        is_inert_markdown(path, &naze.get_as(path, "text/markdown").text());
    }
    for path in ["/v1/queries/events_around?at=2026-03-10T11:30:00Z&before=30m", "/v1/queries/failure_types"] {
        is_inert_markdown(path, &naze.get_as(path, "text/markdown").text());
        let csv = naze.get_as(path, "text/csv");
        assert_eq!((csv.status, &csv.headers["x-content-type-options"]), (StatusCode::OK, &"nosniff".parse().unwrap()));
    }
    let metrics = naze.get("/metrics").text();
    let is_line = |line: &&str| {
        line.starts_with('#') || line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok())
    };
    assert!(metrics.lines().all(|line| is_line(&line)), "{:?}", metrics.lines().find(|line| !is_line(line)));
}

/// No element, link or picture of Markdown that leads away or runs something.
#[track_caller]
fn is_inert_markdown(path: &str, text: &str) {
    for line in text.lines() {
        let outside: String = line.split('`').step_by(2).collect();
        let is_raw = outside.match_indices('<').any(|(place, _)| !outside[..place].ends_with('\\'));
        assert!(!is_raw || outside.trim_start().starts_with("<!--"), "{path}: {line}");
        for (place, _) in outside.match_indices("](") {
            let target = &outside[place + 2..];
            assert!(
                outside[..place].ends_with('\\') || target.starts_with('/') || target.starts_with('#'),
                "{path}: {line}"
            );
        }
    }
}

#[test]
fn hostile_evidence_does_nothing_in_a_browser() {
    let Some(browser) = Browser::start() else { return };
    let (naze, _) = told();
    let url = served(&naze);
    let pages = crawl_from(&naze, &STARTS, PAGES_MAX);
    let mut kinds = BTreeSet::new();
    // Of each kind of page some, which differ in their texts.
    let chosen = pages.keys().filter(|path| {
        let kind: String = path.chars().take_while(|character| *character != '?').take(12).collect();
        (0..4).any(|number| kinds.insert((kind.clone(), number)))
    });
    for path in chosen {
        browser.open(&format!("{url}{path}"));
        browser.arrive("naze");
        assert_eq!(browser.dialog(), None, "{path}");
        let born = browser.run("return document.querySelectorAll('iframe, object, embed, img, [onerror], [onload], base, main style').length");
        assert_eq!(born, 0, "{path}");
        assert_eq!(browser.complaints(), Vec::<Json>::new(), "{path}");
    }
}
