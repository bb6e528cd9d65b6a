//! Rules that let Prometheus watch an objective: recorded error ratios and budgets, and alerts on their burn rates.
//!
//! Recorded names are those of Sloth (`slo:sli_error:ratio_rate5m` …), with the labels `slo` and `service`. Ratios are
//! of events, also over the whole period: a mean of recorded ratios would weigh quiet hours like busy ones.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlEmitter};

use super::burn::{Policy, Rule, Severity};
use crate::analyse::clamped::settled;
use crate::error::{Error, Result};
use crate::slo::Quality;

/// What stands for the window in a query.
pub const WINDOW: &str = "{{.window}}";

/// An objective that Prometheus is to watch.
///
/// Events are counted by the selector of a counter, such as `http_requests_total{code=~"5.."}`, or by a query with
/// [`WINDOW`] in place of the range, such as `sum(rate(http_requests_total[{{.window}}]))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// Name of the objective.
    pub name: String,
    /// The service that makes the promise.
    pub service: String,
    /// Its target, its period, its burn rates.
    pub policy: Policy,
    /// What `events` counts.
    pub quality: Quality,
    /// Good or bad events.
    pub events: String,
    /// All events.
    pub total: String,
    /// Further labels of all its rules.
    pub labels: BTreeMap<String, String>,
    /// Where it can be seen.
    pub dashboard: Option<String>,
    /// Where it says what to do.
    pub runbook: Option<String>,
}

/// The rules of one objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    remarks: Vec<String>,
    yaml: Yaml,
}

/// The text of a rules file.
pub fn rules_file(groups: &[Group]) -> String {
    let remarks = groups.iter().flat_map(|group| &group.remarks).map(|remark| format!("# {remark}\n"));
    let mut text: String = remarks.collect();
    let document = map([("groups", Yaml::Array(groups.iter().map(|group| group.yaml.clone()).collect()))]);
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline_strings(true);
    emitter.dump(&document).expect("writing to a string");
    text.push('\n');
    text
}

/// Labels that the rules set themselves.
const OWN_LABELS: [&str; 4] = ["slo", "service", "severity", "principle"];
/// How long the budget has to be gone.
const EXHAUSTED_FOR: &str = "5m";

impl Watched {
    /// The rules that watch it.
    pub fn rules(&self) -> Result<Group> {
        self.check()?;
        let mut rules = self.recordings();
        rules.extend(self.alerts());
        let group = [("name", text(format!("naze-slo-{}-{}", self.service, self.name))), ("rules", Yaml::Array(rules))];
        let remarks = self.policy.left_out.iter().map(|left_out| {
            let (severity, long) = (severity(left_out.rule.severity), range(left_out.rule.long));
            format!("{}: no {severity} alert over {long}: {}", quoted(&self.name), left_out.reason)
        });
        Ok(Group { remarks: remarks.collect(), yaml: map(group) })
    }

    fn check(&self) -> Result<()> {
        for (field, value) in [("name", &self.name), ("service", &self.service)] {
            check_value(field, value)?;
        }
        for (name, value) in &self.labels {
            check_value(&format!("labels.{name}"), value)?;
            if !can_add(name) {
                let error = Error::invalid(format!("labels.{name} is not a label that can be added"));
                return Err(error.hint("use letters, digits and _, and none of slo, service, severity, principle"));
            }
        }
        for (field, query) in [("events", &self.events), ("total", &self.total)] {
            if query.trim().is_empty() || !query.contains(WINDOW) && !is_selector(query) {
                let error = Error::invalid(format!("{field} is {}, which counts nothing in a window", quoted(query)));
                return Err(error.hint(format!("give the selector of a counter, or a query with [{WINDOW}] as range")));
            }
        }
        if self.policy.events_min > 1 && self.total.contains(WINDOW) {
            let message = format!("total is {}, which may not be a number of events", quoted(&self.total));
            return Err(Error::invalid(message).hint("give the selector of a counter, or wait for one event only"));
        }
        Ok(())
    }

    /// Error ratios of all windows, then the budget.
    fn recordings(&self) -> Vec<Yaml> {
        let (target, budget) = (self.policy.target, self.budget());
        let of_period = self.recorded("slo:sli_error:ratio_rate", self.policy.period);
        let period_burn = format!("{of_period} / {budget}");
        let days = self.policy.period.as_seconds_f64() / 86_400.0;
        let mut rules: Vec<Yaml> = self.windows().into_iter().map(|window| self.error_ratio(window)).collect();
        rules.extend(self.guarded_windows().into_iter().map(|window| {
            self.record(format!("slo:sli_total:increase{}", range(window)), counted(&self.total, window))
        }));
        rules.push(self.record("slo:objective:ratio".into(), format!("vector({target})")));
        rules.push(self.record("slo:error_budget:ratio".into(), format!("vector({budget})")));
        rules.push(self.record("slo:time_period:days".into(), format!("vector({days})")));
        if let Some(shortest) = self.policy.rules.iter().map(|rule| rule.short).min() {
            let current = format!("{} / {budget}", self.recorded("slo:sli_error:ratio_rate", shortest));
            rules.push(self.record("slo:current_burn_rate:ratio".into(), current));
        }
        rules.push(self.record("slo:period_burn_rate:ratio".into(), period_burn.clone()));
        rules.push(self.record("slo:period_error_budget_remaining:ratio".into(), format!("1 - ({period_burn})")));
        rules
    }

    /// Bad events out of all. A counter that never counted is not there: it stands for 0.
    fn error_ratio(&self, window: TimeDelta) -> Yaml {
        let events = counted(&self.events, window);
        let ratio = format!("(({events}) or vector(0)) / ({})", counted(&self.total, window));
        let expression = match self.quality {
            Quality::Bad => ratio,
            Quality::Good => format!("1 - ({ratio})"),
        };
        self.record(format!("slo:sli_error:ratio_rate{}", range(window)), expression)
    }

    fn alerts(&self) -> Vec<Yaml> {
        let mut alerts: Vec<Yaml> =
            [Severity::Page, Severity::Ticket].into_iter().filter_map(|severity| self.burn_alert(severity)).collect();
        let expression = format!("slo:period_error_budget_remaining:ratio{} <= 0", self.matchers());
        let period = range(self.policy.period);
        let annotations = self.annotations(
            "{{ $labels.slo }} of {{ $labels.service }} has no error budget left",
            &format!("{{{{ $value | humanizePercentage }}}} of the error budget of {period} is left."),
            "freeze risky changes until the budget recovers",
        );
        alerts.push(map([
            ("alert", text("KaizenErrorBudgetExhausted")),
            ("expr", text(expression)),
            ("for", text(EXHAUSTED_FOR)),
            ("labels", self.labelled([("severity", "critical"), ("principle", "kaizen")])),
            ("annotations", annotations),
        ]));
        alerts
    }

    /// One alert for all rules of a severity, so that two of them do not tell the same thing twice.
    fn burn_alert(&self, told_as: Severity) -> Option<Yaml> {
        let rules: Vec<&Rule> = self.policy.rules.iter().filter(|rule| rule.severity == told_as).collect();
        let conditions: Vec<String> = rules.iter().map(|rule| format!("({})", self.burns(rule))).collect();
        let windows: Vec<String> =
            rules.iter().map(|rule| format!("above {} over {}", rule.factor, range(rule.long))).collect();
        let description = format!(
            "{{{{ $value | humanizePercentage }}}} of the events of the last minutes were bad; {} may be. \
             The burn rate is {}; 1 would spend the budget in {}.",
            percent(self.budget()),
            windows.join(" or "),
            range(self.policy.period)
        );
        let annotations = self.annotations(
            "{{ $labels.slo }} of {{ $labels.service }} burns its error budget",
            &description,
            match told_as {
                Severity::Page => "page; find what changed and take it back",
                Severity::Ticket => "find what burns the budget before it is gone",
            },
        );
        (!rules.is_empty()).then(|| {
            map([
                ("alert", text("KaizenErrorBudgetBurn")),
                ("expr", text(conditions.join("\nor\n"))),
                ("labels", self.labelled([("severity", severity(told_as)), ("principle", "kaizen")])),
                ("annotations", annotations),
            ])
        })
    }

    /// The condition of one rule.
    fn burns(&self, rule: &Rule) -> String {
        let limit = format!("({} * {})", rule.factor, self.budget());
        let ratio = |window| self.recorded("slo:sli_error:ratio_rate", window);
        let both = format!("{} > {limit}\nand\n{} > {limit}", ratio(rule.short), ratio(rule.long));
        if self.policy.events_min <= 1 {
            return both;
        }
        let total = self.recorded("slo:sli_total:increase", rule.long);
        format!("{both}\nand\n{total} >= {}", self.policy.events_min)
    }

    fn annotations(&self, summary: &str, description: &str, action: &str) -> Yaml {
        let mut annotations =
            vec![("summary", text(summary)), ("description", text(description)), ("action", text(action))];
        annotations.extend(self.dashboard.as_deref().map(|url| ("dashboard", text(literal(url)))));
        annotations.extend(self.runbook.as_deref().map(|url| ("runbook_url", text(literal(url)))));
        map(annotations)
    }

    fn record(&self, name: String, expression: String) -> Yaml {
        map([("record", text(name)), ("expr", text(expression)), ("labels", self.labelled([]))])
    }

    fn labelled<const N: usize>(&self, more: [(&str, &str); N]) -> Yaml {
        let own = [("service", self.service.as_str()), ("slo", self.name.as_str())];
        let added = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        map(own.into_iter().chain(more).chain(added).map(|(name, value)| (name, text(value))))
    }

    fn recorded(&self, name: &str, window: TimeDelta) -> String {
        format!("{name}{}{}", range(window), self.matchers())
    }

    fn matchers(&self) -> String {
        format!("{{service={},slo={}}}", quoted(&self.service), quoted(&self.name))
    }

    fn budget(&self) -> f64 {
        settled(1.0 - self.policy.target)
    }

    /// All windows, shortest first, with the period.
    fn windows(&self) -> BTreeSet<TimeDelta> {
        let windows = self.policy.rules.iter().flat_map(|rule| [rule.short, rule.long]);
        windows.chain([self.policy.period]).collect()
    }

    /// Windows whose events are counted, because the rules wait for some.
    fn guarded_windows(&self) -> BTreeSet<TimeDelta> {
        let rules = self.policy.rules.iter().filter(|_| self.policy.events_min > 1);
        rules.map(|rule| rule.long).collect()
    }
}

/// Can rules have this label?
pub(super) fn can_add(label: &str) -> bool {
    is_name(label) && !label.contains(':') && !label.starts_with("__") && !OWN_LABELS.contains(&label)
}

/// Is it a name that needs no quotes?
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    !name.is_empty() && is_plain && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Is it the name of a metric, with or without matchers?
fn is_selector(query: &str) -> bool {
    let query = query.trim();
    let name_end = query.find('{').unwrap_or(query.len());
    let (name, matchers) = query.split_at(name_end);
    let is_name = name.trim_end().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let has_sense = !name.is_empty() || matchers.len() > 2;
    is_name && has_sense && (matchers.is_empty() || matchers.ends_with('}'))
}

fn counted(query: &str, window: TimeDelta) -> String {
    let query = query.trim();
    let window = range(window);
    if query.contains(WINDOW) { query.replace(WINDOW, &window) } else { format!("sum(increase({query}[{window}]))") }
}

/// A label value that Prometheus does not take for a template.
fn check_value(field: &str, value: &str) -> Result<()> {
    if value.is_empty() || value.contains("{{") {
        let error = Error::invalid(format!("{field} is {}, which is no label of a rule", quoted(value)));
        return Err(error.hint("give a text without {{, which Prometheus reads as a template"));
    }
    Ok(())
}

/// `text` in quotes, as both JSON and Prometheus write it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Text of a template that stands for itself.
fn literal(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "critical",
        Severity::Ticket => "warning",
    }
}

fn percent(ratio: f64) -> String {
    format!("{} %", settled(ratio * 100.0))
}

/// A range as Prometheus writes it, in the largest unit that fits.
fn range(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let fitting = units.into_iter().find(|(length, _)| seconds % length == 0);
    fitting.map_or_else(|| format!("{seconds}s"), |(length, unit)| format!("{}{unit}", seconds / length))
}

fn text(text: impl Into<String>) -> Yaml {
    Yaml::String(text.into())
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Yaml)>) -> Yaml {
    Yaml::Hash(entries.into_iter().map(|(key, value)| (text(key), value)).collect::<Hash>())
}
