//! Series that events of tasks and workers become, of which metrics are worked out.

/// Of each task that ended, whether it failed: 1 or 0. Its label `queue` names the queue.
pub const TASK_FAILED: &str = "task_failed";
/// Tasks that were given up, by `queue`.
pub const DEAD_LETTERS: &str = "dead_letters";
/// Whether a worker is at work, as it says when that changes: 1 or 0. Its labels are `pool` and `worker`.
pub const WORKER_ACTIVE: &str = "worker_active";

/// Is it a state, of which no value is too large?
pub fn is_state(metric: &str) -> bool {
    [TASK_FAILED, WORKER_ACTIVE].contains(&metric)
}
