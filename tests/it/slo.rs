//! Service level objectives: every worked number of the requirements, and every boundary.

mod burn;
mod evaluation;
mod habit;
mod prometheus;

pub(crate) use prometheus::promtool;
