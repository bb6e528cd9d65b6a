//! The dashboard's JSON as the lines of a screen.

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::screen::{Line, Look};
use crate::clock::Timestamp;
use crate::report::figure;

/// Lines besides those of lists: head, principles, foot, and what is left free between.
const FIXED: usize = 15;
const LABEL: usize = 6;

/// What `/v1/dashboard` answered.
pub(super) struct Board<'a> {
    json: &'a Json,
    at: Option<Timestamp>,
}

impl<'a> Board<'a> {
    pub(super) fn of(json: &'a Json) -> Self {
        Self { json, at: time(&json["health"]["at"]) }
    }

    /// At most `height` lines.
    pub(super) fn lines(&self, height: usize) -> Vec<Line> {
        let room = height.saturating_sub(FIXED).max(3);
        let (todo, changed) = ((room / 4).max(1), (room / 4).max(1));
        let mut lines = self.head();
        lines.push(Line::default());
        lines.extend(items(&self.json["health"]["principles"]).iter().map(|status| self.principle(status)));
        for (label, list, max) in
            [("open", self.open(), room - todo - changed), ("do", self.todo(), todo), ("new", self.changes(), changed)]
        {
            lines.push(Line::default());
            lines.extend(labelled(label, list, max));
        }
        lines.push(Line::default());
        lines.push(self.foot());
        lines.truncate(height);
        lines
    }

    fn head(&self) -> Vec<Line> {
        let health = &self.json["health"];
        let status = text(&health["status"]);
        let score = health["overall"].as_f64().map_or("no score".to_owned(), |score| {
            let coverage = &health["coverage"];
            format!(
                "score {} ({}), {} of {} pillars",
                figure(score),
                text(&health["band"]),
                coverage["scored"],
                coverage["of"]
            )
        });
        let at = text(&health["at"]).split('.').next().unwrap_or_default().trim_end_matches('Z');
        let title = Line::default()
            .column(Look::of(status), &status.to_uppercase(), 10)
            .and(Look::Plain, &score)
            .and(Look::Soft, &format!("  as of {at}Z"));
        let decision = &health["decision"];
        let first = match text(&decision["finding"]) {
            "healthy" | "unknown" => text(&decision["action"]).to_owned(),
            finding => format!("{finding}: {}", text(&decision["action"])),
        };
        let row = |label: &str, look, told: &str| Line::default().column(Look::Soft, label, LABEL).and(look, told);
        vec![title, row("why", Look::Plain, text(&health["reason"])), row("first", Look::Strong, &first)]
    }

    fn principle(&self, status: &Json) -> Line {
        let colour = text(&status["colour"]);
        let unit = text(&status["unit"]);
        let value = status["value"].as_f64().map_or("no data".to_owned(), |value| with_unit(value, unit));
        let limit = if matches!(colour, "yellow" | "green") { "yellow" } else { "red" };
        let limit = if colour == "grey" {
            String::new()
        } else {
            format!("{limit} {}", condition(text(&status["thresholds"][limit]), unit))
        };
        let heading = |name: &str| match text(&status["outlook"][name]["direction"]) {
            "" | "not_enough_data" => "?".to_owned(),
            direction => direction.to_owned(),
        };
        let outlook = if status["outlook"].is_null() {
            String::new()
        } else {
            format!("1h {}, 24h {}", heading("hour"), heading("day"))
        };
        Line::default()
            .column(Look::Strong, text(&status["principle"]), 9)
            .column(Look::of(colour), colour, 6)
            .column(Look::Plain, &value, 10)
            .column(Look::Soft, &limit, 15)
            .column(Look::Plain, &self.since(&status["since"]), 11)
            .and(Look::Soft, &outlook)
    }

    /// Components and checks that are unwell, the worst first; their reasons name alerts and incidents.
    fn open(&self) -> Vec<Line> {
        let health = &self.json["health"];
        let components = items(&health["components"]).iter().map(|component| (&component["component"], component));
        let checks = items(&health["checks"]).iter().map(|check| (&check["name"], check));
        let all: Vec<_> = components.chain(checks).collect();
        let unwell = ["unhealthy", "degraded"]
            .into_iter()
            .flat_map(|state| all.iter().filter(move |(_, one)| text(&one["state"]) == state));
        let line = |(name, one): &(&Json, &Json)| {
            let state = text(&one["state"]);
            Line::default()
                .column(Look::of(state), state, 9)
                .column(Look::Strong, text(name), 16)
                .column(Look::Plain, &self.since(&one["since"]), 11)
                .and(Look::Plain, text(&one["reason"]))
        };
        unwell.map(line).collect()
    }

    fn todo(&self) -> Vec<Line> {
        let advised = items(&self.json["recommendations"]["recommendations"]).iter();
        let line = |advised: &Json| {
            let told = [text(&advised["title"]), text(&advised["action"])].join(" - ");
            let component = advised["component"].as_str().map_or(String::new(), |name| format!(" ({name})"));
            let priority = text(&advised["priority"]);
            Line::of(Look::of(priority), &format!("[{priority}]")).and(Look::Plain, &format!(" {told}{component}"))
        };
        advised.map(line).collect()
    }

    fn changes(&self) -> Vec<Line> {
        let changes = items(&self.json["changes"]["items"]).iter();
        let line = |change: &Json| {
            let words = ["subject", "status", "summary"].map(|name| text(&change[name]));
            let told = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            Line::default()
                .column(Look::Plain, text(&change["kind"]), 10)
                .column(Look::Strong, text(&change["component"]), 16)
                .column(Look::Plain, &self.since(&change["time"]), 11)
                .and(Look::Plain, &told)
        };
        changes.map(line).collect()
    }

    fn foot(&self) -> Line {
        let slos = &self.json["slos"]["overall"];
        let count = |name: &str| slos[name].as_array().map_or(0, Vec::len);
        let promises = format!("{} kept, {} missed, {} unknown", count("met"), count("missed"), count("unknown"));
        let fresh = &self.json["freshness"];
        let age =
            |name: &str| time(&fresh[name]).zip(self.at).map_or("none".to_owned(), |(at, now)| ago(now.since(at)));
        let silent = items(&fresh["silent"]).len();
        Line::default().column(Look::Soft, "slos", LABEL).and(Look::Plain, &promises).and(
            if silent > 0 { Look::Watch } else { Look::Soft },
            &format!("   last receipt {}, sample {}, {silent} silent", age("lastReceiptAt"), age("lastSampleAt")),
        )
    }

    /// `11:30 30m` or, of another day, `03-09 2d`.
    fn since(&self, since: &Json) -> String {
        let Some((since, now)) = time(since).zip(self.at) else { return String::new() };
        let span = now.since(since);
        let form = if span < TimeDelta::hours(24) { "%H:%M" } else { "%m-%d" };
        format!("{} {}", since.utc().format(form), short(span))
    }
}

/// The first lines of a list, with its label before and how many are left out after.
fn labelled(label: &str, list: Vec<Line>, max: usize) -> Vec<Line> {
    let (all, max) = (list.len(), max.max(1));
    let label = |place: usize| Line::default().column(Look::Soft, if place == 0 { label } else { "" }, LABEL);
    if all == 0 {
        return vec![label(0).and(Look::Soft, "nothing")];
    }
    // Of a short list the last line is worth more than the number of those left out.
    let is_counted = all > max && max > 2;
    let shown = if is_counted { max - 1 } else { max.min(all) };
    let mut lines: Vec<Line> =
        list.into_iter().take(shown).enumerate().map(|(place, line)| label(place).then(line)).collect();
    if is_counted {
        lines.push(label(shown).and(Look::Soft, &format!("{} more", all - shown)));
    }
    lines
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{} %", figure(value * 100.0)),
        "s" => format!("{} s", figure(value)),
        _ => figure(value),
    }
}

/// `> 0.3` in the unit that people read.
fn condition(condition: &str, unit: &str) -> String {
    let parts = condition.split_once(' ').and_then(|(sign, bound)| Some((sign, bound.parse().ok()?)));
    parts.map_or(condition.to_owned(), |(sign, bound)| format!("{sign} {}", with_unit(bound, unit)))
}

/// `30m`, `2h`, `3d`.
fn short(span: TimeDelta) -> String {
    match span.num_seconds().max(0) {
        seconds @ ..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn ago(span: TimeDelta) -> String {
    format!("{} ago", short(span))
}

fn time(json: &Json) -> Option<Timestamp> {
    json.as_str()?.parse().ok()
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}
