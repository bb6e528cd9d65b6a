//! Lines at the end of a file, which is opened for each: so it can be moved away at any time.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::post::Outcome;

/// Writes to one file.
pub(super) struct Append(PathBuf);

impl Append {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Writes whole lines, or none.
    pub(super) fn send(&self, lines: &[u8]) -> Outcome {
        match self.write(lines) {
            Ok(()) => Outcome::Taken(0, String::new()),
            Err(error) => Outcome::Later(None, format!("cannot write to {}: {error}", self.0.display())),
        }
    }

    fn write(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(&self.0)?;
        let before = file.metadata()?.len();
        file.write_all(lines).inspect_err(|_| {
            // Half a line would spoil the next one. A file that cannot be cut is no worse than it was.
            let _ = file.set_len(before);
        })
    }
}
