//! What happened while a series went its way.

use maud::{Markup, html};

use super::{BOTTOM, HEIGHT, TOP, px};
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;
use crate::record::Recorded;
use crate::report::title_of;
use crate::web::{brief, receipt_link, time};

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Mark {
    pub(super) time: Timestamp,
    sort: Sort,
    text: String,
    id: ReceiptId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Deployment,
    Change,
    Alert,
    Crossing,
    Incident,
}

impl Mark {
    /// Deployments, changes, scalings, incidents, crossings, and alerts that fire are worth a mark.
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let receipt = &recorded.receipt;
        let sort = match receipt.kind() {
            "deployment" => Sort::Deployment,
            "change" | "scaling" => Sort::Change,
            "incident" => Sort::Incident,
            "crossing" if receipt.text("status").is_none() => Sort::Crossing,
            "alert" if receipt.text("status") == Some("firing") => Sort::Alert,
            _ => return None,
        };
        let text = format!("{} {}", receipt.component().unwrap_or_default(), title_of(receipt));
        Some(Self { time: recorded.occurred_at(), sort, text: brief(&text), id: recorded.id })
    }

    /// Its sign above the line; what may be a cause also crosses the plot.
    pub(super) fn draw(&self, x: f64) -> Markup {
        let y = TOP - 8.0;
        let class = self.sort.class();
        let shape = match self.sort {
            Sort::Deployment => format!("M{} {}l5 5-5 5-5-5z", px(x), px(y - 5.0)),
            Sort::Change => format!("M{} {}h7v7h-7z", px(x - 3.5), px(y - 3.5)),
            Sort::Alert => format!("M{} {}l5 9h-10z", px(x), px(y - 5.0)),
            Sort::Crossing => format!("M{} {}a3.5 3.5 0 1 0 .1 0z", px(x), px(y - 3.5)),
            Sort::Incident => format!("M{} {}v12l8-4-8-4", px(x), px(y - 7.0)),
        };
        let is_tall = matches!(self.sort, Sort::Deployment | Sort::Incident);
        html! {
            @if is_tall { line class={ "mark " (class) } x1=(px(x)) x2=(px(x)) y1=(px(TOP)) y2=(px(HEIGHT - BOTTOM)) {} }
            path class={ "mark-head " (class) } d=(shape) { title { (self.text) } }
        }
    }

    /// Its line in the list below the plot.
    pub(super) fn line(&self) -> Markup {
        html! {
            li {
                (time(self.time)) " "
                svg.sign width="12" height="14" viewBox="0 0 12 14" aria-hidden="true" {
                    path class={ "mark-head " (self.sort.class()) } d=(self.sort.sign()) {}
                }
                " " (self.text) " " (receipt_link(self.id))
            }
        }
    }
}

impl Sort {
    fn class(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Change => "change",
            Self::Alert => "alert",
            Self::Crossing => "crossing",
            Self::Incident => "incident",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Deployment => "M6 2l5 5-5 5-5-5z",
            Self::Change => "M2 3h7v7h-7z",
            Self::Alert => "M6 2l5 9h-10z",
            Self::Crossing => "M6 3.5a3.5 3.5 0 1 0 .1 0z",
            Self::Incident => "M3 1v12l8-4-8-4",
        }
    }
}
