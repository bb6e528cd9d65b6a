//! Exporting: what naze knows, in the forms of other tools.

pub mod dashboard;
pub mod prometheus;
