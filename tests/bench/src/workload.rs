//! What is measured, with whom, and what one run of one client reports.

use std::error::Error;
use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Any error: the bench only prints it.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The five things measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum Workload {
    /// `count` messages of about 100 bytes, no acknowledgement; over when the server has counted all.
    Emit,
    /// `count` messages received, each as a struct in a handler.
    Receive,
    /// `count` acknowledged messages, one after another.
    RoundTrip,
    /// `count` connections, one after another, each from the TCP connect to the namespace.
    Connect,
    /// `count` idle connections held at once: their memory.
    Idle,
}

impl Workload {
    pub(crate) const ALL: [Self; 5] = [Self::Emit, Self::Receive, Self::RoundTrip, Self::Connect, Self::Idle];

    /// How many messages (or connections) one run takes.
    pub(crate) fn default_count(self, client: ClientKind, quick: bool) -> u64 {
        let full = match self {
            Self::Emit => 100_000,
            Self::Receive => 500_000,
            Self::RoundTrip => 10_000,
            // rust_socketio takes 44 ms for each.
            Self::Connect if client == ClientKind::RustSocketio => 50,
            Self::Connect => 500,
            Self::Idle if client == ClientKind::RustSocketio => return 100,
            // No fewer even when it should be quick: the more, the less what is allocated once counts.
            Self::Idle => return 1_000,
        };
        if quick { full / 5 } else { full }
    }

    /// Rounds after which nothing new is to be learned.
    pub(crate) fn most_rounds(self) -> u32 {
        // Memory repeats itself to the byte.
        if self == Self::Idle { 3 } else { u32::MAX }
    }

    /// Who takes part: the floors beside the bare socket are run only where they say something.
    pub(crate) fn clients(self) -> &'static [ClientKind] {
        use ClientKind::{Bare, BareBatched, BareDefault, Rejoin, RustSocketio};
        match self {
            Self::Emit => &[Bare, BareBatched, Rejoin, RustSocketio],
            _ => &[Bare, BareDefault, Rejoin, RustSocketio],
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emit => "emit",
            Self::Receive => "receive",
            Self::RoundTrip => "round_trip",
            Self::Connect => "connect",
            Self::Idle => "idle",
        })
    }
}

/// The clients compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum ClientKind {
    /// tokio-tungstenite with a 4 KiB read buffer, frames by hand, one flush each. Every ratio is to this one.
    Bare,
    /// The same with one flush for every hundred messages: the floor of emitting.
    BareBatched,
    /// The same with tungstenite's default buffer of 128 KiB, which it clears before each read.
    BareDefault,
    /// This project's client.
    Rejoin,
    /// The `rust_socketio` crate, its asynchronous client.
    RustSocketio,
}

impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Bare => "bare",
            Self::BareBatched => "bare, batched",
            Self::BareDefault => "bare, 128 KiB",
            Self::Rejoin => "rejoin",
            Self::RustSocketio => "rust_socketio",
        })
    }
}

/// One run of one client.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) workload: Workload,
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    pub(crate) count: u64,
    /// Run before the measuring begins, in the same process and on the same connection.
    pub(crate) warmup: u64,
}

/// What one run measured, for all of its `count` messages together.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) count: u64,
    /// User and system time of the client's process, nanoseconds.
    pub(crate) cpu_ns: u64,
    /// Elapsed time, nanoseconds.
    pub(crate) wall_ns: u64,
    /// Growth of the live heap, bytes. Counted in `Idle` runs only.
    pub(crate) heap: i64,
    /// Growth of the resident set, bytes. Read in `Idle` runs only.
    pub(crate) rss: i64,
}

/// The message of every workload: about 100 bytes as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) room: String,
    pub(crate) user: String,
    pub(crate) text: String,
}

impl Message {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            room: "general".into(),
            user: "u1042".into(),
            text: "the quick brown fox jumps over the lazy dog".into(),
        }
    }
}
