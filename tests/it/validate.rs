//! Receipts against the real shapes: what they accept and refuse, and what the sender is told.

use std::fs;
use std::path::{Path, PathBuf};

use naze::error::Kind;
use naze::validate::{Shapes, Violation};
use oxrdf::graph::CanonicalizationAlgorithm;
use oxrdf::vocab::rdf;
use oxrdf::{Graph, NamedNodeRef, NamedOrBlankNodeRef, Triple};
use oxttl::TurtleParser;

const PREFIXES: &str = "@prefix naze: <https://w3id.org/naze#> . @prefix sh: <http://www.w3.org/ns/shacl#> .
    @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix ex: <https://team.example.org/ns#> .
    @prefix owl: <http://www.w3.org/2002/07/owl#> .\n";
const COMMON: &str =
    r#"naze:occurredAt "2026-03-10T10:02:11.25Z"^^xsd:dateTime ; naze:component <urn:naze:component:checkout>"#;
const LABEL_PREFIX: &str = "https://w3id.org/naze/label#";

#[test]
fn every_kind_accepts_its_valid_examples_and_refuses_the_invalid_ones() {
    let shapes = load_all_with(&[]);
    let kinds = folder("tests/shapes");
    assert!(kinds.len() >= 26, "kinds with examples: {kinds:?}");
    for kind in kinds {
        for (expected, examples) in [(true, kind.join("valid")), (false, kind.join("invalid"))] {
            let files = turtle_files(&examples);
            assert!(!files.is_empty(), "no examples in {}", examples.display());
            for file in files {
                let data = without_labels(&parse(&fs::read_to_string(&file).unwrap()));
                let report = shapes.validate(&data).unwrap();
                assert_eq!(report.conforms(), expected, "{}: {:#?}", file.display(), report.to_graph().to_string());
            }
        }
    }
}

#[test]
fn a_missing_field_is_named_with_what_to_add() {
    let expected = [violation(
        "failureType",
        None,
        "sh:minCount 1",
        "failureType must be a text of 1 to 512 characters, given exactly once, but it is missing",
        "add failureType: a text of 1 to 512 characters",
    )];
    assert_eq!(broken("a naze:Failure"), expected);
}

#[test]
fn a_wrong_type_is_told_once_though_it_breaks_the_range_too() {
    let expected = [violation(
        "count",
        Some("many"),
        "sh:datatype xsd:integer",
        "count must be a whole number of at least 1, given at most once, got \"many\"",
        "send a whole number of at least 1, or leave count out",
    )];
    assert_eq!(broken(r#"a naze:Rejection ; naze:count "many""#), expected);
}

#[test]
fn a_value_out_of_range_is_told_with_the_range() {
    let expected = [violation(
        "recoverySeconds",
        Some("-0.5e0"),
        "sh:minInclusive 0e0",
        "recoverySeconds must be a number of at least 0, given at most once, got \"-0.5e0\"",
        "send a number of at least 0, or leave recoverySeconds out",
    )];
    assert_eq!(broken(r#"a naze:Circuit ; naze:state "open" ; naze:recoverySeconds -0.5e0"#), expected);
}

#[test]
fn a_misspelt_choice_is_told_the_one_meant() {
    let expected = [violation(
        "state",
        Some("opne"),
        "sh:in closed, open, half_open",
        "state must be closed, open or half_open, given exactly once, got \"opne\"",
        "did you mean \"open\"? Send one of closed, open, half_open",
    )];
    assert_eq!(broken(r#"a naze:Circuit ; naze:state "opne""#), expected);
}

#[test]
fn a_choice_unlike_all_others_is_told_the_list() {
    let expected = [violation(
        "state",
        Some("tripped"),
        "sh:in closed, open, half_open",
        "state must be closed, open or half_open, given exactly once, got \"tripped\"",
        "send one of closed, open, half_open",
    )];
    assert_eq!(broken(r#"a naze:Circuit ; naze:state "tripped""#), expected);
}

#[test]
fn a_field_of_another_kind_goes_under_labels() {
    let expected = [violation(
        "sloName",
        Some("latency"),
        "sh:closed",
        "\"sloName\" does not belong to a receipt of kind failure",
        "put it under \"labels\"",
    )];
    assert_eq!(broken(r#"a naze:Failure ; naze:failureType "Timeout" ; naze:sloName "latency""#), expected);
}

#[test]
fn a_misspelt_field_is_told_the_one_meant() {
    let expected = [violation(
        "mesage",
        Some("no answer"),
        "sh:closed",
        "\"mesage\" does not belong to a receipt of kind failure",
        "did you mean \"message\"? Anything else goes under \"labels\"",
    )];
    assert_eq!(broken(r#"a naze:Failure ; naze:failureType "Timeout" ; naze:mesage "no answer""#), expected);
}

#[test]
fn too_many_values_are_all_shown() {
    let expected = [violation(
        "peer",
        Some("order book, payments"),
        "sh:maxCount 1",
        "peer must name a component, given at most once, got \"order book\" and \"payments\"",
        "send peer once",
    )];
    let receipt = r#"a naze:Failure ; naze:failureType "Timeout" ;
        naze:peer <urn:naze:component:payments>, <urn:naze:component:order%20book>"#;
    assert_eq!(broken(receipt), expected);
}

#[test]
fn a_pattern_is_told_as_the_thing_it_stands_for() {
    let expected = [violation(
        "causedBy",
        Some("payments"),
        "sh:pattern ^urn:naze:receipt:[0-9a-f]{64}$",
        "causedBy must name receipts, got \"payments\"",
        "send the id of a receipt, or leave causedBy out",
    )];
    let receipt = r#"a naze:Failure ; naze:failureType "Timeout" ; naze:causedBy <urn:naze:component:payments>"#;
    assert_eq!(broken(receipt), expected);
}

#[test]
fn an_end_before_the_start_shows_both() {
    let receipt = r#"a naze:Alert ; naze:name "HighLatency" ; naze:status "resolved" ;
        naze:startsAt "2026-03-10T10:05:00.000Z"^^xsd:dateTime ; naze:endsAt "2026-03-10T10:00:00Z"^^xsd:dateTime"#;
    let found = broken(receipt);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].field.as_deref(), Some("startsAt"));
    assert_eq!(found[0].value.as_deref(), Some("2026-03-10T10:05:00.000Z"), "as the sender wrote it");
    assert_eq!(found[0].rule, "sh:lessThanOrEquals naze:endsAt");
    assert_eq!(found[0].fix, "correct startsAt or endsAt");
}

#[test]
fn a_long_value_is_cut_to_200_characters() {
    let receipt = format!(r#"a naze:Failure ; naze:failureType "{}""#, "é".repeat(70_000));
    let found = broken(&receipt);
    let expected = format!("{}…", "é".repeat(199));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].value.as_deref(), Some(expected.as_str()));
}

#[test]
fn several_faults_come_in_the_order_of_their_fields() {
    let receipt = r#"a naze:Crossing ; naze:value "high" ; naze:direction "sideways" ; naze:colour "red""#;
    let fields: Vec<_> = broken(receipt).into_iter().map(|found| (found.field.unwrap(), found.rule)).collect();
    let expected = [
        ("colour", "sh:closed"),
        ("direction", "sh:in up, down"),
        ("metric", "sh:minCount 1"),
        ("value", "sh:datatype xsd:double"),
    ];
    assert_eq!(fields, expected.map(|(field, rule)| (field.to_owned(), rule.to_owned())));
}

#[test]
fn one_bad_receipt_in_a_batch_leaves_the_others_alone() {
    let mut text = PREFIXES.to_owned();
    for index in 0..50 {
        let failure_type = if index == 17 { "" } else { "Timeout" };
        text += &format!("<urn:r:{index}> a naze:Failure ; {COMMON} ; naze:failureType \"{failure_type}\" .\n");
    }
    let report = load_all_with(&[]).validate(&parse(&text)).unwrap();
    let bad: Vec<usize> =
        (0..50).filter(|index| report.violations_of(focus(&format!("urn:r:{index}"))).next().is_some()).collect();
    assert_eq!(bad, [17]);
    assert!(!report.conforms());
}

#[test]
fn strange_numbers_and_texts_give_a_report_and_no_error() {
    let shapes = load_all_with(&[]);
    let cases = [
        ("naze:count", r#""1"^^xsd:integer"#, true),
        ("naze:count", r#""99999999999999999999999999999999999999"^^xsd:integer"#, false),
        ("naze:count", &format!("\"{}\"^^xsd:integer", "9".repeat(5_000)), false),
        ("naze:count", r#""1e400"^^xsd:double"#, false),
        ("naze:count", r#""NaN"^^xsd:double"#, false),
        ("naze:count", r#"""^^xsd:integer"#, false),
        ("naze:count", "[]", false),
        ("naze:message", r#""\u0000\uFFFD""#, true),
        ("naze:message", r#""hello"@en-x-private"#, false),
        ("naze:peer", "<urn:naze:component:%FF>", true),
        ("naze:recordedAt", r#""2026-02-30T25:00:00Z"^^xsd:dateTime"#, false),
        ("naze:recordedAt", r#""-99999-01-01T00:00:00Z"^^xsd:dateTime"#, true),
    ];
    for (field, value, conforms) in cases {
        let receipt = format!(r#"a naze:Failure ; {COMMON} ; naze:failureType "Timeout" ; {field} {value}"#);
        let report = shapes.validate(&receipt_graph(&receipt)).unwrap();
        assert_eq!(report.conforms(), conforms, "{field} {}", &value[..value.len().min(60)]);
    }
}

#[test]
fn lengths_are_counted_in_characters_and_large_numbers_compared_as_numbers() {
    let long = "\u{e9}".repeat(512);
    let receipts = [
        (format!(r#"a naze:Failure ; naze:failureType "{long}""#), true),
        (format!(r#"a naze:Failure ; naze:failureType "{long}x""#), false),
        (r#"a naze:Circuit ; naze:state "open" ; naze:recoverySeconds "1e30"^^xsd:double"#.to_owned(), true),
        (r#"a naze:Circuit ; naze:state "open" ; naze:recoverySeconds "-1e30"^^xsd:double"#.to_owned(), false),
    ];
    for shapes in [load_all_with(&[]), engine_alone()] {
        for (receipt, conforms) in &receipts {
            let report = shapes.validate(&receipt_graph(&format!("{receipt} ; {COMMON}"))).unwrap();
            assert_eq!(report.conforms(), *conforms, "{receipt}");
        }
    }
}

#[test]
fn the_short_way_agrees_with_the_engine_on_every_example() {
    let (short, engine) = (load_all_with(&[]), engine_alone());
    let mut all = Graph::new();
    for kind in folder("tests/shapes") {
        for file in [turtle_files(&kind.join("valid")), turtle_files(&kind.join("invalid"))].concat() {
            let data = without_labels(&parse(&fs::read_to_string(&file).unwrap()));
            agree(&short, &engine, &data);
            all.extend(&data);
        }
    }
    agree(&short, &engine, &all);
}

#[test]
fn the_short_way_agrees_with_the_engine_whatever_is_added_to_a_receipt() {
    let mut text = PREFIXES.to_owned();
    let mut receipts = 0;
    for start in STARTS {
        for field in PROPERTIES {
            for value in VALUES {
                receipts += 1;
                text += &format!("<urn:r:{receipts}> {start} ; {COMMON} ; {field} {value} .\n");
            }
        }
    }
    let data = parse(&text);
    agree(&load_all_with(&[]), &engine_alone(), &data);
}

/// Kinds with what they require, so that what is added decides.
const STARTS: &[&str] = &[
    r#"a naze:Failure ; naze:failureType "Timeout""#,
    r#"a naze:Circuit ; naze:state "open""#,
    r#"a naze:Alert ; naze:name "HighLatency" ; naze:status "firing""#,
    r#"a naze:Scaling ; naze:pool "web" ; naze:direction "up""#,
    r#"a naze:SloEvaluation ; naze:sloName "latency""#,
    r#"a naze:Note ; naze:message "seen before""#,
];
const PROPERTIES: &[&str] = &[
    "naze:occurredAt",
    "naze:component",
    "naze:severity",
    "naze:causedBy",
    "naze:failureType",
    "naze:message",
    "naze:count",
    "naze:peer",
    "naze:state",
    "naze:recoverySeconds",
    "naze:name",
    "naze:status",
    "naze:startsAt",
    "naze:endsAt",
    "naze:direction",
    "naze:pool",
    "naze:from",
    "naze:to",
    "naze:sloName",
    "naze:good",
    "naze:total",
    "naze:met",
    "ex:other",
];
const VALUES: &[&str] = &[
    r#""up""#,
    r#""open""#,
    r#""firing""#,
    r#""critical""#,
    r#""""#,
    r#""critical"@en"#,
    "1",
    "0",
    "-1",
    "\"01\"^^xsd:integer",
    "\"+3\"^^xsd:integer",
    "2.5",
    "1e0",
    "-1e0",
    r#""1e30"^^xsd:double"#,
    r#""1e-40"^^xsd:double"#,
    r#""INF"^^xsd:double"#,
    r#""NaN"^^xsd:double"#,
    "true",
    r#""1"^^xsd:boolean"#,
    r#""yes"^^xsd:boolean"#,
    r#""2026-03-10T10:00:00Z"^^xsd:dateTime"#,
    r#""2026-03-10T10:00:00"^^xsd:dateTime"#,
    r#""2026-03-10T12:00:00+02:00"^^xsd:dateTime"#,
    r#""10 March"^^xsd:dateTime"#,
    "<urn:naze:component:a>",
    "<urn:naze:component:>",
    "<urn:naze:receipt:8f3b2c1>",
    "<urn:naze:receipt:3b08e59f95c8c0e8f3ab1422e407ce4d93073c36f1747f41ed857cdf049299c7>",
    "[]",
    r#""99999999999999999999"^^xsd:integer"#,
    r#""x"^^ex:type"#,
];

/// The same shapes, with a rule that could concern any receipt: that takes the short way out.
fn engine_alone() -> Shapes {
    load_all_with(&[("any.ttl", "ex:Any a sh:NodeShape ; sh:targetSubjectsOf ex:never ; sh:nodeKind sh:IRI .")])
}

fn agree(short: &Shapes, engine: &Shapes, data: &Graph) {
    let (short, engine) = (short.validate(data).unwrap(), engine.validate(data).unwrap());
    assert_eq!(short.conforms(), engine.conforms());
    for triple in data.triples_for_predicate(rdf::TYPE) {
        let short: Vec<&Violation> = short.violations_of(triple.subject).collect();
        let engine: Vec<&Violation> = engine.violations_of(triple.subject).collect();
        assert_eq!(
            short,
            engine,
            "{}",
            data.triples_for_subject(triple.subject).map(|t| t.to_string()).collect::<String>()
        );
    }
}

#[test]
fn a_shape_without_messages_is_told_in_our_own_words() {
    let team = r#"ex:RolloutShape a sh:NodeShape ; sh:targetClass ex:Rollout ;
        sh:property [ sh:path ex:stage ; sh:minCount 1 ; sh:in ("canary" "full") ],
            [ sh:path ex:share ; sh:minExclusive 0 ; sh:maxInclusive 100 ; sh:datatype xsd:integer ],
            [ sh:path ex:ticket ; sh:pattern "^OPS-[0-9]+$" ; sh:maxCount 2 ],
            [ sh:path ex:tenant ; sh:or ( [ sh:datatype xsd:string ] [ sh:datatype xsd:boolean ] ) ],
            [ sh:path (naze:causedBy naze:component) ; sh:maxCount 0 ] ."#;
    let shapes = load_all_with(&[("team.ttl", team)]);
    let data = receipt_graph(
        r#"a ex:Rollout ; ex:share 0 ; ex:ticket "OPS-1", "OPS-2", "help" ; ex:tenant 7 ; naze:causedBy <urn:c> .
        <urn:c> naze:component <urn:naze:component:x>"#,
    );
    let report = shapes.validate(&data).unwrap();
    let found: Vec<Violation> = report.violations_of(focus("urn:r")).cloned().collect();
    let path = "(naze:causedBy/naze:component)";
    let expected = [
        violation(path, None, "sh:maxCount 0", &format!("{path} must be left out"), &format!("leave {path} out")),
        violation(
            "share",
            Some("0"),
            "sh:minExclusive 0",
            "share must be a whole number of at most 100 above 0, got \"0\"",
            "send a whole number of at most 100 above 0, or leave share out",
        ),
        violation("stage", None, "sh:minCount 1", "stage is missing", "add stage: one of canary, full"),
        violation(
            "tenant",
            Some("7"),
            "sh:or",
            "tenant must be a text or true or false, got \"7\"",
            "send a text or true or false, or leave tenant out",
        ),
        violation(
            "ticket",
            Some("OPS-1, OPS-2, help"),
            "sh:maxCount 2",
            "ticket may have at most 2 values, got \"OPS-1\" and \"OPS-2\" and \"help\"",
            "send at most 2 values for ticket",
        ),
        violation(
            "ticket",
            Some("help"),
            "sh:pattern ^OPS-[0-9]+$",
            "ticket must be a text that matches ^OPS-[0-9]+$, got \"help\"",
            "send a text that matches ^OPS-[0-9]+$, or leave ticket out",
        ),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_plain_sparql_rule_of_a_user_is_run() {
    let rule = r#"ex:prefixes sh:declare [ sh:prefix "naze" ; sh:namespace "https://w3id.org/naze#"^^xsd:anyURI ] .
        ex:NoFridays a sh:NodeShape ; sh:targetClass naze:Deployment ;
            sh:sparql [ sh:prefixes ex:prefixes ; sh:message "{$this} deploys a forbidden version" ;
                sh:select """SELECT $this ?value WHERE { $this naze:version ?value . FILTER(?value = "6.6.6") }""" ] ."#;
    let shapes = load_all_with(&[("fridays.ttl", rule)]);
    let told = |version: &str| {
        let receipt = format!(r#"a naze:Deployment ; {COMMON} ; naze:status "started" ; naze:version "{version}""#);
        let report = shapes.validate(&receipt_graph(&receipt)).unwrap();
        report.violations_of(focus("urn:r")).map(|found| found.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told("6.6.6"), ["urn:r deploys a forbidden version"]);
    assert_eq!(told("6.6.7"), Vec::<String>::new());
}

#[test]
fn what_the_engine_cannot_run_is_refused_at_load() {
    let cases = [
        (
            "ex:S a sh:NodeShape ; sh:property [ sh:path ex:p ; sh:minCuont 1 ] .",
            "shapes document team.ttl: <https://team.example.org/ns#S> uses sh:minCuont, which naze cannot run: \
             it is not part of SHACL Core, and skipping it would let bad data in",
            "did you mean sh:minCount?",
        ),
        (
            r"ex:Word a sh:ConstraintComponent ; sh:parameter [ sh:path ex:word ] .",
            "shapes document team.ttl: <https://team.example.org/ns#Word> uses sh:ConstraintComponent, which naze cannot \
             run: it is not part of SHACL Core, and skipping it would let bad data in",
            "say it with SHACL Core",
        ),
        (
            r#"ex:S sh:js [ sh:jsFunctionName "check" ] ."#,
            "shapes document team.ttl: <https://team.example.org/ns#S> uses sh:js, which naze cannot run: \
             it is not part of SHACL Core, and skipping it would let bad data in",
            "say it with SHACL Core",
        ),
        (
            "ex:S a sh:NodeShape ; sh:targetNode [ ex:p 1 ] .",
            "shapes document team.ttl: <https://team.example.org/ns#S> uses sh:targetNode, which naze cannot run: \
             its target is computed, not named",
            "name the nodes, or use sh:targetClass",
        ),
        (
            "ex:rules owl:imports <https://elsewhere.example.org/rules> .",
            "shapes document team.ttl: <https://team.example.org/ns#rules> uses owl:imports, which naze cannot run: \
             <https://elsewhere.example.org/rules> is not among the documents loaded, and naze fetches nothing",
            "put that document into the shapes folder too",
        ),
    ];
    for (document, message, hint) in cases {
        let text = format!("{PREFIXES}{document}");
        let refused = refusal(&[("good.ttl", "<urn:a> <urn:b> <urn:c> ."), ("team.ttl", &text)]);
        assert_eq!(refused, (message.to_owned(), hint.to_owned()));
    }
}

#[test]
fn sparql_whose_meaning_the_engine_would_change_is_refused() {
    let cases = [
        ("SELECT $this WHERE { { $this ?p 1 } UNION { FILTER($this = 2) } }", "UNION does not see the value of $this"),
        ("SELECT $this WHERE { $this ?p 1 MINUS { ?x ?p 2 } }", "MINUS does not see the value of $this"),
        ("SELECT $this WHERE { { FILTER(bound($this)) } }", "it has a group inside a group"),
        ("SELECT $this WHERE { { SELECT ?x WHERE { ?x ?p 1 } } }", "it needs exactly one SELECT"),
        ("SELECT $this WHERE { $this ?p 1 OPTIONAL { BIND($this AS ?v) } }", "it has a BIND inside an inner group"),
        ("SELECT $this { $this ?p 1 }", "it needs the word WHERE, once, before its group"),
        ("SELECT $this WHERE { GRAPH $shapesGraph { $this ?p 1 } }", "GRAPH does not see the value of $this"),
        ("SELECT (1 AS $this) WHERE { ?x ?p 1 }", "it gives $this another value"),
    ];
    for (query, reason) in cases {
        let text =
            format!("{PREFIXES} ex:S a sh:NodeShape ; sh:targetClass ex:C ; sh:sparql [ sh:select \"{query}\" ] .");
        let expected = format!(
            "shapes document team.ttl: <https://team.example.org/ns#S> uses sh:sparql, which naze cannot run: {reason}"
        );
        assert_eq!(refusal(&[("team.ttl", &text)]).0, expected);
    }
}

#[test]
fn malformed_documents_are_named() {
    let no_turtle = refusal(&[("good.ttl", "<urn:a> <urn:b> <urn:c> ."), ("broken.ttl", "this is no Turtle")]).0;
    assert!(no_turtle.starts_with("shapes document broken.ttl is no Turtle"), "{no_turtle}");
    let pattern = format!("{PREFIXES} ex:S a sh:NodeShape ; sh:property [ sh:path ex:p ; sh:pattern \"(\" ] .");
    let malformed = refusal(&[("good.ttl", "<urn:a> <urn:b> <urn:c> ."), ("broken.ttl", &pattern)]).0;
    assert!(malformed.starts_with("the shapes in broken.ttl are malformed"), "{malformed}");
}

#[test]
fn the_report_is_available_as_rdf() {
    let report = load_all_with(&[]).validate(&receipt_graph("a naze:Signal ; naze:colour \"green\"")).unwrap();
    let mut actual = report.to_graph();
    let mut expected = parse(&format!(
        "{PREFIXES} [] a sh:ValidationReport ; sh:conforms false ; sh:result [ a sh:ValidationResult ;
            sh:focusNode <urn:r> ; sh:resultPath naze:component ; sh:resultSeverity sh:Violation ;
            sh:sourceConstraintComponent sh:MinCountConstraintComponent ; sh:sourceShape naze:componentProperty ;
            sh:resultMessage \"component must name a component, given exactly once.\" ], [ a sh:ValidationResult ;
            sh:focusNode <urn:r> ; sh:resultPath naze:occurredAt ; sh:resultSeverity sh:Violation ;
            sh:sourceConstraintComponent sh:MinCountConstraintComponent ; sh:sourceShape naze:occurredAtProperty ;
            sh:resultMessage \"occurredAt must be a date and time, given exactly once.\" ] ."
    ));
    actual.canonicalize(CanonicalizationAlgorithm::Unstable);
    expected.canonicalize(CanonicalizationAlgorithm::Unstable);
    assert!(actual == expected, "{actual}");
}

/// What the real shapes say about one receipt with a time and a component.
fn broken(receipt: &str) -> Vec<Violation> {
    let data = receipt_graph(&format!("{receipt} ; {COMMON}"));
    let report = load_all_with(&[]).validate(&data).unwrap();
    report.violations_of(focus("urn:r")).cloned().collect()
}

fn violation(field: &str, value: Option<&str>, rule: &str, message: &str, fix: &str) -> Violation {
    Violation {
        field: Some(field.to_owned()),
        value: value.map(str::to_owned),
        rule: rule.to_owned(),
        message: message.to_owned(),
        fix: fix.to_owned(),
    }
}

fn refusal(documents: &[(&str, &str)]) -> (String, String) {
    let error = Shapes::load(documents.iter().copied()).err().expect("the shapes are refused");
    assert_eq!(error.kind(), Kind::Invalid);
    (error.message().to_owned(), error.hints().first().cloned().unwrap_or_default())
}

/// The bundled shapes, and a user's own.
fn load_all_with(more: &[(&str, &str)]) -> Shapes {
    let files = turtle_files(&root("shapes"));
    let mut documents: Vec<(String, String)> = files
        .iter()
        .map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(file).unwrap()))
        .collect();
    documents.extend(more.iter().map(|(name, text)| ((*name).to_owned(), format!("{PREFIXES}{text}"))));
    Shapes::load(documents.iter().map(|(name, text)| (name.as_str(), text.as_str()))).unwrap()
}

fn receipt_graph(rest: &str) -> Graph {
    parse(&format!("{PREFIXES} <urn:r> {rest} ."))
}

fn parse(turtle: &str) -> Graph {
    TurtleParser::new().for_slice(turtle).map(|triple| triple.unwrap()).collect()
}

fn without_labels(graph: &Graph) -> Graph {
    graph.iter().filter(|triple| !triple.predicate.as_str().starts_with(LABEL_PREFIX)).map(Triple::from).collect()
}

fn focus(iri: &str) -> NamedOrBlankNodeRef<'_> {
    NamedNodeRef::new(iri).unwrap().into()
}

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn folder(path: &str) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(root(path)).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn turtle_files(path: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ttl"));
    files.sort();
    files
}
