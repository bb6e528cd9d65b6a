//! Remote write: what Prometheus sent against what it says it sent, and version 2 as its specification has it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use naze::measure::Kind;
use naze::receive::Received;
use prost::Message;
use serde_json::Value as Json;

use crate::common::{Naze, Reply};
use crate::receive::{files, payloads};
use crate::sources::{headers, read, receiver};

const VERSION_1: &str = "application/x-protobuf";
const VERSION_2: &str = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

fn received(media_type: &str, body: &[u8]) -> Received {
    let headers = headers(&[("content-type", media_type), ("content-encoding", "snappy")]);
    read(receiver("remote_write"), "/api/v1/write", &headers, body).unwrap()
}

/// Every sample by its labels, the name among them.
type Told = BTreeMap<(BTreeMap<String, String>, i64), u64>;

fn told(received: &Received) -> Told {
    let mut told = Told::new();
    for samples in &received.samples {
        let mut labels = samples.series.labels.clone();
        labels.insert("__name__".to_owned(), samples.series.metric.clone());
        for point in &samples.points {
            told.insert((labels.clone(), point.at.micros() / 1_000), point.value.to_bits());
        }
    }
    told
}

#[test]
fn what_prometheus_sent_is_read_sample_for_sample() {
    let Some(folder) = payloads("prometheus-remote-write/v1") else { return };
    let mut samples = 0;
    for path in
        files(&folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "snappy"))
    {
        let decoded = path.with_extension("decoded.json");
        let decoded: Json = serde_json::from_slice(&std::fs::read(decoded).unwrap()).unwrap();
        let mut expected = Told::new();
        for series in decoded["timeseries"].as_array().unwrap() {
            let labels: BTreeMap<String, String> = serde_json::from_value(series["labels"].clone()).unwrap();
            for sample in series["samples"].as_array().unwrap() {
                if let Some(value) = sample["value"].as_f64() {
                    expected.insert((labels.clone(), sample["timestamp_ms"].as_i64().unwrap()), value.to_bits());
                }
            }
        }
        let received = received(VERSION_1, &std::fs::read(&path).unwrap());
        assert_eq!(told(&received), expected, "{}", path.display());
        assert_eq!(received.ignored, usize::from(expected.is_empty()));
        samples += expected.len();
        for samples in &received.samples {
            let counts =
                ["_total", "_bucket", "_count", "_sum"].iter().any(|ending| samples.series.metric.ends_with(ending));
            assert_eq!(samples.series.kind == Kind::Counter, counts, "{}", samples.series.metric);
        }
    }
    assert!(samples > 50, "{samples} samples");
}

#[derive(Clone, PartialEq, Message)]
struct Request2 {
    #[prost(string, repeated, tag = "4")]
    symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    timeseries: Vec<Series2>,
}

#[derive(Clone, PartialEq, Message)]
struct Series2 {
    #[prost(uint32, repeated, tag = "1")]
    labels_refs: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample2>,
    #[prost(message, optional, tag = "5")]
    metadata: Option<Metadata2>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample2 {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Metadata2 {
    #[prost(int32, tag = "1")]
    r#type: i32,
    #[prost(uint32, tag = "4")]
    unit_ref: u32,
}

fn request_2(labels_refs: Vec<u32>) -> Vec<u8> {
    let symbols = ["", "__name__", "orders", "service", "cart", "items"].map(str::to_owned).to_vec();
    let samples = [(1.5, 1_773_143_400_000), (f64::from_bits(0x7ff0_0000_0000_0002), 1_773_143_460_000)];
    let samples = samples.map(|(value, timestamp)| Sample2 { value, timestamp }).to_vec();
    let metadata = Some(Metadata2 { r#type: 1, unit_ref: 5 });
    let message = Request2 { symbols, timeseries: vec![Series2 { labels_refs, samples, metadata }] }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&message).unwrap()
}

fn post(naze: &Naze, media_type: &str, encoding: &str, body: Vec<u8>) -> Reply {
    let request =
        Request::post("/api/v1/write").header("content-type", media_type).header("content-encoding", encoding);
    naze.send(request.body(Body::from(body)).unwrap())
}

#[test]
fn version_2_tells_kind_and_unit_and_hears_how_many_were_written() {
    let naze = Naze::in_memory();
    let reply = post(&naze, VERSION_2, "snappy", request_2(vec![1, 2, 3, 4]));
    assert_eq!(reply.status, 204, "{}", reply.text());
    assert_eq!(reply.headers["x-prometheus-remote-write-samples-written"], "1");
    assert_eq!(reply.headers["x-prometheus-remote-write-histograms-written"], "0");
    assert_eq!(reply.headers["x-prometheus-remote-write-exemplars-written"], "0");
    let series = naze.get("/v1/series").json()["series"][0].clone();
    assert_eq!(
        series,
        serde_json::json!({"metric": "orders", "component": "cart", "kind": "counter", "unit": "items", "labels": {"service": "cart"}, "stalledSince": null})
    );
}

#[test]
fn what_is_no_remote_write_is_refused_in_its_words() {
    let naze = Naze::in_memory();
    let status =
        |media_type: &str, encoding: &str, body: Vec<u8>| post(&naze, media_type, encoding, body).status.as_u16();
    assert_eq!(status("application/json", "snappy", request_2(vec![1, 2])), 415);
    assert_eq!(status("application/x-protobuf;proto=other.Message", "snappy", request_2(vec![1, 2])), 415);
    assert_eq!(status(VERSION_1, "lzma", request_2(vec![1, 2])), 415);
    assert_eq!(status(VERSION_1, "snappy", b"no snappy".to_vec()), 400);
    let no_message = snap::raw::Encoder::new().compress_vec(&[0xff; 40]).unwrap();
    assert_eq!(status(VERSION_1, "snappy", no_message), 400);
    let bomb = vec![0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
    assert_eq!(status(VERSION_1, "snappy", bomb), 400, "a length of 4 GiB is not believed");
    assert_eq!(status(VERSION_2, "snappy", request_2(vec![1, 99])), 400);
    let nameless = post(&naze, VERSION_2, "snappy", request_2(vec![3, 4]));
    assert_eq!((nameless.status.as_u16(), nameless.text()), (400, "a series has no name".to_owned()));
    assert_eq!(naze.get("/v1/series").json()["series"], serde_json::json!([]));
}
