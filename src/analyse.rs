//! Analysis: pure functions over evidence. No IO, no clock, no async.

pub mod advise;
pub mod cause;
mod clamped;
pub mod compare;
pub mod correlation;
pub mod experiment;
pub mod figure;
pub mod health;
pub mod kaizen;
pub mod limits;
pub mod review;
pub mod silence;
pub mod slo;
pub mod trend;
pub mod workflow;

pub use clamped::Clamped;
