//! Bodies of remote write, version 1.

use prost::Message;

/// What a Prometheus posts.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) timeseries: Vec<TimeSeries>,
}

/// Samples of one series.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) samples: Vec<Sample>,
}

/// A name and a value.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// A value at a millisecond.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Sample {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(int64, tag = "2")]
    pub(crate) timestamp: i64,
}

pub(crate) fn label(name: &str, value: String) -> Label {
    Label { name: name.to_owned(), value }
}

/// Posts series to `url`, which has to take them.
pub(crate) fn post(http: &reqwest::blocking::Client, url: &str, timeseries: Vec<TimeSeries>) {
    let message = WriteRequest { timeseries }.encode_to_vec();
    let request = http
        .post(url)
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy")
        .header("x-prometheus-remote-write-version", "0.1.0")
        .body(snap::raw::Encoder::new().compress_vec(&message).unwrap());
    let answer = request.send().unwrap();
    assert_eq!(answer.status(), 204, "{}", answer.text().unwrap());
}
