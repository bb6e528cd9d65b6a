//! One integration binary: the real router over a real store in a temporary directory.

mod cases;
mod common;
mod http;
mod queries;
mod receive;
mod record;
mod report;
mod shacl_suite;
mod validate;
mod vocabulary;
mod why;
