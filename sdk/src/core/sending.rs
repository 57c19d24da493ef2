//! A socket's messages on their way out: from `emit` to their one outcome.

use std::time::Duration;

use bytes::Bytes;

use super::body::Body;
use super::context::Context;
use super::emission::{Emission, EmitOptions, add_message_id};
use super::id;
use super::io::Pending;
use super::namespace::Namespace;
use super::outbox::{Entry, Keeping, Purpose};
use super::scan::ObjectWriter;
use super::stats::Stamp;
use super::typing::Target;
use crate::config::Overflow;
use crate::error::Error;
use crate::receipt::{self, Completer, Outcome, Receipt};
use crate::state::Notice;
use crate::store::Record;

/// What a message has to fit into right now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes that may wait while connected.
    pub(crate) outgoing: usize,
    /// Bytes that the link is writing.
    pub(crate) in_flight: usize,
    /// Attachments that a server takes.
    pub(crate) attachments: usize,
    /// Bytes of one message that the server takes, as far as it has said.
    pub(crate) max_payload: Option<u64>,
}

impl Namespace {
    /// Takes a message into its care, or refuses it: the receipt then has its outcome already.
    pub(crate) fn emit(&mut self, cx: &mut Context, emission: Emission, purpose: Purpose, bounds: Bounds) -> Receipt {
        let seq = cx.next_seq();
        let Emission {
            mut body,
            args_at,
            attachments,
            options,
        } = emission;
        let message_id = options.reliable.then(|| id::uuid_v7(cx.now.unix_ms, &mut cx.rng));
        let identified = match &message_id {
            Some(id) => add_message_id(&mut body, args_at, id),
            None => Ok(()),
        };
        let (receipt, completer) = receipt::pair(seq, message_id);
        if let Err(error) = identified {
            let outcome = Outcome::Rejected(error);
            cx.tally(self.id).ended(&outcome);
            completer.complete(outcome);
            return receipt;
        }
        let ttl = options.ttl.or(self.config.queue.ttl);
        let entry = Entry {
            seq,
            body,
            attachments,
            ack: options.ack,
            ack_timeout: options.timeout.unwrap_or(self.config.ack_timeout),
            reliable: options.reliable,
            volatile: options.volatile,
            lane: options.lane,
            expires: ttl.map(|ttl| cx.after(ttl)),
            since: Stamp::at(cx.now.mono),
            written: Stamp::default(),
            writes: 0,
            keeping: Keeping::Nowhere,
            purpose,
            wire_id: None,
            completer: None,
        };
        let typing = entry.purpose == Purpose::Typing;
        match self.admit(cx, &entry, bounds) {
            Ok(()) => self.accept(cx, entry, completer),
            Err(outcome) => {
                if !typing {
                    cx.tally(self.id).ended(&outcome);
                }
                completer.complete(outcome);
            }
        }
        receipt
    }

    /// Makes room for a message, or says why it is not taken.
    fn admit(&mut self, cx: &mut Context, entry: &Entry, bounds: Bounds) -> Result<(), Outcome> {
        let refuse = |reason: &'static str| Err(Outcome::Rejected(Error::payload(reason)));
        if entry.attachments.len() > bounds.attachments {
            return refuse("it has more binary attachments than the limit");
        }
        let largest = entry
            .attachments
            .iter()
            .map(Bytes::len)
            .fold(entry.body.len(), usize::max);
        if bounds.max_payload.is_some_and(|max| largest as u64 > max) {
            return refuse("it is larger than the server's maxPayload");
        }
        let size = entry.size();
        let waiting = self.outbox.bytes() + bounds.in_flight;
        if entry.volatile {
            let taken = self.is_ready() && waiting + size <= bounds.outgoing;
            return if taken { Ok(()) } else { Err(Outcome::Dropped) };
        }
        if size > self.config.queue.bytes {
            return refuse("it is larger than the whole queue");
        }
        if !self.is_ready() {
            return self.make_room(cx, size);
        }
        let full = if entry.reliable {
            let (unacked, unacked_bytes) = self.acks.reliable();
            self.outbox.reliable() + unacked >= self.config.queue.capacity
                || self.outbox.bytes() + unacked_bytes + size > self.config.queue.bytes
        } else {
            waiting > 0 && waiting + size > bounds.outgoing
        };
        if full {
            self.choked = true;
            return Err(Outcome::Rejected(Error::Overloaded));
        }
        Ok(())
    }

    /// Makes room in the queue for a message of `size` bytes while there is no connection.
    fn make_room(&mut self, cx: &mut Context, size: usize) -> Result<(), Outcome> {
        while self.outbox.len() >= self.config.queue.capacity || self.outbox.bytes() + size > self.config.queue.bytes {
            let oldest = match self.config.queue.overflow {
                Overflow::DropOldest => self.outbox.take_oldest_unwritten(),
                Overflow::Reject => None,
            };
            let Some(oldest) = oldest else {
                self.choked = true;
                return Err(Outcome::Rejected(Error::Overloaded));
            };
            self.overflowed(cx, oldest);
        }
        Ok(())
    }

    /// Brings the queue back within its bounds after a link has died with more on its way.
    fn trim(&mut self, cx: &mut Context) {
        if self.config.queue.overflow != Overflow::DropOldest {
            return;
        }
        while self.outbox.len() > self.config.queue.capacity || self.outbox.bytes() > self.config.queue.bytes {
            let Some(oldest) = self.outbox.take_oldest_unwritten() else {
                return;
            };
            self.overflowed(cx, oldest);
        }
    }

    fn overflowed(&mut self, cx: &mut Context, entry: Entry) {
        let notice = Notice::Overflow {
            receipt: entry.seq,
            message_id: entry.message_id(),
            event: entry.event(),
        };
        tracing::debug!(
            receipt = entry.seq,
            "the queue is full, and its oldest message is dropped"
        );
        self.finish(cx, entry, Outcome::Dropped);
        cx.notice(self.id, notice);
    }

    fn accept(&mut self, cx: &mut Context, mut entry: Entry, completer: Completer) {
        // A room's password is never stored, so neither is the message that creates the room.
        let secret = matches!(entry.purpose, Purpose::Create { password: Some(_), .. });
        if entry.reliable && !secret && cx.has_store() {
            entry.keeping = Keeping::Kept;
            let record = self.record(cx, &entry, completer.message_id().unwrap_or_default());
            cx.store_put(record, completer.acceptor());
        } else {
            completer.accept_now();
        }
        // Nobody has the receipt of what tells that the user types.
        entry.completer = (entry.purpose != Purpose::Typing).then_some(completer);
        self.outbox.push(entry);
    }

    fn record(&self, cx: &Context, entry: &Entry, message_id: &str) -> Record {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let left = entry.expires.map(|at| millis(at.saturating_sub(cx.now.mono)));
        Record {
            seq: entry.seq,
            namespace: self.config.name.clone(),
            message_id: message_id.to_owned(),
            body: Bytes::copy_from_slice(entry.body.json()),
            attachments: entry.attachments.clone(),
            lane: entry.lane.as_deref().map(str::to_owned),
            expires_unix_ms: left.map(|left| cx.now.unix_ms.saturating_add(left)),
            ack_timeout_ms: millis(entry.ack_timeout),
            account: None,
        }
    }

    /// Takes up a message that a store kept. Its receipt belongs to a process that is gone.
    pub(crate) fn restore(&mut self, cx: &mut Context, record: Record) {
        cx.skip_seq(record.seq);
        let left = |at: u64| cx.after(Duration::from_millis(at.saturating_sub(cx.now.unix_ms)));
        let (_receipt, completer) = receipt::pair(record.seq, Some(record.message_id.into_boxed_str()));
        completer.accept_now();
        self.outbox.push(Entry {
            seq: record.seq,
            body: Body::kept(record.body),
            attachments: record.attachments,
            ack: false,
            ack_timeout: Duration::from_millis(record.ack_timeout_ms),
            reliable: true,
            volatile: false,
            lane: record.lane.map(String::into_boxed_str),
            expires: record.expires_unix_ms.map(left),
            since: Stamp::at(cx.now.mono),
            written: Stamp::default(),
            writes: 0,
            keeping: Keeping::Kept,
            purpose: Purpose::Message,
            wire_id: None,
            completer: Some(completer),
        });
    }

    /// Ends a message.
    pub(crate) fn finish(&mut self, cx: &mut Context, entry: Entry, outcome: Outcome) {
        if entry.keeping == Keeping::Kept {
            cx.store_remove(entry.seq);
        }
        if let Some(completer) = entry.completer {
            cx.settle(self.id, completer, outcome);
        }
    }

    /// The link that these were written to is gone.
    pub(crate) fn take_back(&mut self, cx: &mut Context, error: &Error) {
        let again = self.sends_again();
        let mut back: Vec<Entry> = Vec::new();
        for entry in self.acks.disconnected() {
            let told_again = match &entry.purpose {
                // What was sent to the room before goes again, and the leave behind it. A session that may be taken up
                // again may also still be in the room.
                Purpose::Leave(room) => {
                    let behind = back.iter().any(|before| before.lane == entry.lane);
                    self.rooms.is_leaving(room) && (behind || self.recovery.is_some())
                }
                _ => entry.reliable && again,
            };
            if told_again {
                back.push(entry);
            } else {
                self.finish(cx, entry, Outcome::Unconfirmed(error.clone()));
            }
        }
        self.outbox.put_back(back);
        let outbox = &self.outbox;
        self.rooms.forget_left(|lane| {
            let mut lane = outbox.entries().filter(|entry| entry.lane.as_deref() == Some(lane));
            lane.next().is_some_and(|first| !first.is_own()) && lane.any(Entry::is_own)
        });
        let drop_them = |entry: &Entry| entry.volatile;
        while let Some(entry) = self.outbox.take_where(drop_them) {
            self.finish(cx, entry, Outcome::Dropped);
        }
        self.trim(cx);
    }

    /// The server knows that the user is not in `room`.
    pub(crate) fn left(&mut self, room: &str) {
        if self.rooms.is_leaving(room) {
            self.rooms.forget(room);
        }
    }

    /// Messages whose time to live is over.
    pub(crate) fn expire_messages(&mut self, cx: &mut Context) {
        while let Some(entry) = self.outbox.take_expired(cx.now.mono) {
            let outcome = entry.ended(Outcome::Expired, Error::LinkLost);
            self.finish(cx, entry, outcome);
        }
    }

    /// The store could not keep these. What was not written is refused; the rest is as good as without a store.
    pub(crate) fn not_stored(&mut self, cx: &mut Context, seqs: &[u64], error: &Error) {
        while let Some(mut entry) = self
            .outbox
            .take_where(|entry| entry.writes == 0 && seqs.contains(&entry.seq))
        {
            entry.keeping = Keeping::Nowhere;
            self.finish(cx, entry, Outcome::Rejected(error.clone()));
        }
    }

    /// No answer came for `id`, and the link is known to have carried the message.
    pub(crate) fn ack_overdue(&mut self, cx: &mut Context, id: u64) {
        let Some(entry) = self.acks.get(id) else { return };
        let error = Error::AckTimeout {
            after: entry.ack_timeout,
        };
        if let Purpose::Join(room) = &entry.purpose {
            // The wish stays, and an answer that comes late still counts.
            for completer in self.rooms.unanswered(room) {
                cx.settle(self.id, completer, Outcome::Unconfirmed(error.clone()));
            }
        } else if let Some(entry) = self.acks.answered(id) {
            if let Purpose::Leave(room) = &entry.purpose {
                self.left(room);
            }
            self.finish(cx, entry, Outcome::Unconfirmed(error));
        }
    }

    /// Takes a message back. Says whether it will not be sent, or not again.
    pub(crate) fn cancel(&mut self, cx: &mut Context, seq: u64) -> bool {
        if let Some(entry) = self.outbox.take_where(|entry| entry.seq == seq && !entry.is_own()) {
            let outcome = entry.ended(Outcome::Cancelled, Error::LinkLost);
            self.finish(cx, entry, outcome);
            return true;
        }
        // Written, and its answer still awaited: it can only be kept from being sent again.
        let again = |id: &u64| self.sends_again() && self.acks.get(*id).is_some_and(|entry| entry.reliable);
        let Some(id) = self.acks.id_of(seq).filter(again) else {
            return false;
        };
        if let Some(entry) = self.acks.answered(id) {
            self.finish(cx, entry, Outcome::Unconfirmed(Error::LinkLost));
        }
        true
    }

    /// Takes back every message that waits to be written. Leaves and typing are none.
    pub(crate) fn clear(&mut self, cx: &mut Context) {
        while let Some(entry) = self.outbox.take_where(|entry| !entry.is_own()) {
            let outcome = entry.ended(Outcome::Cancelled, Error::LinkLost);
            self.finish(cx, entry, outcome);
        }
    }

    /// Takes back everything of the user, after the link is gone.
    pub(crate) fn forget(&mut self, cx: &mut Context) {
        while let Some(entry) = self.outbox.take_where(|_| true) {
            let outcome = entry.ended(Outcome::Cancelled, Error::Closed);
            self.finish(cx, entry, outcome);
        }
        for completer in self.rooms.drain().collect::<Vec<_>>() {
            cx.settle(self.id, completer, Outcome::Cancelled);
        }
        self.features = None;
        self.forget_session();
    }

    /// Ends everything: the client is closed.
    pub(crate) fn close(&mut self, cx: &mut Context) {
        for entry in self.acks.disconnected() {
            self.finish(cx, entry, Outcome::Unconfirmed(Error::Closed));
        }
        while let Some(mut entry) = self.outbox.take_where(|_| true) {
            // What a store holds stays there, and may be sent by the next client: closing is not forgetting.
            let kept = std::mem::take(&mut entry.keeping) != Keeping::Nowhere;
            let outcome = match entry.writes {
                0 if !kept => Outcome::Rejected(Error::Closed),
                _ => Outcome::Unconfirmed(Error::Closed),
            };
            self.finish(cx, entry, outcome);
        }
        self.urgent.clear();
        for completer in self.rooms.drain().collect::<Vec<_>>() {
            cx.settle(self.id, completer, Outcome::Rejected(Error::Closed));
        }
    }

    /// What waits to be sent or acknowledged, in order.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        // Without one it is a join: a wish, not a message.
        let written = self.acks.entries().filter(|entry| entry.completer.is_some());
        written
            .map(|entry| entry.pending(true))
            .chain(self.outbox.entries().map(|entry| entry.pending(false)))
            .collect()
    }

    /// Whether a message would be taken, as far as the queue is concerned.
    pub(crate) fn has_room(&self, bounds: Bounds) -> bool {
        let queue = &self.config.queue;
        if !self.is_ready() {
            let drops = queue.overflow == Overflow::DropOldest && self.outbox.has_unwritten();
            return drops || self.outbox.len() < queue.capacity && self.outbox.bytes() < queue.bytes;
        }
        let (unacked, unacked_bytes) = self.acks.reliable();
        self.outbox.bytes() + bounds.in_flight <= bounds.outgoing / 2
            && self.outbox.reliable() + unacked < queue.capacity
            && self.outbox.bytes() + unacked_bytes <= queue.bytes / 2
    }

    /// `typing_start` or `typing_stop`: sent only if it can be sent now.
    pub(crate) fn say_typing(&mut self, cx: &mut Context, start: bool, target: &Target, bounds: Bounds) -> bool {
        let mut args = Vec::with_capacity(64);
        let mut object = ObjectWriter::new(&mut args);
        match target {
            Target::User(id) => {
                object.string("type", "private");
                object.string("recipientId", id);
            }
            Target::Room(id) => {
                object.string("type", "group");
                object.string("roomId", id);
            }
        }
        object.end();
        let event = if start { "typing_start" } else { "typing_stop" };
        let emission = Emission::of_object(event, &args, EmitOptions::new().volatile());
        let receipt = self.emit(cx, emission, Purpose::Typing, bounds);
        receipt.outcome().is_none()
    }
}
