use std::process::ExitCode;

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use super::client::{Ask, Client, pairs};
use super::output::{characters, is_coloured, print, print_rows, width};
use super::{Format, Global};
use crate::analyse::trend::WINDOWS;
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Result};
use crate::report::sparkline::{Mark, Sparkline};

/// Series that are drawn; more are only in the table.
const DRAWN_MAX: usize = 8;
/// A column is no shorter.
const STEP_MIN_SECONDS: i64 = 60;
/// Events that are marked.
const EVENTS_MAX: &str = "200";

/// Tell where a metric is heading
#[derive(Debug, clap::Args)]
pub(super) struct Trend {
    /// Metric to look at
    metric: String,
    /// component=, label.NAME=, at=, stat=, polarity=lower|higher, threshold=, horizon= and source=naze|prometheus
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Window to draw: 1h, 24h, 7d or 30d
    #[arg(long, default_value = "24h")]
    window: String,
}

impl Trend {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let parameters = pairs(&self.parameters, "polarity=lower")?;
        if !WINDOWS.iter().any(|(name, _)| *name == self.window) {
            return Err(Error::invalid(format!("--window {} is unknown", self.window)).hint("say 1h, 24h, 7d or 30d"));
        }
        let client = global.client()?;
        let answer = client.send(Ask::get(&format!("/v1/trends/{}", self.metric), parameters.clone())).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = answer.json()?;
        let trends: Vec<Json> = answer["trends"].as_array().cloned().unwrap_or_default();
        if global.format == Format::Table {
            self.draw(&client, &parameters, &trends).await?;
        }
        let columns = [
            "component",
            "labels",
            "window",
            "verdict",
            "stalled since",
            "current",
            "mean",
            "p99",
            "slope/day",
            "change points",
            "previous",
            "a year ago",
        ];
        let rows: Vec<Json> = trends.iter().flat_map(rows).collect();
        print_rows(&columns.map(str::to_owned), &rows)?;
        Ok(ExitCode::SUCCESS)
    }

    /// A line for each series, what happened below it, and the verdict on it.
    async fn draw(&self, client: &Client, parameters: &[(&str, &str)], trends: &[Json]) -> Result<()> {
        let window_of = |series: &Json| {
            let windows = series["trend"]["windows"].as_array().cloned().unwrap_or_default();
            windows.into_iter().find(|window| window["window"] == *self.window)
        };
        for series in trends.iter().take(DRAWN_MAX) {
            let Some(window) = window_of(series) else { continue };
            let Some((sparkline, step)) = canvas(series, &window) else { continue };
            let (from, to) = (window["from"].as_str().unwrap_or_default(), window["to"].as_str().unwrap_or_default());
            let component = series["component"].as_str().unwrap_or_default();
            let labels: Vec<(String, &str)> = labels_of(series);
            let own = labels.iter().map(|(name, value)| (name.as_str(), *value));
            let asked = parameters.iter().copied().filter(|(name, _)| matches!(*name, "stat" | "source"));
            let asked = asked.chain(own).chain([("component", component), ("from", from), ("to", to), ("step", &step)]);
            let line = client.send(Ask::get(&format!("/v1/series/{}", self.metric), asked)).await?.json()?;
            let is_same = |line: &&Json| line["labels"] == series["labels"];
            let points = line["series"].as_array().and_then(|all| all.iter().find(is_same)).map(points);
            let marks = events(client, component, from, to).await?.into_iter().chain(changes(&window));
            let marks: Vec<_> = marks.collect();
            print(&drawn(&self.metric, series, &window, &sparkline, &points.unwrap_or_default(), &marks))?;
        }
        Ok(())
    }
}

/// One series as text.
fn drawn(
    metric: &str,
    series: &Json,
    window: &Json,
    sparkline: &Sparkline,
    points: &[(Timestamp, f64)],
    marks: &[(Timestamp, Mark)],
) -> String {
    let (verdict, summary) = (&window["verdict"], &window["summary"]);
    let component = series["component"].as_str().unwrap_or_default();
    let name = window["window"].as_str().unwrap_or_default();
    let line = match sparkline.line(points) {
        line if line.is_empty() => "(no values)".to_owned(),
        line => coloured(&line, verdict["direction"].as_str().unwrap_or_default()),
    };
    let mut lines = vec![format!("{metric} of {component}, the last {name}"), line, sparkline.marks(marks)];
    if summary["min"].is_number() {
        lines.push(format!("from {} to {}", rounded(&summary["min"]), rounded(&summary["max"])));
    }
    if let Some(since) = series["stalledSince"].as_str() {
        lines.push(format!("stalled: no value since {since}"));
    }
    lines.push(verdict["statement"].as_str().unwrap_or_default().to_owned());
    lines.retain(|line| !line.is_empty());
    lines.push(String::new());
    lines.join("\n")
}

/// Red when it degrades, green when it improves.
fn coloured(line: &str, direction: &str) -> String {
    let code = match direction {
        "degrading" => 31,
        "improving" => 32,
        _ => return line.to_owned(),
    };
    if is_coloured() { format!("\u{1b}[{code}m{line}\u{1b}[0m") } else { line.to_owned() }
}

/// What a window of a series is drawn on, and the length of a column: no column is shorter than the series' points are
/// apart, so that an empty one is a gap.
fn canvas(series: &Json, window: &Json) -> Option<(Sparkline, String)> {
    let time = |name: &str| window[name].as_str()?.parse::<Timestamp>().ok();
    let (from, to) = (time("from")?, time("to")?);
    let seconds = to.since(from).num_seconds();
    #[expect(clippy::cast_possible_truncation, reason = "an interval is seconds to days")]
    let interval = series["trend"]["question"]["interval"].as_f64().unwrap_or_default().ceil() as i64;
    let widest = i64::try_from(width()).ok()?;
    let step = ((seconds + widest - 1) / widest).max(interval).max(STEP_MIN_SECONDS);
    let columns = (seconds + step - 1) / step;
    let to = from.checked_add(TimeDelta::seconds(step * columns))?;
    let sparkline = Sparkline { from, to, width: usize::try_from(columns).ok()?, characters: characters() };
    Some((sparkline, format!("{step}s")))
}

fn labels_of(series: &Json) -> Vec<(String, &str)> {
    let labels = series["labels"].as_object().into_iter().flatten();
    labels.filter_map(|(name, value)| Some((format!("label.{name}"), value.as_str()?))).collect()
}

fn points(line: &Json) -> Vec<(Timestamp, f64)> {
    let points = line["points"].as_array().into_iter().flatten();
    points.filter_map(|point| Some((point[0].as_str()?.parse().ok()?, point[1].as_f64()?))).collect()
}

fn changes(window: &Json) -> Vec<(Timestamp, Mark)> {
    let found = window["changePoints"].as_array().into_iter().flatten();
    found.filter_map(|change| Some((change["time"].as_str()?.parse().ok()?, Mark::Change))).collect()
}

/// Deployments, changes and alerts of a component.
async fn events(client: &Client, component: &str, from: &str, to: &str) -> Result<Vec<(Timestamp, Mark)>> {
    let lookback = match (from.parse::<Timestamp>(), to.parse::<Timestamp>()) {
        (Ok(from), Ok(to)) => format!("{}s", to.since(from).num_seconds()),
        _ => return Ok(Vec::new()),
    };
    let about = [("component", component), ("limit", EVENTS_MAX)];
    let changed = [("at", to), ("lookback", &*lookback)];
    let alerted = [("from", from), ("to", to)];
    let mut events = Vec::new();
    for (query, window, time) in [("changes_before", changed, "time"), ("alert_timeline", alerted, "fired")] {
        let asked = Ask::get(&format!("/v1/queries/{query}"), window.into_iter().chain(about));
        let answer = match client.send(asked).await {
            Ok(answer) => answer.json()?,
            // A component that no receipt names has no events.
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Invalid) => continue,
            Err(error) => return Err(error),
        };
        let rows = answer["rows"].as_array().cloned().unwrap_or_default();
        events.extend(rows.iter().filter_map(|row| Some((row[time].as_str()?.parse().ok()?, Mark::Event))));
    }
    Ok(events)
}

/// A row for each window of a series.
fn rows(series: &Json) -> Vec<Json> {
    let windows = series["trend"]["windows"].as_array().cloned().unwrap_or_default();
    let row = |window: &Json| {
        json!({
            "component": series["component"],
            "labels": series["labels"],
            "window": window["window"],
            "verdict": window["verdict"]["direction"].as_str().map(|direction| direction.replace('_', " ")),
            "stalled since": series["stalledSince"],
            "current": rounded(&window["summary"]["current"]),
            "mean": rounded(&window["summary"]["mean"]),
            "p99": rounded(&window["summary"]["p99"]),
            "slope/day": rounded(&window["slope"]["perDay"]),
            "change points": window["changePoints"].as_array().map_or(0, Vec::len),
            "previous": change(&window["comparison"]["previous"]),
            "a year ago": change(&window["comparison"]["yearAgo"]),
        })
    };
    windows.iter().map(row).collect()
}

/// By how much the mean differs from an earlier one.
fn change(comparison: &Json) -> Json {
    comparison["changePercent"].as_f64().map_or(Json::Null, |percent| json!(format!("{percent:+.1} %")))
}

/// Four digits are what a person reads.
fn rounded(number: &Json) -> Json {
    let short = |number: f64| format!("{number:.3e}").parse::<f64>().unwrap_or(number);
    number.as_f64().map_or(Json::Null, |number| json!(short(number)))
}
