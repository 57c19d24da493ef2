//! What goes to the server: everything that can be written becomes one batch with one flush.

use bytes::Bytes;

use super::connection::{Core, Dial, Link};
use super::context::Context;
use super::io::{Frame, Now, Output, ReplyTo, SocketId};
use super::namespace::Namespace;
use super::outbox::{Entry, Item, Purpose};
use super::sending::Bounds;
use super::socketio::{Kind, encode_message_prefix};
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::{Completer, Outcome};

/// A batch being put together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) frames: Vec<Frame>,
    bytes: usize,
    /// Messages whose last word is that they were written.
    pub(super) riders: Vec<Completer>,
}

impl Core {
    /// Hands over what can be written, unless a batch is still being written: then it goes when that is done, all of it
    /// at once.
    pub(super) fn flush(&mut self) {
        let Dial::Linked(link) = &mut self.dial else { return };
        if link.busy {
            return;
        }
        for namespace in &mut self.sockets {
            namespace.fill(&mut self.cx, &mut self.head, &mut link.next);
        }
        link.hand_over(&mut self.cx);
    }

    /// The link has written its batch.
    pub(super) fn handle_sent(&mut self) {
        let Dial::Linked(link) = &mut self.dial else { return };
        link.written(&mut self.cx);
        self.flush();
        for index in 0..self.sockets.len() {
            if self.sockets[index].choked && self.sockets[index].has_room(self.bounds()) {
                self.sockets[index].choked = false;
                self.cx.push(Output::Writable(self.sockets[index].id));
            }
        }
    }

    /// A frame of the protocol's own: it goes before all messages that still wait.
    pub(super) fn control(&mut self, frame: Frame) {
        if let Dial::Linked(link) = &mut self.dial {
            link.next.frames.push(frame);
        }
    }

    /// Writes what a socket still has before it leaves, so that `emit` then `disconnect` sends.
    pub(super) fn write_last(&mut self, socket: SocketId) {
        if let Dial::Linked(link) = &mut self.dial {
            self.sockets[socket.index()].fill(&mut self.cx, &mut self.head, &mut link.next);
        }
    }

    /// What a message has to fit into right now.
    pub(super) fn bounds(&self) -> Bounds {
        let in_flight = match &self.dial {
            Dial::Linked(link) => link.in_flight,
            _ => 0,
        };
        Bounds {
            outgoing: self.config.limits.outgoing,
            in_flight,
            attachments: self.config.limits.attachments,
            max_payload: self.max_payload,
        }
    }

    /// Answers an event that the server wants an acknowledgement of.
    ///
    /// # Errors
    /// [`Error::LinkLost`] where the link that asked is gone: nobody waits for the answer any more.
    pub(crate) fn reply(&mut self, now: Now, socket: SocketId, to: ReplyTo, args: RawArgs) -> Result<(), Error> {
        self.enter(now);
        let namespace = &mut self.sockets[socket.index()];
        match &self.dial {
            Dial::Linked(link) if link.id == to.link && namespace.is_joined() => {
                namespace.outbox.push_reply(to, args);
                Ok(())
            }
            _ => Err(Error::LinkLost),
        }
    }
}

impl Link {
    /// Gives its next batch to the system, if there is one.
    pub(super) fn hand_over(&mut self, cx: &mut Context) {
        if self.busy || self.next.frames.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.next);
        self.busy = true;
        self.in_flight = batch.bytes;
        self.riders = batch.riders;
        cx.push(Output::Send(self.id, batch.frames));
    }

    /// Its batch has been written.
    pub(super) fn written(&mut self, cx: &mut Context) {
        self.busy = false;
        self.in_flight = 0;
        for completer in self.riders.drain(..) {
            cx.settle(completer, Outcome::Sent);
        }
    }

    /// It is gone with what it was given.
    pub(super) fn died(self, cx: &mut Context) {
        for completer in self.riders.into_iter().chain(self.next.riders) {
            cx.settle(completer, Outcome::Unconfirmed(Error::LinkLost));
        }
    }
}

impl Namespace {
    /// Puts everything that may be written now into a batch.
    pub(super) fn fill(&mut self, cx: &mut Context, head: &mut Vec<u8>, batch: &mut Batch) {
        if !self.is_joined() {
            return;
        }
        while let Some(entry) = self.urgent.pop_front() {
            self.write(cx, head, batch, entry);
        }
        if !self.is_ready() || self.outbox.is_empty() {
            return;
        }
        if self.waits_for_greeting() {
            return;
        }
        let patient = self.server_acks();
        loop {
            let rooms = &self.rooms;
            let held = |entry: &Entry| entry.lane.as_deref().is_some_and(|lane| rooms.holds(lane, patient));
            match self.outbox.take_next(held) {
                Some(Item::Message(entry)) => self.write(cx, head, batch, entry),
                Some(Item::Reply(to, args)) => self.write_reply(head, batch, to, &args),
                None => return,
            }
        }
    }

    fn write(&mut self, cx: &mut Context, head: &mut Vec<u8>, batch: &mut Batch, mut entry: Entry) {
        let asks = entry.ack
            || (self.server_acks() && (entry.reliable || matches!(entry.purpose, Purpose::Leave(_))));
        let id = asks.then(|| self.acks.next_id());
        let kind = if entry.attachments.is_empty() { Kind::Event } else { Kind::BinaryEvent };
        self.write_head(head, kind, entry.attachments.len(), id);
        batch.push(entry.body.frame(head, id.is_some()), &entry.attachments);
        entry.writes = entry.writes.saturating_add(1);
        match id {
            Some(id) => self.acks.wait(cx.now.mono, id, entry),
            None => {
                if entry.stored {
                    cx.store_remove(entry.seq);
                }
                batch.riders.extend(entry.completer);
            }
        }
    }

    fn write_reply(&self, head: &mut Vec<u8>, batch: &mut Batch, to: ReplyTo, args: &RawArgs) {
        let kind = if args.attachments.is_empty() { Kind::Ack } else { Kind::BinaryAck };
        self.write_head(head, kind, args.attachments.len(), Some(to.id));
        batch.push(Bytes::from([head.as_slice(), args.json.as_bytes()].concat()), &args.attachments);
    }

    fn write_head(&self, head: &mut Vec<u8>, kind: Kind, attachments: usize, id: Option<u64>) {
        head.clear();
        encode_message_prefix(head, kind, attachments, &self.config.name, id);
    }
}

impl Batch {
    /// A packet and the attachments behind it.
    fn push(&mut self, text: Bytes, attachments: &[Bytes]) {
        self.bytes += text.len() + attachments.iter().map(Bytes::len).sum::<usize>();
        self.frames.push(Frame::Text(text));
        self.frames.extend(attachments.iter().cloned().map(Frame::Binary));
    }
}
