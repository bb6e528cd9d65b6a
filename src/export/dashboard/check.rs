//! What a dashboard has to be, beyond its form.

use super::{Dashboard, Panel, Visual};
use crate::error::{Error, Result};

/// More than this nobody reads, and Grafana cannot refresh.
const PANELS_MAX: usize = 100;
const QUERIES_MAX: usize = 26;
const WIDTH_MAX: u8 = 24;
const HEIGHT_MAX: u8 = 50;
/// As long as Grafana takes.
pub(super) const ADDRESS_MAX: usize = 40;

pub(super) fn check(dashboard: &Dashboard) -> Result<()> {
    let name = &dashboard.name;
    let wrong = |what: String, fix: &str| Err(Error::invalid(format!("dashboard {name}: {what}")).hint(fix));
    if !is_address(name) {
        return wrong(
            format!("its name \"{name}\" cannot be part of an address"),
            "use up to 40 letters, digits, - and _, such as checkout-latency",
        );
    }
    if dashboard.title.trim().is_empty() {
        return wrong("title is empty".to_owned(), "name what the dashboard shows");
    }
    if !is_duration(&dashboard.time_range) {
        return wrong(
            format!("time_range \"{}\" is no duration", dashboard.time_range),
            "write a number and s, m, h, d, w or M, such as 24h",
        );
    }
    if dashboard.panels.is_empty() || dashboard.panels.len() > PANELS_MAX {
        return wrong(format!("it has {} panels", dashboard.panels.len()), "give it 1 to 100 [[panels]]");
    }
    for panel in &dashboard.panels {
        if let Some((what, fix)) = fault(dashboard, panel) {
            return wrong(format!("panel \"{}\": {what}", panel.title), fix);
        }
    }
    Ok(())
}

/// What is wrong with a panel, and what would be right.
fn fault(dashboard: &Dashboard, panel: &Panel) -> Option<(String, &'static str)> {
    let series = panel.series();
    let is_of_links = panel.visual == Visual::Links;
    if panel.title.trim().is_empty() {
        return Some(("title is empty".to_owned(), "name what the panel shows"));
    }
    if panel.query.is_some() && !panel.queries.is_empty() {
        return Some(("it has both query and queries".to_owned(), "move query into queries"));
    }
    if series.is_empty() != is_of_links || series.len() > QUERIES_MAX {
        let fix =
            if is_of_links { "links panels have links, not queries" } else { "give it a query, or 1 to 26 queries" };
        return Some((format!("it has {} queries", series.len()), fix));
    }
    if is_of_links && panel.links.is_empty() {
        return Some(("it has no links".to_owned(), "write links = [{ to = \"kanban\", title = \"Kanban\" }]"));
    }
    if series.iter().any(|series| series.query.trim().is_empty()) {
        return Some(("a query is empty".to_owned(), "write PromQL"));
    }
    if let (Some(min), Some(max)) = (panel.min, panel.max)
        && min >= max
    {
        return Some((format!("min {min} is not below max {max}"), "swap them"));
    }
    if let Some(width) = panel.width.filter(|width| !(1..=WIDTH_MAX).contains(width)) {
        return Some((format!("width {width} does not fit"), "use 1 to 24"));
    }
    if let Some(height) = panel.height.filter(|height| !(1..=HEIGHT_MAX).contains(height)) {
        return Some((format!("height {height} does not fit"), "use 1 to 50"));
    }
    if let Some(link) = panel.links.iter().find(|link| !is_address(&link.to)) {
        return Some((format!("links: \"{}\" is no dashboard's name", link.to), "use a name such as kanban"));
    }
    let by = panel.by.as_ref().filter(|by| dashboard.variables.iter().all(|variable| variable.name != **by))?;
    Some((format!("by: there is no variable \"{by}\""), "add it to the dashboard's variables"))
}

fn is_address(name: &str) -> bool {
    (1..=ADDRESS_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_duration(text: &str) -> bool {
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd', 'w', 'M']);
    text.len() == digits.len() + 1
        && (1..=6).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}
