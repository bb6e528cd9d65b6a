//! Crossings: a metric that goes beyond a declared threshold, or leaves what its own past makes usual.
//!
//! [`watched`] follows a series minute by minute as it grows; [`batch`] looks at the whole of one.

mod band;
pub mod batch;
mod colours;
mod condition;
mod learned;
mod limit;
mod outlier;
pub mod threshold;
mod watch;
pub mod watched;

pub use band::{Band, MAD_TO_SIGMA};
pub use batch::{Sample, crossings};
pub use colours::{Colours, Palette};
pub use condition::{Change, Condition, HOLDS, latest};
pub use learned::{Basis, Learned};
pub use limit::{Direction, Limit};
pub use threshold::Threshold;
pub use watched::{Event, Held, Minute, Watched};
