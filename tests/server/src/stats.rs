//! Counters of one server's life.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// What a server has seen since it started; `GET /stats` as JSON, in camelCase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Stats {
    /// Connections that are open and authenticated now.
    pub connections: u64,
    /// Connections that were ever authenticated.
    pub connections_total: u64,
    /// Users with at least one connection now.
    pub users: u64,
    /// Rooms there are, with those of earlier runs.
    pub rooms: u64,
    /// Messages stored, private and to rooms, since the start.
    pub messages: u64,
    /// Copies that were answered and not delivered again.
    pub duplicates: u64,
    /// Messages to a user who is away that no connection was handed yet. Those that were, and wait for
    /// their acknowledgement, are not counted.
    pub kept: u64,
    /// Refusals for a rate limit.
    pub rate_limited: u64,
    /// Refused connections.
    pub refused: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections_total: Counter,
    pub(crate) rooms: Counter,
    pub(crate) messages: Counter,
    pub(crate) duplicates: Counter,
    pub(crate) kept: Counter,
    pub(crate) rate_limited: Counter,
    pub(crate) refused: Counter,
}

/// A number that only statistics read, so no order with other memory is needed.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
