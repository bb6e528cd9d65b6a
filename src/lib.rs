pub mod clock;
pub mod config;
pub mod error;
pub mod receipt;
pub mod record;
pub mod telemetry;
pub mod validate;
pub mod vocab;
