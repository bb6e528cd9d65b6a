//! What experiments show, for people.

use super::document::{Block, Document, Section, line, link, receipt};
use super::{figure, moment, written};
use crate::analyse::compare::{Compared, Interval, Side};
use crate::analyse::experiment::Findings;
use crate::error::Result;

/// Findings as `application/json`, `text/plain`, `text/markdown` or `text/html`.
///
/// # Errors
/// `Invalid` for any other media type.
pub fn render(findings: &Findings, media_type: &str) -> Result<String> {
    written(findings, || document(findings), media_type)
}

/// What it says, before it has a form.
pub(crate) fn document(findings: &Findings) -> Document {
    let experiment = &findings.experiment;
    let mut sections = vec![
        Section::new(
            "Decision",
            vec![Block::List(vec![
                line(format!("{}: {}", decision(findings), findings.next)),
                line(&*findings.statement),
            ])],
        ),
        Section::new("Hypothesis", vec![hypothesis(findings)]),
    ];
    if let Some(baseline) = &findings.baseline {
        let throughput = baseline.throughput_per_minute;
        let throughput = throughput.map_or_else(String::new, |rate| format!(", {} a minute", figure(rate)));
        let told = format!(
            "From {} to {}: mean {}, P95 {}, P99 {}{throughput}",
            moment(baseline.from),
            moment(baseline.to),
            figure(baseline.mean),
            figure(baseline.p95),
            figure(baseline.p99)
        );
        sections.push(Section::new("Hour before", vec![Block::Paragraph(line(told))]));
    }
    if let Some(compared) = &findings.compared {
        sections.push(Section::new("Canary against control", comparison(compared)));
    }
    sections.push(Section::new("What is missing", vec![Block::List(findings.missing.iter().map(line).collect())]));
    let mut proof: Vec<_> = experiment.receipts.iter().map(|id| vec![receipt(*id)]).collect();
    proof.extend(findings.show.iter().map(|path| vec![link(path)]));
    sections.push(Section::new("Supporting information", vec![Block::List(proof)]));
    Document { title: format!("Experiment {}", experiment.reference), sections }
}

fn decision(findings: &Findings) -> &'static str {
    use crate::analyse::experiment::Decision;
    match findings.decision {
        Decision::Success => "Success",
        Decision::Marginal => "Marginal",
        Decision::Negative => "Negative",
        Decision::Running => "Running",
        Decision::NotEnoughData => "Not enough data",
    }
}

fn hypothesis(findings: &Findings) -> Block {
    let experiment = &findings.experiment;
    let expected = experiment.expected_percent.map(|percent| format!("{percent:+} %"));
    let rows = [
        ("Hypothesis", Some(experiment.hypothesis.clone())),
        ("Component", Some(experiment.component.clone())),
        ("Owner", experiment.owner.clone()),
        ("Action", experiment.action.clone()),
        ("Reason", experiment.reason.clone()),
        ("Metric", experiment.metric.clone()),
        ("Expected", expected),
        ("From", Some(moment(experiment.starts_at))),
        ("To", Some(moment(experiment.ends_at))),
        ("Outcome as told", experiment.told.as_ref().and_then(|told| told.result.clone())),
        ("Surprise", experiment.told.as_ref().and_then(|told| told.summary.clone())),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some(vec![line(name), line(value?)]));
    Block::Table { head: ["What", "Value"].map(str::to_owned).to_vec(), rows: rows.collect() }
}

fn comparison(compared: &Compared) -> Vec<Block> {
    let side = |name: &str, side: &Side| {
        let summary = &side.summary;
        let numbers = [summary.mean, summary.stddev, summary.p50, summary.p95, summary.p99, side.n_effective];
        let numbers = numbers.map(|number| line(figure(number)));
        [line(name), line(summary.n.to_string())].into_iter().chain(numbers).collect()
    };
    let head = ["Side", "Values", "Mean", "Deviation", "P50", "P95", "P99", "Independent"].map(str::to_owned).to_vec();
    let mut points = vec![line(format!("Difference: {}", interval(&compared.difference)))];
    points.extend(
        compared.change_percent.as_ref().map(|change| line(format!("Change in percent: {}", interval(change)))),
    );
    points.extend(compared.welch.map(|welch| {
        let (t, freedom) = (figure(welch.t), figure(welch.degrees_of_freedom));
        line(format!("Welch's t: t = {t}, {freedom} degrees of freedom, p = {:.4}", welch.p_value))
    }));
    let rank = &compared.mann_whitney;
    points.push(line(format!(
        "Mann–Whitney U: U = {}, p = {:.4}; the canary's value is the larger one in {} % of pairs",
        figure(rank.u),
        rank.p_value,
        figure(rank.superiority * 100.0)
    )));
    points.extend(compared.cohens_d.map(|size| line(format!("Effect size (Cohen's d): {}", figure(size)))));
    vec![
        Block::Table { head, rows: vec![side("control", &compared.control), side("canary", &compared.canary)] },
        Block::List(points),
    ]
}

fn interval(interval: &Interval) -> String {
    let ends = interval.low.zip(interval.high);
    let ends = ends.map_or_else(String::new, |(low, high)| format!(" (95 %: {} to {})", figure(low), figure(high)));
    format!("{}{ends}", figure(interval.value))
}
