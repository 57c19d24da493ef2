//! When the connection has to act although nothing happened.

use std::time::Duration;

/// What a connection waits for. A namespace has its own deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The next attempt starts.
    Redial,
    /// The attempt takes too long.
    Handshake,
    /// The transport of this attempt gives way to the other.
    Fallback,
    /// A session on polling has tried long enough to get a WebSocket.
    Upgrade,
    /// The app has been in the background for long enough to close the link.
    Background,
    /// The server has been silent for too long.
    Heartbeat,
    /// The next ping of plain JSON is due.
    Ping,
    /// The connection has been stable for long enough to forget earlier failures.
    Stable,
    /// The answer to a probe is overdue.
    Probe,
    /// A link that closes by the user's wish has had its time to write what was left.
    Drain,
}

impl Timer {
    const ALL: [Self; 10] = [
        Self::Redial,
        Self::Handshake,
        Self::Fallback,
        Self::Upgrade,
        Self::Background,
        Self::Heartbeat,
        Self::Ping,
        Self::Stable,
        Self::Probe,
        Self::Drain,
    ];
}

/// One deadline a timer.
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Duration>; Timer::ALL.len()]);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Duration) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    /// Stops all but that of a link that leaves already.
    pub(crate) fn clear(&mut self) {
        let drain = self.0[Timer::Drain as usize];
        *self = Self::default();
        self.0[Timer::Drain as usize] = drain;
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes a timer that is due.
    pub(crate) fn expired(&mut self, now: Duration) -> Option<Timer> {
        let due = Timer::ALL
            .into_iter()
            .find(|timer| self.0[*timer as usize].is_some_and(|at| at <= now))?;
        self.stop(due);
        Some(due)
    }
}
