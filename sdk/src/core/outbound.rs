//! What goes to the server: everything that can be written becomes one batch with one flush.

use bytes::Bytes;

use super::connection::{Core, Dial, Link};
use super::context::Context;
use super::io::{Frame, Now, Output, ReplyTo, SocketId};
use super::namespace::Namespace;
use super::outbox::{Entry, Item, Purpose};
use super::probe::PROBE;
use super::sending::Bounds;
use super::socketio::{Kind, encode_message_prefix};
use super::timers::Timer;
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::{Completer, Outcome};

/// A batch is full with so many bytes. On a slow uplink what comes after it, an answer to a ping or a probe, does not wait
/// for everything that waited before.
const BATCH: usize = 256 << 10;

/// Why a message is refused that a server would close the link for.
pub(super) const TOO_LARGE: &str = "it is larger than the server's maxPayload";

/// More than the head of any packet needs.
const HEAD: u64 = 64;

/// A batch being put together, or being written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) frames: Vec<Frame>,
    bytes: usize,
    /// Messages whose last word is that they were written.
    pub(super) riders: Vec<Completer>,
    /// Messages whose time for an answer begins when they are written.
    asked: Vec<(SocketId, u64)>,
    /// Whether a probe is among the frames.
    pub(super) probe: bool,
    /// Whether an answer to a ping is.
    pub(super) pong: bool,
}

impl Core {
    /// Hands over what can be written, unless a batch is still being written: then it goes together when that is done.
    pub(super) fn flush(&mut self) {
        let Dial::Linked(link) = &mut self.dial else { return };
        if link.busy {
            return;
        }
        for namespace in &mut self.sockets {
            namespace.fill(&mut self.cx, &mut self.head, &mut link.next, BATCH, self.max_payload);
        }
        link.hand_over(&mut self.cx);
    }

    /// The link has written its batch.
    pub(super) fn handle_sent(&mut self) {
        let Dial::Linked(link) = &mut self.dial else { return };
        let written = link.written(&mut self.cx);
        for (socket, id) in written.asked {
            self.sockets[socket.index()].acks.written(self.cx.now.mono, id);
        }
        if written.probe {
            self.timers.set(Timer::Probe, self.cx.after(PROBE));
        }
        self.flush();
    }

    /// Tells who waits that there is room again.
    pub(super) fn tell_writable(&mut self) {
        let bounds = self.bounds();
        for namespace in self.sockets.iter_mut().filter(|namespace| namespace.choked) {
            if self.closed || namespace.has_room(bounds) {
                namespace.choked = false;
                self.cx.push(Output::Writable(namespace.id));
            }
        }
    }

    /// Answers a ping. One answer is enough for any number of pings that came while nothing could be written.
    pub(super) fn pong(&mut self, frame: Frame) {
        if let Dial::Linked(link) = &mut self.dial
            && !std::mem::replace(&mut link.next.pong, true)
        {
            link.next.frames.push(frame);
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
            self.sockets[socket.index()].fill(
                &mut self.cx,
                &mut self.head,
                &mut link.next,
                usize::MAX,
                self.max_payload,
            );
        }
    }

    /// What a message has to fit into right now.
    pub(super) fn bounds(&self) -> Bounds {
        let in_flight = match &self.dial {
            Dial::Linked(link) => link.flying.bytes,
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
        let bounds = self.bounds();
        let namespace = &mut self.sockets[socket.index()];
        let asked = matches!(&self.dial, Dial::Linked(link) if link.id == to.link);
        if !asked || !namespace.is_joined() || namespace.joins != to.join {
            return Err(Error::LinkLost);
        }
        if args.attachments.len() > bounds.attachments {
            return Err(Error::payload("it has more binary attachments than the limit"));
        }
        if bounds
            .max_payload
            .is_some_and(|max| args.json.len() as u64 + HEAD > max)
        {
            return Err(Error::payload(TOO_LARGE));
        }
        if namespace.outbox.reply_bytes() > bounds.outgoing {
            return Err(Error::Overloaded);
        }
        namespace.outbox.push_reply(to, args);
        Ok(())
    }
}

impl Link {
    /// Gives its next batch to the system, if there is one.
    pub(super) fn hand_over(&mut self, cx: &mut Context) {
        if self.busy || self.next.frames.is_empty() {
            return;
        }
        let mut batch = std::mem::take(&mut self.next);
        self.busy = true;
        cx.push(Output::Send(self.id, std::mem::take(&mut batch.frames)));
        self.flying = batch;
    }

    /// Its batch has been written. Gives what that begins.
    pub(super) fn written(&mut self, cx: &mut Context) -> Batch {
        self.busy = false;
        let mut written = std::mem::take(&mut self.flying);
        for completer in written.riders.drain(..) {
            cx.settle(completer, Outcome::Sent);
        }
        written
    }

    /// It is gone with what it was given.
    pub(super) fn died(self, cx: &mut Context) {
        for completer in self.flying.riders.into_iter().chain(self.next.riders) {
            cx.settle(completer, Outcome::Unconfirmed(Error::LinkLost));
        }
    }
}

impl Namespace {
    /// Puts everything that may be written now into a batch.
    ///
    /// With `most` bytes it is full; what is left is first in the next one.
    pub(super) fn fill(
        &mut self,
        cx: &mut Context,
        head: &mut Vec<u8>,
        batch: &mut Batch,
        most: usize,
        max_payload: Option<u64>,
    ) {
        if !self.is_joined() {
            return;
        }
        while let Some(entry) = self.urgent.pop_front() {
            self.write(cx, head, batch, max_payload, entry);
        }
        if !self.is_ready() || self.outbox.is_empty() {
            return;
        }
        // Acknowledgements for the server do not wait for its greeting.
        let ungreeted = self.waits_for_greeting();
        let patient = self.server_acks();
        while batch.bytes < most {
            let rooms = &self.rooms;
            let held =
                |entry: &Entry| ungreeted || entry.lane.as_deref().is_some_and(|lane| rooms.holds(lane, patient));
            match self.outbox.take_next(held) {
                Some(Item::Message(entry)) => self.write(cx, head, batch, max_payload, entry),
                Some(Item::Reply(to, args)) => self.write_reply(head, batch, to, &args),
                None => return,
            }
        }
    }

    fn write(
        &mut self,
        cx: &mut Context,
        head: &mut Vec<u8>,
        batch: &mut Batch,
        max_payload: Option<u64>,
        mut entry: Entry,
    ) {
        let asks = entry.ack || (self.server_acks() && (entry.reliable || matches!(entry.purpose, Purpose::Leave(_))));
        let id = asks.then(|| self.acks.next_id());
        let kind = if entry.attachments.is_empty() {
            Kind::Event
        } else {
            Kind::BinaryEvent
        };
        self.write_head(head, kind, entry.attachments.len(), id);
        // It may have been queued before the server said how much it takes, or for another one.
        if max_payload.is_some_and(|max| (head.len() + entry.body.len()) as u64 > max) {
            self.finish(cx, entry, Outcome::Rejected(Error::payload(TOO_LARGE)));
            return;
        }
        if let Purpose::Leave(room) = &entry.purpose {
            match id {
                Some(_) => self.rooms.leaving(room),
                None => _ = self.rooms.forget(room),
            }
        }
        batch.push(entry.body.frame(head, id.is_some()), &entry.attachments);
        entry.writes = entry.writes.saturating_add(1);
        match id {
            Some(id) => {
                batch.asked.push((self.id, id));
                self.acks.wait(id, entry);
            }
            None => {
                if entry.stored {
                    cx.store_remove(entry.seq);
                }
                batch.riders.extend(entry.completer);
            }
        }
    }

    fn write_reply(&self, head: &mut Vec<u8>, batch: &mut Batch, to: ReplyTo, args: &RawArgs) {
        let kind = if args.attachments.is_empty() {
            Kind::Ack
        } else {
            Kind::BinaryAck
        };
        self.write_head(head, kind, args.attachments.len(), Some(to.id));
        batch.push(
            Bytes::from([head.as_slice(), args.json.as_bytes()].concat()),
            &args.attachments,
        );
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
