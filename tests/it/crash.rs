//! kill -9 under load: what was acknowledged is there, the ledger verifies, a rebuilt index answers the same.

use std::time::{Duration, Instant};

use naze::clock::Clock;
use naze::config::Config;
use naze::engine::{Engine, rebuild};
use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, serve};

/// `NAZE_CRASHES=50` is what a release is checked with.
fn crashes() -> usize {
    std::env::var("NAZE_CRASHES").ok().and_then(|count| count.parse().ok()).unwrap_or(3)
}

fn batch(round: usize, number: usize) -> Json {
    (0..20)
        .map(|n| {
            json!({"kind": "failure", "occurredAt": format!("2026-03-{:02}T10:00:00Z", 1 + n), "component": format!("c{round}"),
                "failureType": "Crash", "message": format!("{round}/{number}/{n}")})
        })
        .collect()
}

#[test]
fn no_acknowledged_receipt_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = &folder.path().join("naze");
    let http = reqwest::blocking::Client::new();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..crashes() {
        let (mut naze, url) = serve(folder.path(), LOOPBACK);
        let kill_at = Instant::now() + Duration::from_millis(100 + 37 * (round as u64 % 11));
        for number in 0.. {
            if Instant::now() >= kill_at {
                break;
            }
            let body = batch(round, number).to_string();
            let sent = http
                .post(format!("{url}/v1/receipts"))
                .header("content-type", "application/json")
                .body(body)
                .send()
                .unwrap();
            let answer: Json = serde_json::from_slice(&sent.bytes().unwrap()).unwrap();
            assert_eq!(answer["recorded"], 20, "{answer}");
            acknowledged.extend(
                answer["receipts"].as_array().unwrap().iter().map(|receipt| receipt["id"].as_str().unwrap().to_owned()),
            );
        }
        // One more is under way when the kill comes.
        let last = batch(round, 1_000_000).to_string();
        let (client, to) = (http.clone(), format!("{url}/v1/receipts"));
        let under_way = std::thread::spawn(move || {
            drop(client.post(to).header("content-type", "application/json").body(last).send());
        });
        naze.kill();
        under_way.join().unwrap();
    }
    assert!(acknowledged.len() >= 20 * crashes(), "{} receipts", acknowledged.len());

    let answers = |engine: &Engine| {
        let given = [("from", "2026-03-01T00:00:00Z".to_owned()), ("to", "2026-04-01T00:00:00Z".to_owned())];
        engine.query("failure_types", given).unwrap().rows
    };
    let engine = Engine::open(Config::with_data(data), Clock::System).unwrap();
    for id in &acknowledged {
        let recorded = engine.receipt(id.parse().unwrap()).unwrap_or_else(|error| panic!("{id} is lost: {error}"));
        assert_eq!(recorded.id.to_string(), *id);
    }
    let verified = engine.verify(None, |_| ()).unwrap();
    assert!(verified.entries >= acknowledged.len() as u64);
    let before = answers(&engine);
    assert_eq!(before.rows.len(), crashes());
    drop(engine);
    assert_eq!(rebuild(Config::with_data(data)).unwrap(), verified.entries);
    let engine = Engine::open(Config::with_data(data), Clock::System).unwrap();
    assert_eq!(answers(&engine), before);
    println!("{} crashes, {} receipts acknowledged, {} in the ledger", crashes(), acknowledged.len(), verified.entries);
}
