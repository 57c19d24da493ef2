//! What every part of the core needs at hand: the time, randomness, and where outputs go.

use std::collections::VecDeque;
use std::time::Duration;

use super::io::{Happening, Now, Output, SocketId};
use super::rng::Rng;
use super::stats::{Tally, Traffic};
use crate::receipt::{Acceptor, Completer, Outcome};
use crate::state::{Notice, Transport};
use crate::store::{Record, Transaction};

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
    store: Option<StoreTurns>,
}

/// What has changed since the store was last told, and who waits for it.
#[derive(Debug, Default)]
struct StoreTurns {
    transaction: Transaction,
    waiting: VecDeque<(u64, Acceptor)>,
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
            store: stored.then(StoreTurns::default),
        }
    }

    pub(crate) fn next_seq(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// Makes sure that new messages come after a restored one.
    pub(crate) fn skip_seq(&mut self, used: u64) {
        self.next_seq = self.next_seq.max(used + 1);
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
        self.push(Output::Settle(completer, outcome));
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
            store.waiting.push_back((record.seq, acceptor));
            store.transaction.put.push(record);
        }
    }

    /// Has the store forget a record.
    pub(crate) fn store_remove(&mut self, seq: u64) {
        if let Some(store) = &mut self.store {
            store.transaction.remove.push(seq);
        }
    }

    /// What the store has to do now, if anything.
    pub(crate) fn take_transaction(&mut self) -> Option<Transaction> {
        let transaction = &mut self.store.as_mut()?.transaction;
        (!transaction.is_empty()).then(|| std::mem::take(transaction))
    }

    /// What was given up to `seq` is not kept: whoever waits for that learns it from the outcome.
    pub(crate) fn not_stored(&mut self, seq: u64) -> Vec<u64> {
        let Some(store) = &mut self.store else {
            return Vec::new();
        };
        let split = store.waiting.partition_point(|(waiting, _)| *waiting <= seq);
        store.waiting.drain(..split).map(|(waiting, _)| waiting).collect()
    }

    /// Everything up to `seq` is kept.
    pub(crate) fn stored(&mut self, seq: u64) {
        while let Some(store) = &mut self.store {
            match store.waiting.front() {
                Some((waiting, _)) if *waiting <= seq => {
                    if let Some((_, acceptor)) = store.waiting.pop_front() {
                        self.push(Output::Accept(acceptor));
                    }
                }
                _ => break,
            }
        }
    }
}
