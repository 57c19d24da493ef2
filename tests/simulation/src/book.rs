//! What happened, as the app saw it and as the server saw it: what the checks look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rejoin::sim::World;
use rejoin::{Outcome, StateChange};

/// A person, by number.
pub(crate) type Who = usize;

/// The people of every world: their ids on the server.
pub(crate) const PEOPLE: [&str; 2] = ["alice", "bob"];

/// One process of a person's device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    pub(crate) who: Who,
    pub(crate) number: usize,
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `private_message`.
    Private,
    /// `group_message`.
    Group,
    /// An event that the chat does not know.
    Note,
    /// `create_room`.
    Create,
    /// `join_room`: a wish, which carries no mark.
    Join,
    /// `leave_room`, the same.
    Leave,
}

impl Kind {
    /// Whether its mark is in what is sent, so that it is found again on the wire and at the server.
    pub(crate) fn is_marked(self) -> bool {
        !matches!(self, Self::Join | Self::Leave)
    }
}

/// One message, from `emit` to its outcome. Its number is its place in [`Book::sent`], and its mark on the wire.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) run: Run,
    pub(crate) kind: Kind,
    pub(crate) lane: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) reliable: bool,
    pub(crate) volatile: bool,
    pub(crate) ttl: Option<Duration>,
    pub(crate) ack_timeout: Duration,
    /// Whether the server drops the link for it.
    pub(crate) poison: bool,
    pub(crate) at: Duration,
    pub(crate) accepted: Option<Duration>,
    pub(crate) outcomes: Vec<(Duration, Outcome)>,
}

/// A marked message in a batch that a link was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) n: usize,
    pub(crate) run: Run,
    pub(crate) at: Duration,
}

/// A marked message that the server acted on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processed {
    pub(crate) n: usize,
    pub(crate) link: u64,
}

/// Something that the app did, or that was done to it, and that explains what the client does then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Connect,
    Disconnect,
    Offline,
    Online,
    Foreground,
    Background,
    Token,
    Forget,
    /// The wall clock stepped, or the device slept.
    Clock,
    Clear,
    Crash,
}

/// One event as a handler got it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) run: Run,
    pub(crate) at: Duration,
    pub(crate) name: String,
    /// The server's id for it, where it has one.
    pub(crate) id: Option<String>,
    /// Its place in the server's log, where sessions are recovered.
    pub(crate) offset: Option<(u64, String)>,
    /// Who types where, for those events that tell of it.
    pub(crate) typist: Option<(String, Option<String>)>,
}

/// Everything that was noted.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) sent: Vec<Sent>,
    pub(crate) written: Vec<Written>,
    pub(crate) processed: Vec<Processed>,
    pub(crate) states: Vec<(Run, Duration, StateChange)>,
    pub(crate) dials: Vec<(Run, Duration, u64)>,
    /// When a link was given a batch, marked or not.
    pub(crate) batches: Vec<(Run, Duration, u64)>,
    /// When a client's half of a wire got something.
    pub(crate) reached: Vec<(Run, Duration, u64)>,
    pub(crate) calls: Vec<(Who, Duration, Call)>,
    pub(crate) heard: Vec<Heard>,
    /// Receipts that the server has: the id, from whom, when the answer was written.
    pub(crate) receipts: Vec<(Run, String, Duration)>,
    /// For each session that can be recovered, what was meant for it, in order.
    pub(crate) chains: BTreeMap<String, Chain>,
    /// How messages ended, as the app was told apart from their receipts.
    pub(crate) statuses: Vec<(Run, String, &'static str)>,
    /// Messages that the app took back.
    pub(crate) taken_back: BTreeSet<usize>,
    /// Whether the server gave up waiting for a message that it had refused.
    pub(crate) impatient: bool,
    /// Messages that the server did not take because of its limit.
    pub(crate) limited: Vec<usize>,
    /// The ids of messages that the app was told were dropped for room.
    pub(crate) dropped: BTreeSet<String>,
    /// What the client said that no server takes.
    pub(crate) offences: Vec<String>,
    /// What was covered.
    pub(crate) counts: BTreeMap<String, u64>,
    /// A hash of everything that was noted, in order: two runs of one seed must agree.
    pub(crate) digest: u64,
}

/// One session of recovery and what the server meant for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    pub(crate) who: Who,
    pub(crate) offsets: Vec<u64>,
}

/// A shared [`Book`]. Clones are handles.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    book: Arc<Mutex<Book>>,
    world: World,
    trace: bool,
}

impl Facts {
    /// With `trace`, what happens is printed.
    pub(crate) fn new(world: World, trace: bool) -> Self {
        Self {
            book: Arc::default(),
            world,
            trace,
        }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        self.world.now()
    }

    pub(crate) fn count(&self, what: &str) {
        let mut book = self.book();
        match book.counts.get_mut(what) {
            Some(count) => *count += 1,
            None => _ = book.counts.insert(what.to_owned(), 1),
        }
    }

    pub(crate) fn call(&self, who: Who, call: Call) {
        let now = self.now();
        self.book().calls.push((who, now, call));
    }

    /// One line of the trace; the text is made only where it is printed. `code` goes into the digest.
    pub(crate) fn note(&self, code: u64, text: impl FnOnce() -> String) {
        let now = self.now();
        let mut book = self.book();
        let mix = u64::try_from(now.as_nanos()).unwrap_or(0) ^ code.rotate_left(32);
        book.digest = (book.digest ^ mix).wrapping_mul(0x100_0000_01b3).rotate_left(23);
        drop(book);
        if self.trace {
            println!("{:>11.6}  {}", now.as_secs_f64(), text());
        }
    }
}

/// The mark of a message, as it stands in its content.
pub(crate) fn mark(n: usize) -> String {
    format!("#{n}#")
}

/// The mark in a text, if there is one.
pub(crate) fn marked(text: &str) -> Option<usize> {
    let (_, rest) = text.split_once('#')?;
    rest.split_once('#')?.0.parse().ok()
}
