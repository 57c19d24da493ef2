//! A socket's messages on their way out: from `emit` to their one outcome.

use bytes::Bytes;

use super::context::Context;
use super::emission::{Emission, EmitOptions, add_message_id};
use super::id;
use super::io::Pending;
use super::keeping::record;
use super::lanes::Lanes;
use super::namespace::Namespace;
use super::outbox::{Entry, Keeping, Purpose};
use super::rooms::Rooms;
use super::scan::ObjectWriter;
use super::typing::Target;
use crate::broken::broken;
use crate::config::Overflow;
use crate::error::Error;
use crate::receipt::{self, Completer, Outcome, Receipt};
use crate::state::Notice;

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

/// Whether a message waits for its room, or for the server's limit on its lane.
pub(super) fn waits(entry: &Entry, chat: bool, patient: bool, rooms: &Rooms, lanes: &Lanes) -> bool {
    let lane = entry.lane.as_deref();
    // After a restart the app has to say again which rooms it is in.
    let orphaned = |lane| chat && entry.restored && rooms.orphans(lane);
    lane.is_some_and(|lane| rooms.holds(lane, patient) || orphaned(lane)) || lanes.holds(lane)
}

impl Namespace {
    /// Whether a message waits for its room, or for the server's limit on its lane.
    pub(super) fn waits(&self, entry: &Entry) -> bool {
        waits(entry, self.is_chat(), self.server_acks(), &self.rooms, &self.lanes)
    }

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
            cx.status(self.id, completer.message_id(), &outcome);
            completer.complete(outcome);
            return receipt;
        }
        let ttl = options.ttl.or_else(|| self.config.queue.ttl_of(&body));
        let entry = Entry {
            attachments,
            ack: options.ack,
            ack_timeout: options.timeout.unwrap_or(self.config.ack_timeout),
            reliable: options.reliable,
            volatile: options.volatile,
            lane: options.lane,
            expires: ttl.map(|ttl| cx.after(if broken!(ExpiresTooEarly) { ttl / 2 } else { ttl })),
            account: self.account.clone(),
            purpose,
            ..Entry::new(seq, body, cx.now.mono)
        };
        let typing = entry.purpose == Purpose::Typing;
        match self.admit(cx, &entry, bounds) {
            Ok(()) => self.accept(cx, entry, completer),
            Err(outcome) => {
                if !typing {
                    cx.tally(self.id).ended(&outcome);
                    cx.status(self.id, completer.message_id(), &outcome);
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
    pub(super) fn trim(&mut self, cx: &mut Context) {
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

    pub(super) fn overflowed(&mut self, cx: &mut Context, entry: Entry) {
        let notice = Notice::Overflow {
            receipt: entry.seq,
            message_id: entry.message_id(),
            event: entry.event(),
        };
        tracing::debug!(
            receipt = entry.seq,
            "the queue is full, and its oldest message is dropped"
        );
        let outcome = entry.ended(Outcome::Dropped, Error::LinkLost);
        self.finish(cx, entry, outcome);
        cx.notice(self.id, notice);
    }

    fn accept(&mut self, cx: &mut Context, mut entry: Entry, completer: Completer) {
        // A room's password is never stored, so neither is the message that creates the room.
        let secret = matches!(entry.purpose, Purpose::Create { password: Some(_), .. });
        if entry.reliable && !secret && cx.has_store() {
            entry.keeping = Keeping::Kept;
            // Connected, it may be written at once.
            entry.marked = self.is_ready() && self.sends_again();
            if broken!(AcceptsTooEarly) {
                completer.accept_now();
            }
            let record = record(
                cx,
                &self.config.name,
                &entry,
                completer.message_id().unwrap_or_default(),
            );
            cx.store_put(record, completer.acceptor());
        } else {
            completer.accept_now();
        }
        // Nobody has the receipt of what tells that the user types.
        entry.completer = (entry.purpose != Purpose::Typing).then_some(completer);
        self.outbox.push(entry);
    }

    /// The server knows that the user is not in `room`.
    pub(crate) fn left(&mut self, room: &str) {
        if self.rooms.is_leaving(room) {
            self.rooms.forget(room);
        }
    }

    /// What waits to be sent or acknowledged, in order.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let queued = self
            .outbox
            .entries()
            .filter(|entry| !matches!(entry.purpose, Purpose::Skip | Purpose::Typing));
        // Without one it is a join: a wish, not a message.
        let written = self.acks.entries().filter(|entry| entry.completer.is_some());
        written
            .map(|entry| entry.pending(true))
            .chain(queued.map(|entry| entry.pending(false)))
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
