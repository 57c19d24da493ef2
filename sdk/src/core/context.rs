//! What every part of the core needs at hand: the time, randomness, and where outputs go.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::io::{Happening, Now, Output, SocketId};
use super::rng::Rng;
use super::stats::{Tally, Traffic};
use crate::broken::broken;
use crate::error::Error;
use crate::receipt::{Acceptor, Completer, Outcome};
use crate::state::{Notice, Transport};
use crate::store::{Profile, Record, Transaction};

/// How long a store that failed is left alone; twice as long after each further failure, up to about a minute.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) now: Now,
    pub(crate) rng: Rng,
    pub(crate) out: VecDeque<Output>,
    /// What carries the link, while one is open.
    pub(crate) transport: Option<Transport>,
    pub(crate) traffic: Traffic,
    /// By socket.
    pub(crate) tallies: Vec<Tally>,
    next_seq: u64,
    /// Boxed: most clients have none, and the memory of an idle one counts.
    store: Option<Box<StoreTurns>>,
}

/// What has changed since the store was last told, and who waits for it. A turn is one transaction.
#[derive(Default)]
struct StoreTurns {
    transaction: Transaction,
    /// How many turns the store was given.
    given: u64,
    /// Who waits for a record to be kept, by turn.
    puts: VecDeque<(u64, u64, Acceptor)>,
    /// Which messages wait for their record to be gone, by turn.
    releases: VecDeque<(u64, SocketId, u64)>,
    /// Outcomes that wait for the same.
    endings: VecDeque<(u64, SocketId, Completer, Outcome)>,
    /// When a store that failed is given its turn again, and how often it has failed in a row.
    retry: Option<Duration>,
    failures: u32,
    /// Whether it is to have a turn although nothing is new, and which that was.
    nudge: bool,
    nudged: u64,
}

/// What became of the turns that the store has worked off.
#[derive(Debug, Default)]
pub(crate) struct StoreDone {
    /// Messages that were to be kept.
    pub(crate) put: Vec<u64>,
    /// Messages whose record was to go.
    pub(crate) released: Vec<(SocketId, u64)>,
    /// Nothing new was asked for: it was the store's turn to do what it had failed at.
    pub(crate) owed_only: bool,
}

impl StoreTurns {
    /// Takes back a record that the store was not given yet. Says whether there was one.
    fn takes_back(&mut self, seq: u64) -> bool {
        let before = self.transaction.put.len();
        self.transaction.put.retain(|record| record.seq != seq);
        self.transaction.put.len() < before
    }
}

impl fmt::Debug for StoreTurns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what the records hold.
        write!(f, "StoreTurns({} waiting)", self.puts.len())
    }
}

impl Context {
    pub(crate) fn new(seed: u64, stored: bool) -> Self {
        Self {
            now: Now::default(),
            rng: Rng::new(seed),
            out: VecDeque::new(),
            transport: None,
            traffic: Traffic::default(),
            tallies: Vec::new(),
            next_seq: 1,
            store: stored.then(Box::default),
        }
    }

    pub(crate) fn next_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq = self.next_seq.saturating_add(1);
        seq
    }

    /// Makes sure that new messages come after a restored one.
    pub(crate) fn skip_seq(&mut self, used: u64) {
        self.next_seq = self.next_seq.max(used.saturating_add(1));
    }

    /// The time `duration` from now, or the end of time.
    pub(crate) fn after(&self, duration: Duration) -> Duration {
        self.now.mono.saturating_add(duration)
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.out.push_back(output);
    }

    pub(crate) fn settle(&mut self, socket: SocketId, completer: Completer, outcome: Outcome) {
        self.tally(socket).ended(&outcome);
        self.status(socket, completer.message_id(), &outcome);
        if broken!(TellsTwice) {
            self.status(socket, completer.message_id(), &outcome);
        }
        self.push(Output::Settle(completer, outcome));
    }

    /// Tells how a message with an id ended, for whoever does not hold its receipt.
    pub(crate) fn status(&mut self, socket: SocketId, message_id: Option<&str>, outcome: &Outcome) {
        if let Some(id) = message_id {
            let notice = Notice::MessageStatus {
                message_id: id.to_owned(),
                status: outcome.name(),
                error: outcome.error().cloned(),
            };
            self.notice(socket, notice);
        }
    }

    pub(crate) fn event(&mut self, socket: SocketId, happening: Happening) {
        self.push(Output::Event(socket, happening));
    }

    pub(crate) fn notice(&mut self, socket: SocketId, notice: Notice) {
        self.event(socket, Happening::Notice(Box::new(notice)));
    }

    pub(crate) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// Has the store keep a record; the message counts as accepted once it does.
    pub(crate) fn store_put(&mut self, record: Record, acceptor: Acceptor) {
        if let Some(store) = &mut self.store {
            store.puts.push_back((store.given + 1, record.seq, acceptor));
            store.transaction.put.push(record);
        }
    }

    /// Has the store forget the record of a message that ends so that it must never be sent. That it ended is told once
    /// the record is gone: the next run of the program would send it.
    pub(crate) fn settle_removed(&mut self, socket: SocketId, seq: u64, completer: Completer, outcome: Outcome) {
        let unknown = self.store.as_mut().is_none_or(|store| store.takes_back(seq));
        self.store_remove(seq);
        match &mut self.store {
            Some(store) if !unknown => store.endings.push_back((store.given + 1, socket, completer, outcome)),
            _ => self.settle(socket, completer, outcome),
        }
    }

    /// Tells all of these: the client is closed, and nobody will hear of the next turn. A later run may send them.
    pub(crate) fn settle_now(&mut self) {
        let endings = self.store.as_mut().map(|store| std::mem::take(&mut store.endings));
        for (_, socket, completer, _) in endings.unwrap_or_default() {
            self.settle(socket, completer, Outcome::Unconfirmed(Error::Closed));
        }
    }

    /// When a store that failed is given its turn again.
    pub(crate) fn store_retry(&self) -> Option<Duration> {
        self.store.as_ref()?.retry
    }

    pub(crate) fn expire_store(&mut self) {
        let now = self.now.mono;
        if let Some(store) = &mut self.store
            && store.retry.is_some_and(|at| at <= now)
        {
            store.retry = None;
            store.nudge = true;
        }
    }

    /// Has the store keep a record again, of a message that was accepted long ago.
    pub(crate) fn store_put_again(&mut self, record: Record) {
        if let Some(store) = &mut self.store {
            let next = Transaction {
                put: vec![record],
                ..Transaction::default()
            };
            store.transaction.append(next);
        }
    }

    /// Has the store forget a record.
    pub(crate) fn store_remove(&mut self, seq: u64) {
        if let Some(store) = &mut self.store {
            store.transaction.remove.push(seq);
        }
    }

    /// Has the store forget a record before its message is written.
    pub(crate) fn store_release(&mut self, socket: SocketId, seq: u64) {
        if let Some(store) = &mut self.store {
            store.releases.push_back((store.given + 1, socket, seq));
            store.transaction.remove.push(seq);
            store.transaction.released.push(seq);
        }
    }

    /// Has the store keep a record in the place of the one that it has, before its message is written.
    pub(crate) fn store_mark(&mut self, socket: SocketId, record: Record) {
        let seq = record.seq;
        self.store_put_again(record);
        if let Some(store) = &mut self.store {
            store.releases.push_back((store.given + 1, socket, seq));
        }
    }

    /// Has the store remember what is known of a server.
    pub(crate) fn store_profile(&mut self, profile: Profile) {
        if let Some(store) = &mut self.store {
            let next = Transaction {
                profiles: vec![profile],
                ..Transaction::default()
            };
            store.transaction.append(next);
        }
    }

    /// Has the store forget everything.
    pub(crate) fn store_erase(&mut self) {
        if let Some(store) = &mut self.store {
            store.transaction = Transaction {
                erase: true,
                ..Transaction::default()
            };
        }
    }

    /// What the store has to do now, if anything, and the number of that turn.
    pub(crate) fn take_transaction(&mut self) -> Option<(u64, Transaction)> {
        let store = self.store.as_mut()?;
        let nudge = std::mem::take(&mut store.nudge);
        if store.transaction.is_empty() && !nudge {
            return None;
        }
        store.given += 1;
        if store.transaction.is_empty() {
            store.nudged = store.given;
        }
        Some((store.given, std::mem::take(&mut store.transaction)))
    }

    /// The store has worked off its turns up to this one, or failed at them.
    pub(crate) fn store_done(&mut self, turn: u64, failure: Option<&Error>) -> StoreDone {
        let kept = failure.is_none();
        let mut done = StoreDone::default();
        let now = self.now.mono;
        let Some(store) = &mut self.store else { return done };
        done.owed_only = store.nudged == turn;
        if kept {
            store.failures = 0;
            store.retry = None;
        } else {
            // What it was to forget, it is given again.
            let wait = RETRY.saturating_mul(1 << store.failures.min(6));
            store.failures = store.failures.saturating_add(1);
            store.retry = Some(now.saturating_add(wait));
        }
        while let Some((_, seq, acceptor)) = pop_if(&mut store.puts, |(at, ..)| *at <= turn) {
            done.put.push(seq);
            if kept {
                self.out.push_back(Output::Accept(acceptor));
            }
        }
        while let Some((_, socket, seq)) = pop_if(&mut store.releases, |(at, ..)| *at <= turn) {
            done.released.push((socket, seq));
        }
        let mut endings = Vec::new();
        while let Some(ending) = pop_if(&mut store.endings, |(at, ..)| *at <= turn) {
            endings.push(ending);
        }
        for (_, socket, completer, outcome) in endings {
            // Where its record is still there, a later run of the program may send it.
            let outcome = failure.map_or(outcome, |error| Outcome::Unconfirmed(error.clone()));
            self.settle(socket, completer, outcome);
        }
        done
    }
}

/// Takes the first of a queue if it fits.
fn pop_if<T>(queue: &mut VecDeque<T>, fits: impl Fn(&T) -> bool) -> Option<T> {
    queue.front().is_some_and(fits).then(|| queue.pop_front())?
}
