//! Analysis: pure functions over evidence. No IO, no clock, no async.

pub mod advise;
pub mod cause;
mod clamped;
pub mod health;
pub mod limits;
pub mod slo;
pub mod trend;

pub use clamped::Clamped;
