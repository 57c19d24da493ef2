//! How messages end other than by an answer, and what a server that waits for one is told then.

use std::time::Duration;

use super::context::Context;
use super::emission::{Emission, EmitOptions};
use super::namespace::Namespace;
use super::outbox::{Entry, Purpose, SUSPECT};
use super::scan::ObjectWriter;
use crate::broken::broken;
use crate::error::Error;
use crate::receipt::Outcome;

impl Namespace {
    /// Ends a message that has no answer. A server that keeps the order must not wait for it.
    pub(crate) fn finish(&mut self, cx: &mut Context, entry: Entry, outcome: Outcome) {
        if entry.reliable && entry.may_be_known() && self.keeps_order() {
            let skip = self.skip(cx, &entry);
            self.outbox.put_back(skip.into_iter().collect());
        }
        self.conclude(cx, entry, outcome);
    }

    /// Ends a message.
    pub(crate) fn conclude(&mut self, cx: &mut Context, entry: Entry, outcome: Outcome) {
        let kept = entry.keeping.is_kept() && !broken!(KeepsWhatIsDone);
        match (entry.completer, &outcome) {
            (Some(completer), Outcome::Cancelled | Outcome::Expired | Outcome::Dropped) if kept => {
                cx.settle_removed(self.id, entry.seq, completer, outcome);
            }
            (completer, _) => {
                if kept {
                    cx.store_remove(entry.seq);
                }
                if let Some(completer) = completer {
                    cx.settle(self.id, completer, outcome);
                }
            }
        }
    }

    /// Whether the server refuses what follows a refused message in its lane.
    pub(super) fn keeps_order(&self) -> bool {
        self.features.is_some_and(|features| features.order)
    }

    /// Tells the server not to wait for a message, in that one's place.
    fn skip(&self, cx: &Context, ended: &Entry) -> Option<Entry> {
        let id = ended.completer.as_ref()?.message_id()?;
        let mut skip = self.skip_of(cx, ended.seq, id);
        skip.lane.clone_from(&ended.lane);
        skip.account.clone_from(&ended.account);
        Some(skip)
    }

    fn skip_of(&self, cx: &Context, seq: u64, message_id: &str) -> Entry {
        let mut args = Vec::with_capacity(64);
        let mut object = ObjectWriter::new(&mut args);
        object.string("messageId", message_id);
        object.end();
        let emission = Emission::of_object("skip", &args, EmitOptions::new().ack());
        self.own_entry(cx, seq, emission, Purpose::Skip, None)
    }

    /// The server waits for a message before it takes the one `seq`. If nobody here knows it, as after a crash in the wrong
    /// moment, or it stands behind that one, it must not.
    pub(super) fn skip_behind(&mut self, cx: &mut Context, seq: u64, message_id: &str) {
        let names = |entry: &Entry| match entry.purpose {
            Purpose::Skip => entry.string_field("messageId").as_deref() == Some(message_id),
            _ => entry.completer.as_ref().and_then(|completer| completer.message_id()) == Some(message_id),
        };
        let known = |entry: &Entry| names(entry) && (entry.purpose == Purpose::Skip || entry.seq <= seq);
        let queued = self.outbox.entries().chain(&self.aside).any(known);
        if !queued && !self.acks.entries().any(known) && self.keeps_order() {
            let seq = cx.next_seq();
            let skip = self.skip_of(cx, seq, message_id);
            self.outbox.push(skip);
        }
    }

    /// The link is dying: the message without an answer that came first may be why.
    pub(super) fn count_death(&mut self) {
        let first = self
            .acks
            .entries_mut()
            .find(|entry| entry.reliable && entry.is_message());
        if let Some(first) = first {
            first.deaths = first.deaths.saturating_add(1);
        }
    }

    /// The link that these were written to is gone.
    pub(crate) fn take_back(&mut self, cx: &mut Context, error: &Error) {
        let again = self.sends_again();
        let mut back: Vec<Entry> = Vec::new();
        let mut ended: Vec<(Entry, Outcome)> = Vec::new();
        for entry in self.acks.disconnected() {
            let told_again = match &entry.purpose {
                // What was sent to the room before goes again, and the leave behind it. A session that may be taken up
                // again may also still be in the room.
                Purpose::Leave(room) => {
                    let behind = back.iter().any(|before| before.lane == entry.lane);
                    let left = self.rooms.is_leaving(room) || !self.rooms.knows(room);
                    left && (behind || self.recovery.is_some())
                }
                Purpose::Skip => true,
                // What was written before the server promised anything was written once, and has left the store for it.
                _ => entry.reliable && (again && !entry.once || broken!(RepeatsAtMostOnce)),
            };
            if broken!(LosesOutcomes) && !told_again {
                continue;
            }
            if told_again && entry.deaths > SUSPECT && !broken!(KeepsPoison) {
                tracing::debug!(receipt = entry.seq, "links die under a message, and it is given up");
                ended.push((entry, Outcome::Unconfirmed(Error::Poison)));
            } else if told_again {
                back.push(entry);
            } else {
                ended.push((entry, Outcome::Unconfirmed(error.clone())));
            }
        }
        self.outbox.put_back(back);
        for (entry, outcome) in ended {
            self.finish(cx, entry, outcome);
        }
        self.lanes.disconnected();
        let outbox = &self.outbox;
        self.rooms.forget_left(|lane| {
            let mut lane = outbox.entries().filter(|entry| entry.lane.as_deref() == Some(lane));
            lane.next().is_some_and(|first| !first.is_own()) && lane.any(Entry::is_own)
        });
        let drop_them = |entry: &Entry| entry.volatile;
        while let Some(entry) = self.outbox.take_where(drop_them) {
            self.conclude(cx, entry, Outcome::Dropped);
        }
        self.trim(cx);
        self.keep_all_again(cx);
    }

    /// Messages whose time to live is over.
    pub(crate) fn expire_messages(&mut self, cx: &mut Context) {
        while let Some(entry) = self.outbox.take_expired(cx.now.mono) {
            let outcome = entry.ended(Outcome::Expired, Error::LinkLost);
            self.finish(cx, entry, outcome);
        }
        let late = |entry: &mut Entry| entry.expires.is_some_and(|at| at <= cx.now.mono);
        let aside: Vec<Entry> = self.aside.extract_if(.., late).collect();
        for entry in aside {
            let outcome = entry.ended(Outcome::Expired, Error::LinkLost);
            self.conclude(cx, entry, outcome);
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
        } else if let Some(entry) = self.given_up(id) {
            if let Purpose::Leave(room) = &entry.purpose {
                self.left(room);
            }
            self.finish(cx, entry, Outcome::Unconfirmed(error));
        }
    }

    /// Nobody waits for an answer to `id` any more.
    fn given_up(&mut self, id: u64) -> Option<Entry> {
        let entry = self.acks.answered(id)?;
        if entry.is_limited() {
            self.lanes.answered(entry.lane.as_deref(), false);
        }
        Some(entry)
    }

    /// Takes a message back. Says whether it will not be sent, or not again.
    pub(crate) fn cancel(&mut self, cx: &mut Context, seq: u64) -> bool {
        if broken!(SendsWhatIsCancelled) {
            let mut entries = self.outbox.entries_mut();
            let queued = entries.find(|entry| entry.seq == seq && entry.is_message());
            if let Some(completer) = queued.and_then(|entry| entry.completer.take()) {
                cx.settle(self.id, completer, Outcome::Cancelled);
                return true;
            }
        }
        if let Some(entry) = self.outbox.take_where(|entry| entry.seq == seq && !entry.is_own()) {
            let outcome = entry.ended(Outcome::Cancelled, Error::LinkLost);
            self.finish(cx, entry, outcome);
            return true;
        }
        if let Some(at) = self.aside.iter().position(|entry| entry.seq == seq) {
            let entry = self.aside.remove(at);
            let outcome = entry.ended(Outcome::Cancelled, Error::LinkLost);
            self.conclude(cx, entry, outcome);
            return true;
        }
        // Written, and its answer still awaited: it can only be kept from being sent again.
        let again = |id: &u64| self.sends_again() && self.acks.get(*id).is_some_and(|entry| entry.reliable);
        let Some(id) = self.acks.id_of(seq).filter(again) else {
            return false;
        };
        if let Some(entry) = self.given_up(id) {
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

    /// Takes back everything of every user, after the link is gone, and knows nothing any more.
    pub(crate) fn forget(&mut self, cx: &mut Context) {
        let aside = std::mem::take(&mut self.aside);
        let queued = std::iter::from_fn(|| self.outbox.take_where(|_| true));
        for entry in queued.chain(aside).collect::<Vec<_>>() {
            let outcome = entry.ended(Outcome::Cancelled, Error::Closed);
            self.conclude(cx, entry, outcome);
        }
        for completer in self.rooms.drain().collect::<Vec<_>>() {
            cx.settle(self.id, completer, Outcome::Cancelled);
        }
        self.lanes.clear();
        self.seen = None;
        self.features = None;
        self.profile = None;
        self.remembered = None;
        self.signed_out();
        self.forget_session();
    }

    /// Ends everything: the client is closed.
    pub(crate) fn close(&mut self, cx: &mut Context) {
        for entry in self.acks.disconnected() {
            self.conclude(cx, entry, Outcome::Unconfirmed(Error::Closed));
        }
        let aside = std::mem::take(&mut self.aside);
        let queued = std::iter::from_fn(|| self.outbox.take_where(|_| true));
        for mut entry in queued.chain(aside).collect::<Vec<_>>() {
            // What a store holds stays there, and may be sent by the next client: closing is not forgetting.
            let kept = std::mem::take(&mut entry.keeping).is_kept();
            let outcome = match entry.writes {
                0 if !kept => Outcome::Rejected(Error::Closed),
                _ => Outcome::Unconfirmed(Error::Closed),
            };
            self.conclude(cx, entry, outcome);
        }
        self.urgent.clear();
        for completer in self.rooms.drain().collect::<Vec<_>>() {
            cx.settle(self.id, completer, Outcome::Rejected(Error::Closed));
        }
    }

    /// When something set aside expires.
    pub(crate) fn next_expiry_aside(&self) -> Option<Duration> {
        self.aside.iter().filter_map(|entry| entry.expires).min()
    }
}
