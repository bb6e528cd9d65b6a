//! What the thresholds would have done in the past week.

use std::sync::Arc;

use super::{Finding, counted};
use crate::analyse::limits::Doubt;
use crate::asked::blocking;
use crate::engine::{Engine, Origin, Rehearsal, Rehearsed};

/// A threshold that a series is beyond for this share of the time says nothing new.
const ALWAYS: f64 = 0.5;
/// Firings a week of a threshold that nobody heeds: fifty a day.
const FIRINGS_MAX: usize = 350;

impl From<&Doubt> for Finding {
    fn from(doubt: &Doubt) -> Self {
        of_doubt("thresholds", doubt)
    }
}

fn of_doubt(check: &str, doubt: &Doubt) -> Finding {
    Finding::warn(check, format!("{}: {}", doubt.rule, doubt.problem), doubt.fix.clone())
}

pub(super) async fn check(engine: &Arc<Engine>) -> Vec<Finding> {
    let told = blocking(engine, |engine| {
        let rehearsal = engine.rehearse(engine.clock().now())?;
        let of_metrics = [engine.left_out(), engine.doubts_of_metrics(|_, _| true)].concat();
        Ok((engine.doubts(|_, _| true), of_metrics, rehearsal))
    });
    let (doubts, of_metrics, rehearsal) = match told.await {
        Ok(told) => told,
        Err(error) => return vec![Finding::of_error("thresholds", &error)],
    };
    let mut findings: Vec<Finding> = doubts.iter().map(Finding::from).collect();
    findings.extend(of_metrics.iter().map(|doubt| of_doubt("own metrics", doubt)));
    let is_doubted = |rule: &str| doubts.iter().any(|doubt| doubt.rule == rule);
    let own = rehearsal.thresholds.iter().filter(|one| one.origin != Origin::Shipped && !is_doubted(&one.rule));
    findings.extend(own.map(of_one));
    let shipped: Vec<&Rehearsed> = rehearsal.thresholds.iter().filter(|one| one.origin == Origin::Shipped).collect();
    findings.extend(shipped.iter().filter(|one| is_noise(one)).map(|one| of_one(one)));
    if !shipped.is_empty() {
        let silent = shipped.iter().filter(|one| one.series == 0 && one.left_out == 0).count();
        let firings: usize = shipped.iter().map(|one| one.firings).sum();
        let all = counted(shipped.len(), "threshold");
        let detail = format!("{all} that naze ships: {firings} firings in the past week; {silent} have no data");
        findings.push(Finding::ok("dry run", detail));
    }
    findings.extend(left_out(&rehearsal));
    findings
}

fn is_noise(one: &Rehearsed) -> bool {
    one.beyond >= ALWAYS || one.firings > FIRINGS_MAX
}

fn of_one(one: &Rehearsed) -> Finding {
    let rule = &one.rule;
    let untried = format!("{} series that it speaks of were not tried for lack of time or room", one.left_out);
    if one.series == 0 && one.left_out > 0 {
        return Finding::ok("dry run", format!("{rule}: {untried}"));
    }
    if one.series == 0 {
        let detail = format!("{rule}: no series that it speaks of had values in the past week, so it can never fire");
        let fix = format!("mend metric, component or labels; naze series lists what there is of {}", one.metric);
        return Finding::warn("dry run", detail, fix);
    }
    let percent = one.beyond * 100.0;
    let mut told = format!(
        "{rule}: would have fired {} in the past week on {} series, which were beyond it for {percent:.1} % of {:.1} h",
        counted(one.firings, "time"),
        one.series,
        one.hours
    );
    if one.left_out > 0 {
        told += &format!("; {untried}");
    }
    let fix = format!("naze thresholds advise {}", one.metric);
    if one.beyond >= ALWAYS {
        Finding::warn("dry run", format!("{told}: it fires always"), fix)
    } else if is_noise(one) {
        Finding::warn("dry run", format!("{told}: too often to be heeded"), fix)
    } else {
        Finding::ok("dry run", told)
    }
}

fn left_out(rehearsal: &Rehearsal) -> Option<Finding> {
    (rehearsal.left_out > 0).then(|| {
        Finding::ok("dry run", format!("{} series were left out for lack of time or room", rehearsal.left_out))
    })
}
