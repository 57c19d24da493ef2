//! Messages that were written and wait for the server's acknowledgement.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use super::outbox::Entry;
use super::stats::Stamp;
use crate::broken::broken;

/// The acknowledgements that one socket waits for. Ids only grow, so that finding one is a binary search.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    next_id: u64,
    waiting: VecDeque<(u64, Option<Entry>)>,
    /// How many of those have their answer.
    answered: usize,
    /// May hold ids that were answered already; they are passed over when their time comes.
    deadlines: BinaryHeap<Reverse<(Duration, u64)>>,
    reliable: usize,
    reliable_bytes: usize,
}

impl Acks {
    /// The id that the next message gets.
    pub(crate) fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// A message was handed to the link under `id`. Its time runs from [`written`](Self::written) on.
    pub(crate) fn wait(&mut self, id: u64, entry: Entry) {
        if entry.reliable {
            self.reliable += 1;
            self.reliable_bytes += entry.size();
        }
        self.waiting.push_back((id, Some(entry)));
    }

    /// The link has written the message that waits under `id`: from now on the server can answer.
    pub(crate) fn written(&mut self, now: Duration, id: u64) {
        if let Ok(at) = self.waiting.binary_search_by_key(&id, |(id, _)| *id)
            && let Some(entry) = &mut self.waiting[at].1
        {
            entry.written = Stamp::at(now);
            let patience = if broken!(GivesUpTooEarly) {
                entry.ack_timeout / 2
            } else {
                entry.ack_timeout
            };
            let due = now.saturating_add(patience);
            self.deadlines.push(Reverse((due, id)));
        }
    }

    /// The server answered `id`. `None` where nobody waits for it: too late, or never asked.
    pub(crate) fn answered(&mut self, id: u64) -> Option<Entry> {
        let at = self.waiting.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        let entry = self.waiting[at].1.take()?;
        if entry.reliable {
            self.reliable -= 1;
            self.reliable_bytes -= entry.size();
        }
        self.answered += 1;
        while matches!(self.waiting.front(), Some((_, None))) {
            self.waiting.pop_front();
            self.answered -= 1;
        }
        self.compact();
        Some(entry)
    }

    /// Forgets what was answered, also behind one that is not: in turns, so that each costs little.
    fn compact(&mut self) {
        if self.answered > 32 && self.answered > self.waiting.len() / 2 {
            self.waiting.retain(|(_, entry)| entry.is_some());
            self.answered = 0;
        }
        if self.waiting.is_empty() {
            self.deadlines.clear();
        } else if self.deadlines.len() > 2 * self.waiting.len() + 32 {
            let mut deadlines = std::mem::take(&mut self.deadlines);
            deadlines.retain(|Reverse((_, id))| self.get(*id).is_some());
            self.deadlines = deadlines;
        }
    }

    /// The id of a message whose answer is overdue; each is given once.
    pub(crate) fn overdue(&mut self, now: Duration) -> Option<u64> {
        while let Some(Reverse((due, id))) = self.deadlines.peek().copied() {
            if due > now {
                return None;
            }
            self.deadlines.pop();
            if self.get(id).is_some() {
                return Some(id);
            }
        }
        None
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Entry> {
        let at = self.waiting.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.waiting[at].1.as_ref()
    }

    /// The link is gone: gives all that waited, in order. Ids go on, so that an answer which comes late, to a namespace
    /// that was joined again on the same link, is not taken for another's.
    pub(crate) fn disconnected(&mut self) -> Vec<Entry> {
        let fresh = Self {
            next_id: self.next_id,
            ..Self::default()
        };
        let waiting = std::mem::replace(self, fresh).waiting;
        waiting.into_iter().filter_map(|(_, entry)| entry).collect()
    }

    /// The messages without an answer, in the order in which they were written.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.waiting.iter_mut().filter_map(|(_, entry)| entry.as_mut())
    }

    /// The id of the message that the server knows as `wire`. Answers mostly come in order, so it is among the first.
    pub(crate) fn id_on_wire(&self, wire: &str) -> Option<u64> {
        let waits = |(_, entry): &&(u64, Option<Entry>)| {
            let known = entry.as_ref().and_then(|entry| entry.wire_id.as_deref());
            known == Some(wire)
        };
        self.waiting.iter().find(waits).map(|(id, _)| *id)
    }

    /// The id under which the message `seq` waits.
    pub(crate) fn id_of(&self, seq: u64) -> Option<u64> {
        let waits = |(_, entry): &&(u64, Option<Entry>)| entry.as_ref().is_some_and(|entry| entry.seq == seq);
        self.waiting.iter().find(waits).map(|(id, _)| *id)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.waiting.iter().filter_map(|(_, entry)| entry.as_ref())
    }

    /// How many reliable messages wait, and their bytes.
    pub(crate) fn reliable(&self) -> (usize, usize) {
        (self.reliable, self.reliable_bytes)
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.deadlines.peek().map(|Reverse((due, _))| *due)
    }
}
