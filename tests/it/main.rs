//! One integration binary: the real router over a real store in a temporary directory.

mod shacl_suite;
mod validate;
