//! Counting: additions of integers on the way, the rest when someone asks.

use std::time::Duration;

use super::connection::Core;
use super::context::Context;
use super::io::{LinkId, SocketId};
use crate::receipt::Outcome;
use crate::stats::{AckMs, Stats};

/// So many answers are looked at.
const LAST: usize = 128;

/// A moment within the last 49 days, in 4 bytes: messages wait by the hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stamp(u32);

impl Stamp {
    pub(crate) fn at(now: Duration) -> Self {
        Self(
            (now.as_secs() as u32)
                .wrapping_mul(1000)
                .wrapping_add(now.subsec_millis()),
        )
    }

    /// Milliseconds since then.
    pub(crate) fn elapsed(self, now: Duration) -> u32 {
        Self::at(now).0.wrapping_sub(self.0)
    }
}

/// What one socket has counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    sent: u64,
    delivered: u64,
    rejected: u64,
    unconfirmed: u64,
    expired: u64,
    dropped: u64,
    cancelled: u64,
    /// Messages that were written again.
    pub(crate) retries: u64,
    answers: Option<Box<Answers>>,
}

impl Tally {
    pub(crate) fn ended(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Sent => &mut self.sent,
            Outcome::Delivered(_) => &mut self.delivered,
            Outcome::Rejected(_) => &mut self.rejected,
            Outcome::Unconfirmed(_) => &mut self.unconfirmed,
            Outcome::Expired => &mut self.expired,
            Outcome::Dropped => &mut self.dropped,
            Outcome::Cancelled => &mut self.cancelled,
        };
        *count += 1;
    }

    /// An answer took so many milliseconds.
    pub(crate) fn answered(&mut self, took: u32) {
        self.answers.get_or_insert_default().push(took);
    }
}

/// How long the last answers took, in ms.
#[derive(Debug)]
struct Answers {
    took: [u32; LAST],
    count: usize,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            took: [0; LAST],
            count: 0,
        }
    }
}

impl Answers {
    fn push(&mut self, took: u32) {
        self.took[self.count % LAST] = took;
        self.count += 1;
    }

    /// By nearest rank.
    fn percentiles(&self) -> AckMs {
        let count = self.count.min(LAST);
        let mut sorted = self.took;
        let sorted = &mut sorted[..count];
        // By insertion: the library's sort would be a tenth of what this whole client is to a page, for a few numbers.
        for end in 1..count {
            let mut at = end;
            while at > 0 && sorted[at - 1] > sorted[at] {
                sorted.swap(at - 1, at);
                at -= 1;
            }
        }
        let at = |percent: usize| u64::from(sorted[(count * percent).div_ceil(100).saturating_sub(1)]);
        AckMs {
            p50: at(50),
            p99: at(99),
        }
    }
}

/// What the link has counted.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) attempts: u64,
    connects: u64,
    reconnects: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    rtt: Option<u32>,
    /// When the probe was handed over whose answer is awaited.
    pub(crate) probed: Option<Stamp>,
    /// The link that is connected.
    connected: Option<LinkId>,
    /// Whether the last connection was lost.
    pub(crate) lost: bool,
}

impl Traffic {
    /// A namespace was joined on `link`; the first one makes it a connection.
    pub(super) fn joined(&mut self, link: LinkId) {
        if self.connected.replace(link) != Some(link) {
            self.connects += 1;
            self.reconnects += u64::from(std::mem::take(&mut self.lost));
        }
    }

    /// The server answered what was asked at `asked`.
    pub(super) fn answered(&mut self, asked: Stamp, now: Duration) {
        self.rtt = Some(asked.elapsed(now));
    }
}

impl Context {
    /// What a socket has counted; made when it first counts something.
    pub(crate) fn tally(&mut self, socket: SocketId) -> &mut Tally {
        let at = socket.index();
        if at >= self.tallies.len() {
            self.tallies.resize_with(at + 1, Tally::default);
        }
        &mut self.tallies[at]
    }
}

impl Core {
    /// What a socket and the link have done so far.
    pub fn stats(&self, socket: SocketId, now: Duration) -> Stats {
        let namespace = &self.sockets[socket.index()];
        let unacked = namespace.acks.entries().filter(|entry| entry.is_message());
        let queued = namespace.outbox.entries().filter(|entry| entry.is_message());
        let waiting = unacked.clone().chain(queued);
        let none = Tally::default();
        let tally = self.cx.tallies.get(socket.index()).unwrap_or(&none);
        let traffic = &self.cx.traffic;
        Stats {
            attempts: traffic.attempts,
            connects: traffic.connects,
            reconnects: traffic.reconnects,
            queued: namespace.outbox.len() as u64,
            unacked: unacked.count() as u64,
            oldest_ms: waiting.map(|entry| u64::from(entry.since.elapsed(now))).max(),
            sent: tally.sent,
            delivered: tally.delivered,
            rejected: tally.rejected,
            unconfirmed: tally.unconfirmed,
            expired: tally.expired,
            dropped: tally.dropped,
            cancelled: tally.cancelled,
            retries: tally.retries,
            bytes_in: traffic.bytes_in,
            bytes_out: traffic.bytes_out,
            rtt_ms: traffic.rtt.map(u64::from),
            ack_ms: tally.answers.as_ref().map(|answers| answers.percentiles()),
        }
    }
}
