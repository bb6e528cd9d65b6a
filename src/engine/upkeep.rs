//! Ledger and index: what they hold, whether it is whole, and making the index anew.

use super::{Engine, kinds};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::error::{Context as _, Error, Result};
use crate::receipt::ReceiptId;
use crate::record::Recorded;
use crate::record::ledger::{Ledger, Source, Verified};

impl Engine {
    /// The recorded receipt with this id.
    pub fn receipt(&self, id: ReceiptId) -> Result<Recorded> {
        self.index.get(id)?.ok_or_else(|| Error::not_found(format!("there is no receipt {id}")))
    }

    /// The raw document a receipt was read from.
    pub fn source_of(&self, recorded: &Recorded) -> Result<Source> {
        let found = self.ledger.source(&recorded.source)?;
        found.ok_or_else(|| Error::internal("the receipt's raw document is missing").hint("run `naze verify`"))
    }

    /// Checks the whole ledger against its signed checkpoints, and that the index holds every entry.
    pub fn verify(&self, verifier_key: Option<&str>, progress: impl FnMut(u64)) -> Result<Verified> {
        let own = self.ledger.verifier_key();
        let verified = self.ledger.verify(verifier_key.unwrap_or(&own), progress)?;
        let applied = self.index.applied()?;
        if applied < verified.entries {
            return Err(Error::conflict(format!("the index holds {applied} of {} entries", verified.entries))
                .hint("restart naze, or run `naze rebuild`"));
        }
        Ok(verified)
    }

    /// The newest signed checkpoint and the key to check it with.
    pub fn checkpoint(&self) -> Result<(Option<String>, String)> {
        Ok((self.ledger.checkpoint()?, self.ledger.verifier_key()))
    }

    /// When the newest entry of the ledger was recorded.
    pub fn last_recorded_at(&self) -> Result<Option<Timestamp>> {
        let last = self.ledger.len()?.saturating_sub(1);
        Ok(self.ledger.read(last.., 1)?.first().map(|recorded| recorded.recorded_at))
    }

    /// Is everything in the ledger also in the index?
    pub fn is_ready(&self) -> Result<bool> {
        Ok(self.index.applied()? >= self.ledger.len()?)
    }

    /// Keeps the newest receipts in memory as well, where questions about them cost less.
    ///
    /// # Errors
    /// `Internal` when the disk fails; answers stay the same.
    pub fn hold_newest(&self) -> Result<()> {
        self.index.hold_newest(&self.ledger, self.clock.now())
    }

    /// Notes the size of the index's write-ahead log, which is replayed when it opens.
    pub fn measure_index(&self) {
        let Some(folder) = self.config.data.as_ref().map(|data| data.join("index")) else { return };
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
        self.telemetry.index_wal(logs.filter_map(|log| log.metadata().ok()).map(|log| log.len()).sum());
    }
}

/// Makes the index of a data directory anew from its ledger. No other naze may have it open.
pub fn rebuild(config: Config) -> Result<u64> {
    let data =
        config.data.clone().ok_or_else(|| Error::invalid("rebuild needs a data directory").hint("add --data DIR"))?;
    let index = data.join("index");
    // Held while the index is away, so that no second process can open the directory in between.
    let ledger = Ledger::open(Some(&data), kinds::load(&config)?.0)?;
    if index.exists() {
        std::fs::remove_dir_all(&index).internal(format!("cannot remove {}", index.display()))?;
    }
    let entries = ledger.len()?;
    drop(ledger);
    drop(Engine::open(config, Clock::System)?);
    Ok(entries)
}
