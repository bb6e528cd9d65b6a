use std::path::Path;
pub(crate) fn print(_: &Path) {}
