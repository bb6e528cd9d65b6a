//! Engine calls block (disk, queries), so they run away from the threads that serve connections.

use super::problem::Problem;
use crate::error::{Context as _, Result};

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> std::result::Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.internal("naze met a defect")??)
}
