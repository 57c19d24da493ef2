//! The time, asleep or awake.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::core::Now;

/// Both clocks.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the platform's clock is read"
)]
pub(super) fn now() -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        mono: mono(),
        unix_ms: u64::try_from(unix.as_millis()).unwrap_or_default(),
    }
}

/// Time since some fixed moment. `std::time::Instant` stops in suspend on these systems, and a phone that slept would
/// believe its dead connection.
#[cfg(unix)]
pub(super) fn mono() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    // On Apple's systems this one counts sleep.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;

    let time = clock_gettime(CLOCK);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// Time since the first call. On Windows `Instant` is the performance counter, which goes on in suspend.
#[cfg(not(unix))]
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the platform's clock is read"
)]
pub(super) fn mono() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;

    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
