//! For everyone: axe-core finds nothing, and everything can be reached with the keyboard.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::browser::{Browser, shared_world};

/// Every kind of page.
pub(super) const PAGES: [&str; 19] = [
    "/",
    "/principles/jidoka",
    "/principles/kanban?range=7d",
    "/principles/kaizen",
    "/slos",
    "/slos/quality-gates",
    "/recommendations?from=2026-03-10T08:00:00Z&to=2026-03-10T12:00:00Z",
    "/runbooks",
    "/incidents",
    "/incidents/inc-web",
    "/component?name=checkout&from=2026-03-10T08:00:00Z&to=2026-03-10T12:00:00Z",
    "/why?component=web&at=2026-03-10T10:09:00Z",
    "/queries",
    "/queries/failure_types?from=2026-03-10T08:00:00Z&to=2026-03-10T12:00:00Z",
    "/explore?query=ASK%20%7B%7D",
    "/trends",
    "/trends?metric=tps_kanban_queue_depth&horizon=1h",
    "/ledger?verify=now",
    "/incidents/none",
];

/// axe-core's script, or a loud note that it is absent.
fn axe() -> Option<String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("axe-core").join("axe.min.js");
    let script = std::fs::read_to_string(&path).ok();
    if script.is_none() {
        println!("SKIPPED: axe-core is not installed; scripts/setup test installs it");
    }
    script
}

#[test]
fn axe_finds_nothing_on_any_page_light_or_dark() {
    let (Some(axe), Some(browser)) = (axe(), Browser::start()) else { return };
    let url = shared_world();
    for path in PAGES {
        browser.open(&format!("{url}{path}"));
        browser.arrive("naze");
        browser.run(&format!("{axe}; window.axe = axe;"));
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            let found = browser.run_async(
                "const done = arguments[0]; document.querySelectorAll('details').forEach((one) => { one.open = true; });
                 axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations.map((one) =>
                   ({rule: one.id, nodes: one.nodes.map((node) => [node.html.slice(0, 200), node.failureSummary])}))),
                   (error) => done(String(error)));",
            );
            assert_eq!(found, json!([]), "{scheme} {path}: {found:#}");
        }
    }
}

#[test]
fn the_keyboard_reaches_everything_in_the_order_of_the_page() {
    let Some(browser) = Browser::start() else { return };
    let url = shared_world();
    browser.open(&format!("{url}/incidents/inc-web"));
    browser.arrive("naze");
    browser.press("\u{e004}");
    let skip = browser.run("return [document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle, document.activeElement.getBoundingClientRect().x >= 0]");
    assert_eq!(skip, json!(["Skip to the content", "solid", true]));
    browser.press("\u{e007}");
    assert_eq!(browser.run("return document.activeElement.id"), "main");
    let expected = browser.run(
        "return [...document.querySelectorAll('main a[href], main button, main input:not([type=hidden]), main select, main summary, main [tabindex=\"0\"]')]
            .filter((one) => one.checkVisibility()).length",
    );
    let mut reached: Vec<Json> = Vec::new();
    for _ in 0..expected.as_u64().unwrap() {
        browser.press("\u{e004}");
        let (here, is_seen) = (
            "document.activeElement",
            "getComputedStyle(document.activeElement).outlineStyle !== 'none' || document.activeElement.matches('svg a')",
        );
        reached.push(browser.run(&format!("return [[...document.querySelectorAll('*')].indexOf({here}), {is_seen}]")));
    }
    assert!(reached.iter().all(|one| one[1] == true), "focus cannot be seen: {reached:?}");
    let order: Vec<u64> = reached.iter().map(|one| one[0].as_u64().unwrap()).collect();
    assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "not in the order of the page: {order:?}");
}
