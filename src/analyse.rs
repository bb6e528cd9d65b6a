//! Analysis: pure functions over evidence. No IO, no clock, no async.

pub mod cause;
mod clamped;
pub mod health;
pub mod slo;

pub use clamped::Clamped;
