//! Frozen copies of the index, for readers in other processes.
//!
//! Reading `RocksDB`'s folder beside its writer is undefined behaviour. A checkpoint is a folder of its own, made of hard
//! links to files that never change; it costs a flush of what was written since the last one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::store::Index;
use crate::error::{Context as _, Result};

/// Makes copies, one at a time, in a folder beside the index.
pub struct Snapshots {
    folder: PathBuf,
    latest: Mutex<Latest>,
}

#[derive(Default)]
struct Latest {
    made: u64,
    /// How many ledger entries it holds at least.
    applied: u64,
    snapshot: Weak<Snapshot>,
}

/// One copy; its folder goes when the last reader lets go of it.
pub struct Snapshot(PathBuf);

impl Snapshots {
    /// Keeps copies in `folder`, and removes those that a crash left there.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn new(folder: PathBuf) -> Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(&folder).internal(format!("cannot remove {}", folder.display()))?;
        }
        Ok(Self { folder, latest: Mutex::default() })
    }

    /// A copy that holds everything `index` holds now. Readers that ask between two writes share one.
    pub fn take(&self, index: &Index) -> Result<Arc<Snapshot>> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let applied = index.applied()?;
        if let Some(snapshot) = latest.snapshot.upgrade().filter(|_| latest.applied == applied) {
            return Ok(snapshot);
        }
        let failed = || format!("cannot copy the index to {}", self.folder.display());
        std::fs::create_dir_all(&self.folder).internal(failed())?;
        latest.made += 1;
        let snapshot = Arc::new(Snapshot(self.folder.join(latest.made.to_string())));
        index.reader().backup(&snapshot.0).internal(failed())?;
        latest.applied = applied;
        latest.snapshot = Arc::downgrade(&snapshot);
        Ok(snapshot)
    }
}

impl Snapshot {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "cannot remove a copy of the index");
        }
    }
}
