//! What goes to the server: everything that can be written becomes one batch with one flush.

use bytes::Bytes;

use super::connection::{Core, Dial};
use super::context::Context;
use super::engineio::binary_len;
use super::io::{Frame, Now, Output, ReplyTo, SocketId};
use super::namespace::Namespace;
use super::outbox::{Entry, Item, Keeping, Pass, Purpose};
use super::probe::PROBE;
use super::sending::Bounds;
use super::socketio::{Kind, encode_message_prefix};
use super::stats::Stamp;
use super::timers::Timer;
use crate::broken::broken;
use crate::config::Protocol;
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::{Completer, Outcome};
use crate::state::Transport;

/// A batch is full with so many bytes. On a slow uplink what comes after it, an answer to a ping or a probe, does not wait
/// for everything that waited before.
pub(super) const BATCH: usize = 256 << 10;

/// Why a message is refused that a server would close the link for.
pub(super) const TOO_LARGE: &str = "it is larger than the server's maxPayload";

/// More than the head of any packet needs.
const HEAD: usize = 64;

/// What the server takes in one message, as the link would carry it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    max_payload: Option<u64>,
    /// Whether attachments travel as base64.
    base64: bool,
    protocol: Protocol,
}

impl Fit {
    fn takes(self, text: usize, attachments: &[Bytes]) -> bool {
        let Some(max) = self.max_payload else { return true };
        let attachment = |bytes: &Bytes| match self.base64 {
            true => binary_len(bytes.len()),
            false => bytes.len(),
        };
        let largest = attachments.iter().map(attachment).fold(text, usize::max);
        largest as u64 <= max
    }
}

/// A batch being put together, or being written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) frames: Vec<Frame>,
    bytes: usize,
    /// Messages whose last word is that they were written.
    pub(super) riders: Vec<(SocketId, Completer)>,
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
        let fit = self.fit();
        let Dial::Linked(link) = &mut self.dial else { return };
        // What a link cannot take now stays in the queue, and outlives it.
        if link.busy || !link.takes() {
            return;
        }
        for namespace in &mut self.sockets {
            namespace.fill(&mut self.cx, &mut self.head, &mut link.next, BATCH, fit);
        }
        if link.next.bytes > 0 {
            link.spoke = Some(self.cx.now.mono);
        }
        link.hand_over(&mut self.cx, &mut self.requests);
    }

    /// The link has written its batch.
    pub(super) fn handle_sent(&mut self) {
        let Dial::Linked(link) = &mut self.dial else { return };
        let written = link.written(&mut self.cx);
        for (socket, id) in written.asked {
            self.sockets[socket.index()].acks.written(self.cx.now.mono, id);
        }
        if written.probe && !link.urgent {
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

    /// The same, unless it waits already: a server must not be able to pile it up.
    pub(super) fn control_once(&mut self, frame: Frame) {
        if let Dial::Linked(link) = &mut self.dial
            && !link.next.frames.contains(&frame)
        {
            link.next.frames.push(frame);
        }
    }

    /// Writes what a socket still has before it leaves, so that `emit` then `disconnect` sends.
    pub(super) fn write_last(&mut self, socket: SocketId) {
        let fit = self.fit();
        if let Dial::Linked(link) = &mut self.dial {
            self.sockets[socket.index()].fill(&mut self.cx, &mut self.head, &mut link.next, usize::MAX, fit);
            if link.next.bytes > 0 {
                link.spoke = Some(self.cx.now.mono);
            }
        }
    }

    fn fit(&self) -> Fit {
        Fit {
            max_payload: self.max_payload,
            base64: self.cx.transport == Some(Transport::Polling),
            protocol: self.config.protocol,
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
        let (bounds, fit) = (self.bounds(), self.fit());
        let namespace = &mut self.sockets[socket.index()];
        let asked = matches!(&self.dial, Dial::Linked(link) if link.id == to.link);
        if !asked || !namespace.is_joined() || namespace.joins != to.join {
            return Err(Error::LinkLost);
        }
        if args.attachments.len() > bounds.attachments {
            return Err(Error::payload("it has more binary attachments than the limit"));
        }
        if !fit.takes(args.json.len() + HEAD, &args.attachments) {
            return Err(Error::payload(TOO_LARGE));
        }
        if namespace.outbox.reply_bytes() > bounds.outgoing {
            return Err(Error::Overloaded);
        }
        namespace.outbox.push_reply(to, args);
        Ok(())
    }
}

impl Namespace {
    /// Puts everything that may be written now into a batch.
    ///
    /// With `most` bytes it is full; what is left is first in the next one.
    pub(super) fn fill(&mut self, cx: &mut Context, head: &mut Vec<u8>, batch: &mut Batch, most: usize, fit: Fit) {
        if !self.is_joined() {
            return;
        }
        while let Some(entry) = self.urgent.pop_front() {
            self.write(cx, head, batch, fit, entry);
        }
        if !self.is_ready() || self.outbox.is_empty() {
            return;
        }
        // Acknowledgements for the server do not wait for its greeting.
        let ungreeted = self.waits_for_greeting();
        if !ungreeted {
            self.release(cx);
        }
        let mut pass = Pass::default();
        while batch.bytes < most {
            let found = match self.is_alone() {
                true => self.outbox.seek_reply(&mut pass),
                false => self.outbox.seek(&mut pass, |entry| ungreeted || self.holds(cx, entry)),
            };
            match found {
                // Nothing else is under way with it, so that if the link dies, it is known why.
                Some(Item::Message(entry)) if entry.is_suspect() && self.is_awaiting() => return,
                Some(_) => {}
                None => return,
            }
            match self.outbox.take_found(&pass) {
                Some(Item::Message(entry)) => self.write(cx, head, batch, fit, entry),
                Some(Item::Reply(to, args)) => self.write_reply(head, batch, to, &args),
                None => return,
            }
        }
    }

    /// Whether a message has to wait, and with it its lane.
    fn holds(&self, cx: &Context, entry: &Entry) -> bool {
        let unreleased = match entry.keeping {
            Keeping::Releasing | Keeping::Marking => true,
            Keeping::Kept => !entry.marked || !self.sends_again(),
            Keeping::Nowhere | Keeping::Released => false,
        };
        cx.has_store() && unreleased && !broken!(WritesBeforeTheStoreForgets)
            || self.is_doubtful(entry)
            || self.waits(entry)
    }

    /// Whether an answer is awaited that comes or is given up: that to a join may come at any time.
    fn is_awaiting(&self) -> bool {
        let ends = |entry: &Entry| !matches!(entry.purpose, Purpose::Join(_));
        self.acks.entries().any(ends)
    }

    /// Whether a message is under way that nothing else may be under way with.
    fn is_alone(&self) -> bool {
        self.alone.is_some_and(|id| self.acks.get(id).is_some())
    }

    fn write(&mut self, cx: &mut Context, head: &mut Vec<u8>, batch: &mut Batch, fit: Fit, mut entry: Entry) {
        if entry.purpose == Purpose::Skip && !self.keeps_order() {
            // It was for another server.
            return;
        }
        if fit.protocol == Protocol::Json {
            return self.write_json(cx, batch, entry);
        }
        let asks = entry.ack || (self.server_acks() && (entry.reliable || matches!(entry.purpose, Purpose::Leave(_))));
        let id = asks.then(|| self.acks.next_id());
        let kind = if entry.attachments.is_empty() {
            Kind::Event
        } else {
            Kind::BinaryEvent
        };
        self.write_head(head, kind, entry.attachments.len(), id);
        // It may have been queued before the server said how much it takes, or for another one.
        if !fit.takes(head.len() + entry.body.len(), &entry.attachments) {
            let error = Error::payload(TOO_LARGE);
            let outcome = entry.ended(Outcome::Rejected(error.clone()), error);
            self.finish(cx, entry, outcome);
            return;
        }
        batch.push(entry.body.frame(head, id.is_some()), &entry.attachments);
        self.handed_over(cx, batch, entry, id);
    }

    /// A message is in a batch; with `id` it waits for its answer.
    pub(super) fn handed_over(&mut self, cx: &mut Context, batch: &mut Batch, mut entry: Entry, id: Option<u64>) {
        if let Purpose::Leave(room) = &entry.purpose {
            match id {
                Some(_) => self.rooms.leaving(room),
                None => _ = self.rooms.forget(room),
            }
        }
        if entry.writes > 0 {
            cx.tally(self.id).retries += 1;
        }
        entry.writes = entry.writes.saturating_add(1);
        entry.once = !self.sends_again();
        if !entry.once {
            // The server's promise came after it had left the store.
            self.keep_again(cx, &mut entry);
        }
        entry.written = Stamp::at(cx.now.mono);
        match id {
            Some(id) => {
                batch.asked.push((self.id, id));
                if entry.is_suspect() {
                    self.alone = Some(id);
                }
                if entry.is_limited() {
                    self.lanes.written(entry.lane.as_deref());
                }
                self.acks.wait(id, entry);
            }
            None => {
                if let Purpose::Create { name, password } = entry.purpose {
                    self.rooms.creating(name, password);
                }
                let rider = entry.completer.map(|completer| (self.id, completer));
                batch.riders.extend(rider);
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
    pub(super) fn push(&mut self, text: Bytes, attachments: &[Bytes]) {
        self.bytes += text.len() + attachments.iter().map(Bytes::len).sum::<usize>();
        self.frames.push(Frame::Text(text));
        self.frames.extend(attachments.iter().cloned().map(Frame::Binary));
    }
}
