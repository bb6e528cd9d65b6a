//! Measuring: raw samples become crossings, the part of a metric that is evidence.

pub mod crossing;
