//! `OpenSLO` files, and the YAML they are written in.

use std::fmt::Write as _;
use std::fs;

use naze::error::Kind;
use naze::receive::openslo;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{crate_path, files, has_extension, payloads};

/// What was read, with every fault as a line.
fn told(body: &[u8]) -> Json {
    match openslo(body) {
        Err(error) => json!({"error": error.message(), "hints": error.hints()}),
        Ok(definitions) => {
            let refused = definitions.refused.iter().map(|fault| format!("{} => {}", fault.message, fault.fix));
            json!({"slos": definitions.slos, "refused": refused.collect::<Vec<_>>(), "ignored": definitions.ignored})
        }
    }
}

#[test]
fn files_give_the_expected_definitions() {
    let folder = crate_path("tests/receive/openslo");
    let mut compared = 0;
    for path in files(&folder).into_iter().filter(|path| has_extension(path, "yaml")) {
        let expected = fs::read(path.with_extension("expected.json")).unwrap();
        let expected: Json = serde_json::from_slice(&expected).unwrap();
        let told = told(&fs::read(&path).unwrap());
        assert_eq!(told, expected, "{} gives\n{told:#}", path.display());
        compared += 1;
    }
    assert_eq!(compared, 2);
}

#[test]
fn published_files_are_read_or_refused_with_the_field() {
    let Some(folder) = payloads("openslo") else { return };
    let mut all = String::new();
    let is_yaml = |path: &std::path::PathBuf| has_extension(path, "yaml") || has_extension(path, "yml");
    for path in files(&folder).into_iter().filter(is_yaml) {
        let told = told(&fs::read(&path).unwrap());
        writeln!(all, "{}\n{told:#}", path.strip_prefix(&folder).unwrap().display()).unwrap();
    }
    insta::with_settings!({snapshot_path => "../../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("payloads of openslo", all);
    });
}

#[test]
fn what_is_wrong_with_the_yaml_is_told_with_its_place() {
    let refuse = |text: &str| {
        let error = openslo(text.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.hints().len()), (Kind::Invalid, 1), "{error}");
        error.message().to_owned()
    };
    assert_eq!(refuse("# nothing\n"), "the body holds no OpenSLO object");
    assert_eq!(refuse("  "), "the body is empty");
    assert_eq!(refuse("a: [1, 2\nb: 3"), "the body is not YAML: illegal placement of ':' indicator at line 2 column 2");
    assert_eq!(refuse("a: 1\nb: 2\na: 3"), "\"a\" is there twice at line 3 column 1");
    assert_eq!(refuse("? [a, b]\n: c"), "a list or mapping is used as a name at line 1 column 3");
    assert_eq!(
        refuse(&format!("{}1", "- ".repeat(100_000))),
        "the YAML is nested deeper than 64 levels at line 1 column 129"
    );
    assert_eq!(refuse(&"[".repeat(100)), "the YAML is nested deeper than 64 levels at line 1 column 65");
    assert_eq!(refuse(&"[".repeat(100_000)), "the body is not YAML: recursion limit exceeded at line 1 column 256");
    let bomb = (1..30).fold("- &a0 [lol, lol]\n".to_owned(), |bomb, level| {
        let before = level - 1;
        format!("{bomb}- &a{level} [*a{before}, *a{before}]\n")
    });
    assert!(
        refuse(&bomb).starts_with("the YAML is larger than 67108864 bytes when its aliases are written out"),
        "{bomb}"
    );
    let long = format!("- &a {}\n{}", "x".repeat(1 << 20), "- *a\n".repeat(100));
    assert!(refuse(&long).starts_with("the YAML is larger than 67108864 bytes"));
    assert_eq!(refuse(&"- {}\n".repeat(10_001)), "the body holds more than 10000 OpenSLO objects");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in bytes_like_files()) {
        drop(openslo(&bytes));
    }
}

fn bytes_like_files() -> impl Strategy<Value = Vec<u8>> {
    let folder = crate_path("tests/receive/openslo");
    let documents: Vec<Vec<u8>> = files(&folder)
        .into_iter()
        .filter(|path| has_extension(path, "yaml"))
        .map(|path| fs::read(path).unwrap())
        .collect();
    let noise = prop::collection::vec(
        prop_oneof![any::<u8>(), prop::sample::select(b"&*!|>-?:,[]{}#%@\"' \n\t".to_vec())],
        0..6,
    );
    let mutated = (prop::sample::select(documents), any::<prop::sample::Index>(), noise.clone(), 0_usize..6).prop_map(
        |(mut body, place, noise, cut)| {
            let start = place.index(body.len());
            body.splice(start..(start + cut).min(body.len()), noise);
            body
        },
    );
    let soup = prop::collection::vec(prop::sample::select(b"&*!|>-?:,[]{}#%@\"' \n\tab01".to_vec()), 0..60);
    prop_oneof![mutated, soup, prop::collection::vec(any::<u8>(), 0..100)]
}
