//! Dumps, read by other readers than the one that wrote them, against what the store says over SPARQL.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use oxrdf::{Dataset, GraphName, Quad};
use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfParser};
use serde_json::{Value as Json, json};

use super::file;
use crate::common::{NOW, Naze};

/// Evidence with everything that is hard to write.
fn naze() -> Naze {
    let naze = Naze::in_world("bad_deploy");
    naze.record(&json!([
        {"kind": "failure", "occurredAt": "2026-03-09T23:59:59.999999Z", "component": "=cmd|' /C calc'!A0", "failureType": "+1",
            "message": "two\r\nlines, a \"quote\", a comma;\ttab, \u{1F9E8} and a \\ backslash", "count": 3,
            "labels": {"@sum": "=1+1", "url": "https://example.org/?a=b&c=<d>"}},
        {"kind": "crossing", "occurredAt": "2026-03-10T11:00:00Z", "component": "shop", "metric": "temperature", "value": -5.5,
            "baseline": 1e-7, "deviation": -4.0, "direction": "down"},
        {"kind": "note", "occurredAt": "2026-03-10T11:30:00Z", "component": "checkout", "message": "-ed"},
    ]));
    naze
}

/// Every quad of a receipt, as SPARQL tells.
fn stored(naze: &Naze) -> Dataset {
    let query = "SELECT ?s ?p ?o ?g WHERE { GRAPH ?g { ?s ?p ?o } FILTER(STRSTARTS(STR(?g), 'urn:naze:slot:')) }";
    let reply = naze.post("/sparql", "application/sparql-query", query);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let lines: Vec<String> = reply.json()["results"]["bindings"].as_array().unwrap().iter().map(line).collect();
    read(RdfFormat::NQuads, lines.join("\n").as_bytes())
}

/// A row of results as a line of N-Quads.
fn line(row: &Json) -> String {
    let term = |name: &str| {
        let term = &row[name];
        let value = term["value"].as_str().unwrap();
        if term["type"] == "uri" {
            return format!("<{value}>");
        }
        let literal = oxrdf::Literal::new_simple_literal(value).to_string();
        term["datatype"].as_str().map_or(literal.clone(), |datatype| format!("{literal}^^<{datatype}>"))
    };
    format!("{} {} {} {} .", term("s"), term("p"), term("o"), term("g"))
}

fn read(format: RdfFormat, bytes: &[u8]) -> Dataset {
    RdfParser::from_format(format).for_slice(bytes).map(Result::unwrap).collect()
}

/// Without graphs.
fn flat(dataset: &Dataset) -> Dataset {
    dataset
        .iter()
        .map(|quad| {
            Quad::new(
                quad.subject.into_owned(),
                quad.predicate.into_owned(),
                quad.object.into_owned(),
                GraphName::DefaultGraph,
            )
        })
        .collect()
}

const JSON_LD: RdfFormat = RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() };

#[test]
fn every_form_of_rdf_holds_the_triples_of_the_store() {
    let naze = naze();
    let stored = stored(&naze);
    assert!(stored.len() > 100, "{}", stored.len());
    for (name, format) in [
        ("nquads", RdfFormat::NQuads),
        ("trig", RdfFormat::TriG),
        ("jsonld", JSON_LD),
        ("turtle", RdfFormat::Turtle),
        ("ntriples", RdfFormat::NTriples),
    ] {
        let reply = naze.get(&format!("/v1/export?format={name}"));
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        assert_eq!(reply.headers["content-type"].to_str().unwrap(), format.media_type(), "{name}");
        let told = read(format, &reply.body);
        let expected = if format.supports_datasets() { stored.clone() } else { flat(&stored) };
        assert_eq!(told.len(), expected.len(), "{name}");
        assert!(told == expected, "{name} holds other quads");
        let negotiated = naze.get_as("/v1/export", format.media_type());
        assert_eq!(negotiated.body, reply.body, "{name}: same evidence, same bytes");
    }
}

#[test]
fn turtle_is_read_by_a_reader_of_another_making() {
    use rio_api::parser::TriplesParser as _;
    let naze = naze();
    let turtle = naze.get("/v1/export?format=turtle").body;
    let mut count = 0;
    rio_turtle::TurtleParser::new(&*turtle, None)
        .parse_all(&mut |_| -> Result<(), rio_turtle::TurtleError> {
            count += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(count, stored(&naze).len());
}

/// What rdflib makes of a dump, as N-Triples.
const RDFLIB: &str = "import sys, rdflib\ng = rdflib.Dataset()\ng.parse(sys.argv[1], format=sys.argv[2])\n\
    print(len({(s, p, o) for s, p, o, _ in g.quads()}))";

#[test]
fn rdflib_counts_the_same_triples() {
    let is_there = Command::new("python3").args(["-c", "import rdflib"]).output().is_ok_and(|run| run.status.success());
    if !is_there {
        eprintln!("SKIPPED: python3 has no rdflib");
        return;
    }
    let naze = naze();
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in [("nquads", "nquads"), ("trig", "trig"), ("jsonld", "json-ld"), ("turtle", "turtle")] {
        let path = folder.path().join(name);
        std::fs::write(&path, naze.get(&format!("/v1/export?format={name}")).body).unwrap();
        let run = Command::new("python3").args(["-c", RDFLIB]).arg(&path).arg(format).output().unwrap();
        assert!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
        let count: usize = String::from_utf8_lossy(&run.stdout).trim().parse().unwrap();
        assert_eq!(count, flat(&stored(&naze)).len(), "{name}");
    }
}

fn ids(naze: &Naze) -> BTreeSet<String> {
    let text = naze.get("/v1/export").text();
    let id = |line: &str| serde_json::from_str::<Json>(line).unwrap()["id"].as_str().unwrap().to_owned();
    text.lines().map(id).collect()
}

#[test]
fn what_is_dumped_is_the_same_receipts_when_it_is_recorded_again() {
    let naze = naze();
    let expected = ids(&naze);
    for (name, media_type) in [
        ("ndjson", "application/x-ndjson"),
        ("jsonld", "application/ld+json"),
        ("turtle", "text/turtle"),
        ("nquads", "application/n-quads"),
        ("trig", "application/trig"),
    ] {
        let dump = naze.get(&format!("/v1/export?format={name}"));
        let other = Naze::in_memory();
        let reply = other.post("/v1/receipts", media_type, dump.body.clone());
        assert_eq!(reply.status, 201, "{name}: {}", reply.text());
        assert_eq!(reply.json()["refused"], 0, "{name}");
        assert_eq!(ids(&other), expected, "{name}");
        let again = naze.post("/v1/receipts", media_type, dump.body).json();
        assert_eq!((&again["recorded"], &again["duplicate"]), (&json!(0), &json!(expected.len())), "{name}");
    }
}

fn rows(csv: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv);
    let head = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| head.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect();
    reader.records().map(|record| row(record.unwrap())).collect()
}

#[test]
fn a_table_has_a_row_per_receipt_and_no_formulas() {
    let naze = naze();
    let reply = naze.get("/v1/export?format=csv");
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(reply.headers["content-disposition"].to_str().unwrap().contains("receipts.csv"));
    let text = reply.text();
    let head = text.lines().next().unwrap();
    assert!(text.starts_with(&format!("{head}\r\n")), "lines end in CRLF");
    assert!(head.starts_with("id,kind,occurredAt,recordedAt,component,"), "{head}");
    let rows = rows(text.as_bytes());
    assert_eq!(rows.iter().map(|row| row["id"].clone()).collect::<BTreeSet<_>>(), ids(&naze));
    let times: Vec<&String> = rows.iter().map(|row| &row["occurredAt"]).collect();
    assert!(times.is_sorted(), "by time: {times:?}");
    for (name, cell) in rows.iter().flatten() {
        let is_number = cell.parse::<f64>().is_ok();
        assert!(is_number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
    }
    let of = |kind: &str| rows.iter().rfind(|row| row["kind"] == kind).unwrap();
    let failure = rows.iter().find(|row| row["failureType"] == "'+1").unwrap();
    assert_eq!(failure["component"], "'=cmd|' /C calc'!A0");
    assert_eq!(failure["message"], "two\r\nlines, a \"quote\", a comma;\ttab, \u{1F9E8} and a \\ backslash");
    assert_eq!(failure["count"], "3");
    let labels: Json = serde_json::from_str(&failure["labels"]).unwrap();
    assert_eq!(labels, json!({"@sum": "=1+1", "url": "https://example.org/?a=b&c=<d>"}));
    assert_eq!((of("crossing")["value"].as_str(), of("crossing")["deviation"].as_str()), ("-5.5", "-4"));
    assert_eq!(of("note")["message"], "'-ed");
    assert_eq!(of("note")["recordedAt"], NOW);
}

#[test]
fn a_dump_holds_what_is_asked_for_and_nothing_else() {
    let naze = naze();
    let dump = |query: &str| -> Vec<Json> {
        let reply = naze.get(&format!("/v1/export?{query}"));
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = dump("");
    let in_window = |receipt: &&Json| {
        let time = receipt["occurredAt"].as_str().unwrap();
        ("2026-03-10T11:00:00Z".."2026-03-10T11:30:00Z").contains(&time)
    };
    let expected: Vec<Json> = all.iter().filter(in_window).cloned().collect();
    assert!(!expected.is_empty());
    assert_eq!(dump("from=2026-03-10T11:00:00Z&to=2026-03-10T11:30:00Z"), expected);
    let kinds = dump("kind=crossing,note&from=-1h");
    assert!(kinds.iter().all(|receipt| ["crossing", "note"].contains(&receipt["kind"].as_str().unwrap())));
    assert!(kinds.iter().any(|receipt| receipt["message"] == "-ed"));
    assert_eq!(dump("component=shop").len(), 1);
    assert_eq!(dump("from=2030-01-01T00:00:00Z"), Vec::<Json>::new());
    for (query, wrong) in [
        ("format=xml", "format \"xml\" is unknown"),
        ("kind=failures", "kind \"failures\" is unknown"),
        ("since=-1h", "there is no parameter since"),
        ("from=yesterday", "from"),
        ("from=now&to=-1h", "is not before to"),
    ] {
        let reply = naze.get(&format!("/v1/export?{query}"));
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(wrong), "{query}: {}", reply.text());
    }
    assert_eq!(naze.get_as("/v1/export", "image/png").status, 406);
}

#[test]
fn the_command_writes_files_that_import_takes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("in.ndjson"), naze().get("/v1/export").body).unwrap();
    let run = |data: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_naze"));
        let run = command.args(arguments).arg("--data").arg(path(data)).current_dir(&folder).output().unwrap();
        assert!(run.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    };
    run("one", &["import", "in.ndjson"]);
    let lines = |bytes: &[u8]| -> BTreeSet<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let expected = lines(&file(folder.path(), "in.ndjson"));
    assert_eq!(lines(&run("one", &["export"])), expected);
    for name in ["out.ndjson", "out.jsonld", "out.ttl", "out.nt", "out.nq", "out.trig"] {
        run("one", &["export", name]);
        let copy = format!("copy of {name}");
        run(&copy, &["import", name]);
        assert_eq!(lines(&run(&copy, &["export", "--format", "json"])), expected, "{name}");
    }
    let csv = run("one", &["export", "--format", "csv", "--kind", "note"]);
    assert_eq!(rows(&csv).len(), lines(&run("one", &["export", "--kind", "note"])).len());
    let nquads = run("one", &["export", "--format", "nquads", "--from", "2026-03-10T00:00:00Z"]);
    assert!(!read(RdfFormat::NQuads, &nquads).is_empty());
    let refused = Command::new(env!("CARGO_BIN_EXE_naze"))
        .args(["timeline", "--format", "turtle", "--data"])
        .arg(path("one"))
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("only naze export writes turtle"));
}
