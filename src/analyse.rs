//! Analysis: pure functions over evidence. No IO, no clock, no async.

pub mod cause;
pub mod trend;
