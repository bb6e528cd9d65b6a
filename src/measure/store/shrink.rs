//! Giving space back to the disk: what became old leaves holes in the file.

use std::path::Path;

use redb::{Database, ReadableTable as _, TableDefinition, WriteTransaction};

use crate::error::{Context as _, Result};

/// Bytes that were freed since the file was last made smaller.
const FREED: TableDefinition<'_, (), u64> = TableDefinition::new("freed");
/// Fewer are not worth the work.
const FREED_MIN: u64 = 4 << 20;

/// Notes that so many bytes are freed.
pub(super) fn note(write: &WriteTransaction, freed: u64) -> Result<()> {
    if freed == 0 {
        return Ok(());
    }
    let failed = "cannot note what series no longer use";
    let mut table = write.open_table(FREED).internal(failed)?;
    let before = table.get(()).internal(failed)?.map_or(0, |freed| freed.value());
    table.insert((), before + freed).internal(failed).map(drop)
}

/// Makes the file smaller when half of it or more is unused. This needs the file for itself, so it is done before anybody
/// else has it.
pub(super) fn shrink(database: &mut Database, path: &Path) -> Result<()> {
    let failed = "cannot give back what the series no longer use";
    let write = database.begin_write().internal(failed)?;
    let freed =
        write.open_table(FREED).internal(failed)?.insert((), 0).internal(failed)?.map_or(0, |freed| freed.value());
    if freed < FREED_MIN {
        return write.abort().internal(failed);
    }
    let stats = write.stats().internal(failed)?;
    let used = stats.allocated_pages() * stats.page_size() as u64;
    write.commit().internal(failed)?;
    let size = || std::fs::metadata(path).map(|file| file.len()).internal(failed);
    let before = size()?;
    if used <= before / 2 {
        database.compact().internal(failed)?;
        tracing::info!(before, after = size()?, "the file of series is smaller");
    }
    Ok(())
}
