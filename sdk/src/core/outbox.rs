//! The queue of one socket: what waits to be handed to a link, in order and within bounds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::body::Body;
use super::io::{Pending, ReplyTo};
use super::scan;
use super::stats::Stamp;
use crate::broken::broken;
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::{Completer, Outcome};

/// At so many deaths of a link a message is suspected, and goes out alone; at one more it is given up.
pub(crate) const SUSPECT: u8 = 2;

/// One message in the core's care.
pub(crate) struct Entry {
    /// Its place in the order of all messages.
    pub(crate) seq: u64,
    /// `["event",…]`.
    pub(crate) body: Body,
    pub(crate) attachments: Vec<Bytes>,
    /// Whether the app asked for an acknowledgement.
    pub(crate) ack: bool,
    pub(crate) ack_timeout: Duration,
    pub(crate) reliable: bool,
    pub(crate) volatile: bool,
    pub(crate) lane: Option<Box<str>>,
    pub(crate) expires: Option<Duration>,
    /// When it was taken into the client's care.
    pub(crate) since: Stamp,
    /// When it was last handed to a link, or written by it.
    pub(crate) written: Stamp,
    /// To how many links it was handed since the server last said that it did not take it.
    pub(crate) writes: u8,
    /// Whether it was written so that it must not be written again.
    pub(crate) once: bool,
    /// Whether a server that keeps the order waits for it, because it refused it for a time.
    pub(crate) refused: bool,
    /// At how many deaths of a link it was the first without an answer.
    pub(crate) deaths: u8,
    /// The user under whom it was accepted, where that was known.
    pub(crate) account: Option<Arc<str>>,
    /// Whether it comes from an earlier run of the program.
    pub(crate) restored: bool,
    /// Whether that run may have written it.
    pub(crate) earlier: bool,
    /// Whether the store knows that it may have been written.
    pub(crate) marked: bool,
    /// Whether a store holds it.
    pub(crate) keeping: Keeping,
    pub(crate) purpose: Purpose,
    /// By what the server knows it, where that is no number: in plain JSON, once it was written.
    pub(crate) wire_id: Option<Box<str>>,
    /// `None` where nobody waits: most of the core's own messages.
    pub(crate) completer: Option<Completer>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither what it says nor a room's password.
        f.debug_struct("Entry")
            .field("seq", &self.seq)
            .field("writes", &self.writes)
            .finish_non_exhaustive()
    }
}

/// Where a message is beside the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Keeping {
    /// In no store.
    #[default]
    Nowhere,
    /// In the store.
    Kept,
    /// The store is forgetting it, so that it can be written at most once.
    Releasing,
    /// The store has forgotten it for that.
    Released,
    /// In the store, which is taking down that it may have been written.
    Marking,
}

/// What the core itself does with the answer.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) enum Purpose {
    /// Nothing.
    #[default]
    Message,
    /// It joins this room.
    Join(String),
    /// It leaves this room.
    Leave(String),
    /// It tells that the user types, or no longer does.
    Typing,
    /// It creates a room of this name, which may have a password.
    Create { name: String, password: Option<String> },
    /// It tells a server that keeps the order not to wait for a message any more.
    Skip,
}

impl Keeping {
    /// Whether the next run of the program would find it.
    pub(crate) fn is_kept(self) -> bool {
        matches!(self, Self::Kept | Self::Releasing | Self::Marking)
    }
}

impl Entry {
    /// A message of which nothing is known but what it says.
    pub(crate) fn new(seq: u64, body: Body, now: Duration) -> Self {
        Self {
            seq,
            body,
            attachments: Vec::new(),
            ack: false,
            ack_timeout: Duration::ZERO,
            reliable: false,
            volatile: false,
            lane: None,
            expires: None,
            since: Stamp::at(now),
            written: Stamp::default(),
            writes: 0,
            once: false,
            refused: false,
            deaths: 0,
            account: None,
            restored: false,
            earlier: false,
            marked: false,
            keeping: Keeping::Nowhere,
            purpose: Purpose::Message,
            wire_id: None,
            completer: None,
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.body.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// Whether it is the core's own: it tells of a wish or of typing, and neither counts nor can be taken back as a
    /// message.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.purpose, Purpose::Leave(_) | Purpose::Typing | Purpose::Skip)
    }

    /// Whether it goes out as soon as there is a connection, whatever its lane waits for.
    pub(crate) fn is_free(&self) -> bool {
        self.volatile || matches!(self.purpose, Purpose::Typing | Purpose::Skip)
    }

    /// Whether it comes again, in its lane, after the server has refused it for a time.
    pub(crate) fn is_limited(&self) -> bool {
        self.reliable || matches!(self.purpose, Purpose::Leave(_))
    }

    /// Whether a server of today may have it already.
    pub(crate) fn may_be_known(&self) -> bool {
        self.writes > 0 || self.refused || self.earlier
    }

    /// Whether the links that died under it are so many that it is suspected of being why.
    pub(crate) fn is_suspect(&self) -> bool {
        self.deaths >= SUSPECT
    }

    /// Whether it is a message of the app's.
    pub(crate) fn is_message(&self) -> bool {
        !self.is_own() && !matches!(self.purpose, Purpose::Join(_))
    }

    /// How it ends now: as `unwritten` says, unless a link has had it, and with it perhaps the server.
    pub(crate) fn ended(&self, unwritten: Outcome, error: Error) -> Outcome {
        // One of an earlier run may have been written by that.
        match self.writes {
            0 if !self.earlier => unwritten,
            _ => Outcome::Unconfirmed(error),
        }
    }

    /// A string field of its first argument.
    pub(crate) fn string_field(&self, name: &str) -> Option<String> {
        let body = std::str::from_utf8(self.body.json()).ok()?;
        let field = scan::field(scan::elements(body).nth(1)?, name)?;
        scan::string(field).map(|text| text.into_owned())
    }

    fn is_droppable(&self) -> bool {
        self.writes == 0 && !self.is_own()
    }

    /// The event's name.
    pub(crate) fn event(&self) -> String {
        let body = std::str::from_utf8(self.body.json()).unwrap_or_default();
        let name = scan::elements(body).next().and_then(scan::string);
        name.map(|name| name.into_owned()).unwrap_or_default()
    }

    pub(crate) fn message_id(&self) -> Option<String> {
        self.completer.as_ref()?.message_id().map(str::to_owned)
    }

    pub(crate) fn pending(&self, written: bool) -> Pending {
        Pending {
            receipt: self.seq,
            message_id: self.message_id(),
            event: self.event(),
            written,
        }
    }
}

/// What waits to be written.
pub(crate) enum Item {
    /// A message; survives the loss of a link.
    Message(Entry),
    /// An acknowledgement for the server; void with its link.
    Reply(ReplyTo, RawArgs),
}

/// One walk through the queue, from its head to its end.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    at: usize,
    /// Where messages stand that hold up their lanes.
    held: Vec<usize>,
}

impl Pass {
    /// Leaves what was found where it is.
    pub(crate) fn pass_over(&mut self) {
        self.at += 1;
    }

    fn holds(&self, items: &VecDeque<Item>, entry: &Entry) -> bool {
        self.held.iter().any(|at| match &items[*at] {
            Item::Message(held) => held.lane == entry.lane,
            Item::Reply(..) => false,
        })
    }
}

/// The queue. It knows nothing of links; whoever takes an entry out is answerable for its outcome.
#[derive(Default)]
pub(crate) struct Outbox {
    items: VecDeque<Item>,
    messages: usize,
    reliable: usize,
    bytes: usize,
    replies: usize,
    next_expiry: Option<Duration>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what is being said to the server.
        f.debug_list().entries(self.entries()).finish()
    }
}

impl Outbox {
    /// How many messages wait, the core's own not counted.
    pub(crate) fn len(&self) -> usize {
        self.messages
    }

    /// How many reliable messages wait.
    pub(crate) fn reliable(&self) -> usize {
        self.reliable
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many bytes of acknowledgements wait.
    pub(crate) fn reply_bytes(&self) -> usize {
        self.replies
    }

    /// Whether there is nothing to write at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.count(&entry);
        if broken!(SendsLastFirst) {
            return self.items.push_front(Item::Message(entry));
        }
        self.items.push_back(Item::Message(entry));
    }

    pub(crate) fn push_reply(&mut self, to: ReplyTo, args: RawArgs) {
        self.replies += reply_size(&args);
        self.items.push_back(Item::Reply(to, args));
    }

    /// Puts entries back that a dead link had, so that the whole is in its old order.
    pub(crate) fn put_back(&mut self, entries: Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        for entry in entries.into_iter().rev() {
            self.count(&entry);
            self.items.push_front(Item::Message(entry));
        }
        if broken!(SendsAgainBehind) {
            return self.items.rotate_left(1);
        }
        let seq = |item: &Item| match item {
            Item::Message(entry) => entry.seq,
            Item::Reply(..) => u64::MAX,
        };
        self.items.make_contiguous().sort_by_key(seq);
    }

    /// Goes on to the next item that may be written, and gives it. What `held` holds back holds up its lane too.
    pub(crate) fn seek(&self, pass: &mut Pass, held: impl Fn(&Entry) -> bool) -> Option<&Item> {
        while let Some(item) = self.items.get(pass.at) {
            match item {
                Item::Message(entry) if !entry.is_free() => {
                    let behind = pass.holds(&self.items, entry);
                    if !behind && !held(entry) {
                        return Some(item);
                    }
                    if !behind {
                        pass.held.push(pass.at);
                    }
                    pass.at += 1;
                }
                Item::Message(_) | Item::Reply(..) => return Some(item),
            }
        }
        None
    }

    /// The next acknowledgement for the server.
    pub(crate) fn seek_reply(&self, pass: &mut Pass) -> Option<&Item> {
        let rest = self.items.range(pass.at.min(self.items.len())..);
        let ahead = rest.into_iter().position(|item| matches!(item, Item::Reply(..)))?;
        pass.at += ahead;
        self.items.get(pass.at)
    }

    /// The message that was found, if it is one.
    pub(crate) fn found_mut(&mut self, pass: &Pass) -> Option<&mut Entry> {
        match self.items.get_mut(pass.at)? {
            Item::Message(entry) => Some(entry),
            Item::Reply(..) => None,
        }
    }

    /// Takes the item that was found.
    pub(crate) fn take_found(&mut self, pass: &Pass) -> Option<Item> {
        self.remove_at(pass.at)
    }

    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.items.iter_mut().filter_map(|item| match item {
            Item::Message(entry) => Some(entry),
            Item::Reply(..) => None,
        })
    }

    /// Takes out the oldest message that was never written.
    pub(crate) fn take_oldest_unwritten(&mut self) -> Option<Entry> {
        self.take_where(Entry::is_droppable)
    }

    /// Whether there is a message that was never written.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.entries().any(Entry::is_droppable)
    }

    /// Takes out the first message that fits.
    pub(crate) fn take_where(&mut self, fits: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let at = self
            .items
            .iter()
            .position(|item| matches!(item, Item::Message(entry) if fits(entry)))?;
        match self.remove_at(at)? {
            Item::Message(entry) => Some(entry),
            Item::Reply(..) => None,
        }
    }

    /// Takes out a message whose time to live is over.
    pub(crate) fn take_expired(&mut self, now: Duration) -> Option<Entry> {
        if self.next_expiry.is_none_or(|at| at > now) {
            return None;
        }
        let expired = self.take_where(|entry| entry.expires.is_some_and(|at| at <= now));
        if expired.is_none() {
            self.next_expiry = self.entries().filter_map(|entry| entry.expires).min();
        }
        expired
    }

    /// Forgets acknowledgements that a dead link was to carry.
    pub(crate) fn drop_replies(&mut self) {
        self.replies = 0;
        self.items.retain(|item| matches!(item, Item::Message(_)));
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.items.iter().filter_map(|item| match item {
            Item::Message(entry) => Some(entry),
            Item::Reply(..) => None,
        })
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.next_expiry
    }

    fn remove_at(&mut self, at: usize) -> Option<Item> {
        let item = self.items.remove(at)?;
        match &item {
            Item::Message(entry) => self.uncount(entry),
            Item::Reply(_, args) => self.replies -= reply_size(args),
        }
        Some(item)
    }

    fn count(&mut self, entry: &Entry) {
        self.messages += usize::from(!entry.is_own());
        self.reliable += usize::from(entry.reliable);
        self.bytes += entry.size();
        if let Some(at) = entry.expires {
            self.next_expiry = Some(self.next_expiry.map_or(at, |next| next.min(at)));
        }
    }

    fn uncount(&mut self, entry: &Entry) {
        self.messages -= usize::from(!entry.is_own());
        self.reliable -= usize::from(entry.reliable);
        self.bytes -= entry.size();
    }
}

fn reply_size(args: &RawArgs) -> usize {
    args.json.len() + args.attachments.iter().map(Bytes::len).sum::<usize>()
}
