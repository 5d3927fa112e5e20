//! The node's clock in the unit of the chain.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use commonware_runtime::Clock;
use zhulian_primitives::Timestamp;

/// The runtime's time in milliseconds, off by `skew_ms` when a wrong clock is rehearsed.
pub(crate) fn now(context: &impl Clock, skew_ms: i64) -> Timestamp {
    let now = context.current().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    now.saturating_add_signed(skew_ms)
}

/// When this clock will show `time`.
pub(crate) fn moment(time: Timestamp, skew_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(time.saturating_add_signed(skew_ms.saturating_neg()))
}
