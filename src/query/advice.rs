//! What makes a canned query a recommendation: what to do about each of its rows, and what that takes and brings.

use serde::Serialize;

/// What to do about a row of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// How soon it is to be done.
    pub priority: Priority,
    /// What to do.
    pub action: String,
    /// Where it says how.
    pub runbook: String,
    /// What it takes.
    pub effort: Effort,
    /// Share of the trouble that is expected to go, in percent.
    pub impact_percent: u32,
    /// What it should bring, in words.
    pub impact: String,
}

/// How soon a recommendation is to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Priority {
    /// Now: the page rings.
    P1,
    /// Today.
    P2,
    /// When there is time: an improvement.
    P3,
}

/// What a recommendation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Effort {
    /// An hour or two.
    S,
    /// Half a day.
    M,
    /// A day or more.
    L,
}

impl Effort {
    fn hours(self) -> f64 {
        match self {
            Self::S => 2.0,
            Self::M => 4.0,
            Self::L => 8.0,
        }
    }
}

impl Advice {
    /// Percent of impact for each hour of effort: among equally urgent recommendations the highest comes first.
    pub fn worth(&self) -> f64 {
        f64::from(self.impact_percent) / self.effort.hours()
    }

    /// The advice of a header, which has all of it or none.
    pub(super) fn read(mut take: impl FnMut(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let keys = ["priority", "action", "runbook", "effort", "impact"];
        let given = keys.map(&mut take);
        if given.iter().all(Option::is_none) {
            return Ok(None);
        }
        if let Some(place) = given.iter().position(Option::is_none) {
            return Err(format!("a recommendation needs {}: the header has no #+ {}:", keys.join(", "), keys[place]));
        }
        let [priority, action, runbook, effort, impact] = given.map(Option::unwrap_or_default);
        let (percent, words) =
            impact.split_once(' ').ok_or("write #+ impact: percent words, such as 30 fewer failures")?;
        Ok(Some(Self {
            priority: match priority.as_str() {
                "P1" => Priority::P1,
                "P2" => Priority::P2,
                "P3" => Priority::P3,
                other => return Err(format!("\"{other}\" is no priority: use P1, P2 or P3")),
            },
            action,
            runbook,
            effort: match effort.as_str() {
                "S" => Effort::S,
                "M" => Effort::M,
                "L" => Effort::L,
                other => {
                    return Err(format!(
                        "\"{other}\" is no effort: use S (hours), M (half a day) or L (a day or more)"
                    ));
                }
            },
            impact_percent: percent.parse().ok().filter(|percent| (1..=100).contains(percent)).ok_or_else(|| {
                format!("the impact \"{percent}\" is no percentage from 1 to 100: write #+ impact: 30 fewer failures")
            })?,
            impact: words.trim().to_owned(),
        }))
    }
}
