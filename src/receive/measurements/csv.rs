//! Measurements in CSV: a header, then a measurement a line. `metric` and `value` must be there; `time`, `component`, `unit`,
//! `kind` and `count` may be; every other column is a label.

use super::{Measurement, Taken};
use crate::error::{Error, Result};
use crate::measure::Kind;
use crate::receive::body;

const FIX: &str = "begin with a header such as time,component,metric,value,unit";

pub(super) fn read(text: &str, taken: &mut Taken<'_>) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let broken = |error: &csv::Error| Error::invalid(format!("the body is not CSV: {error}")).hint(FIX);
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    for needed in ["metric", "value"] {
        if !header.iter().any(|column| column == needed) {
            return Err(Error::invalid(format!("the header has no column {needed}")).hint(FIX));
        }
    }
    for record in reader.records() {
        let record = record.map_err(|error| broken(&error))?;
        let line = record.position().map(csv::Position::line).unwrap_or_default();
        let cells = header.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        match measurement(cells) {
            Ok(measurement) => taken.take(measurement)?,
            Err((column, cell, message)) => {
                taken.refuse(&format!("line {line}"), &format!(".{column}"), cell, message, FIX);
            }
        }
    }
    Ok(())
}

fn measurement<'a>(
    cells: impl Iterator<Item = (&'a str, &'a str)>,
) -> std::result::Result<Measurement, (&'a str, &'a str, &'static str)> {
    let mut told = Measurement { value: f64::NAN, ..Measurement::default() };
    for (column, cell) in cells {
        let wrong = |message| (column, cell, message);
        match column {
            "metric" => cell.clone_into(&mut told.metric),
            "component" => told.component = Some(cell.to_owned()),
            "unit" => told.unit = Some(cell.to_owned()),
            "value" => {
                let value = cell.trim().parse().ok().filter(|value: &f64| value.is_finite());
                told.value = value.ok_or_else(|| wrong("value must be a number"))?;
            }
            "count" => told.count = Some(cell.parse().map_err(|_| wrong("count must be 1 or more"))?),
            "time" | "occurredAt" => {
                let time = body::time(cell);
                told.at = Some(time.ok_or_else(|| wrong("it must be a time, such as 2026-01-26T18:40:00Z"))?);
            }
            "kind" => {
                let kind = Kind::named(cell);
                told.kind = Some(kind.ok_or_else(|| wrong("kind must be gauge, counter, delta or distribution"))?);
            }
            label => drop(told.labels.insert(label.to_owned(), cell.to_owned())),
        }
    }
    if told.metric.is_empty() {
        return Err(("metric", "", "a measurement needs a metric"));
    }
    if told.value.is_nan() {
        return Err(("value", "", "a measurement needs a value"));
    }
    Ok(told)
}
