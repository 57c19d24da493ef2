//! What a store means to a socket: records of its messages, what is remembered of its server, and messages that leave the
//! store before they are written.

use std::time::Duration;

use bytes::Bytes;

use super::accounts::is_doubtful;
use super::body::Body;
use super::connection::Core;
use super::context::Context;
use super::features::Features;
use super::io::Now;
use super::namespace::Namespace;
use super::outbound::BATCH;
use super::outbox::{Entry, Keeping, Pass};
use super::sending::waits;
use crate::error::Error;
use crate::receipt::{self, Outcome};
use crate::state::Notice;
use crate::store::{Contents, Profile, Record};

/// How long a store that could not forget a message is left alone.
const RETRY: Duration = Duration::from_secs(1);

/// A message as the store keeps it.
pub(super) fn record(cx: &Context, namespace: &str, entry: &Entry, message_id: &str) -> Record {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let left = entry.expires.map(|at| millis(at.saturating_sub(cx.now.mono)));
    Record {
        seq: entry.seq,
        namespace: namespace.to_owned(),
        message_id: message_id.to_owned(),
        body: Bytes::copy_from_slice(entry.body.json()),
        attachments: entry.attachments.clone(),
        lane: entry.lane.as_deref().map(str::to_owned),
        expires_unix_ms: left.map(|left| cx.now.unix_ms.saturating_add(left)),
        ack_timeout_ms: millis(entry.ack_timeout),
        account: entry.account.as_deref().map(str::to_owned),
        written: entry.marked || entry.may_be_known(),
    }
}

pub(super) fn keep_again(cx: &mut Context, namespace: &str, entry: &mut Entry) {
    if let Some(completer) = &entry.completer {
        let record = record(cx, namespace, entry, completer.message_id().unwrap_or_default());
        cx.store_put_again(record);
        entry.keeping = Keeping::Kept;
    }
}

impl Core {
    /// Takes up what a store kept. What belongs to a namespace that is not there waits for it.
    pub fn restore(&mut self, now: Now, contents: Contents) {
        self.enter(now);
        for record in &contents.records {
            self.cx.skip_seq(record.seq);
        }
        self.restored = Some(Box::new(contents));
        for index in 0..self.sockets.len() {
            self.take_up(index);
        }
    }

    /// Gives a socket what a store kept for it.
    pub(super) fn take_up(&mut self, index: usize) {
        let Some(restored) = &mut self.restored else { return };
        let namespace = &mut self.sockets[index];
        namespace.recall(&mut restored.profiles);
        let own = |record: &mut Record| record.namespace == namespace.config.name;
        let records: Vec<Record> = restored.records.extract_if(.., own).collect();
        for record in records {
            namespace.restore(&mut self.cx, record);
        }
        let damage = restored.damage.clone().map(Notice::StoreError);
        namespace.untold.extend(damage);
        let held = namespace.sort_out(&mut self.cx);
        namespace.untold.extend(held);
        self.wake_at = None;
    }

    /// The store has done what it was given, up to this turn.
    pub fn handle_stored(&mut self, now: Now, turn: u64) {
        self.enter(now);
        for (socket, seq) in self.cx.store_done(turn, None).released {
            self.sockets[socket.index()].released(&mut self.cx, seq);
        }
    }

    /// The store failed at what it was given since it last answered, up to this turn. Messages in it that were not written
    /// yet are refused.
    pub fn handle_store_error(&mut self, now: Now, turn: u64, error: &Error) {
        self.enter(now);
        let done = self.cx.store_done(turn, Some(error));
        for (socket, seq) in done.released {
            self.sockets[socket.index()].not_released(&self.cx, seq);
        }
        for namespace in &mut self.sockets {
            namespace.not_stored(&mut self.cx, &done.put, error);
            if !done.owed_only {
                self.cx.notice(namespace.id, Notice::StoreError(error.clone()));
            }
        }
        self.wake_at = None;
    }
}

impl Namespace {
    /// Takes up what is remembered of its server.
    pub(super) fn recall(&mut self, profiles: &mut Vec<Profile>) {
        let own = |profile: &Profile| profile.namespace == self.config.name;
        if let Some(at) = profiles.iter().position(own) {
            let profile = profiles.swap_remove(at);
            self.features = profile.features.as_deref().map(Features::parse);
            self.remembered = profile.account.as_deref().map(Into::into);
            self.profile = Some(Box::new(profile));
        }
    }

    /// Has the store remember what the greeting said, where that is new.
    pub(super) fn remember(&mut self, cx: &mut Context) {
        if !cx.has_store() {
            return;
        }
        let profile = Profile {
            namespace: self.config.name.clone(),
            account: self.remembered.as_deref().map(str::to_owned),
            features: self.features.map(Features::to_json),
        };
        if self.profile.as_deref() != Some(&profile) {
            cx.store_profile(profile.clone());
            self.profile = Some(Box::new(profile));
        }
    }

    /// Takes up a message that a store kept. Its receipt belongs to a process that is gone.
    pub(crate) fn restore(&mut self, cx: &mut Context, record: Record) {
        let left = |at: u64| cx.after(Duration::from_millis(at.saturating_sub(cx.now.unix_ms)));
        let (_receipt, completer) = receipt::pair(record.seq, Some(record.message_id.into_boxed_str()));
        completer.accept_now();
        self.outbox.push(Entry {
            attachments: record.attachments,
            ack_timeout: Duration::from_millis(record.ack_timeout_ms),
            reliable: true,
            lane: record.lane.map(String::into_boxed_str),
            expires: record.expires_unix_ms.map(left),
            account: record.account.as_deref().map(Into::into).or(self.remembered.clone()),
            restored: true,
            earlier: record.written,
            marked: record.written,
            keeping: Keeping::Kept,
            completer: Some(completer),
            ..Entry::new(record.seq, Body::kept(record.body), cx.now.mono)
        });
    }

    /// The store could not keep these. What was not written is refused; the rest is as good as without a store.
    pub(crate) fn not_stored(&mut self, cx: &mut Context, seqs: &[u64], error: &Error) {
        let unwritten = |entry: &Entry| !entry.may_be_known() && seqs.contains(&entry.seq);
        while let Some(entry) = self.outbox.take_where(unwritten) {
            // It may be there all the same, with what was to be taken down about it later.
            self.finish(cx, entry, Outcome::Rejected(error.clone()));
        }
    }

    /// Has the store forget what is about to be written at most once: after a crash it must not be written again. Of what
    /// can be sent again it takes down that it may have been written, so that the next run does not say that it was not.
    pub(super) fn release(&mut self, cx: &mut Context) {
        if !cx.has_store() || self.release_at.is_some_and(|at| at > cx.now.mono) {
            return;
        }
        let again = self.sends_again();
        self.release_at = None;
        let patient = self.server_acks();
        let chat = self.is_chat();
        let (rooms, lanes, account) = (&self.rooms, &self.lanes, self.account.as_ref());
        let held = |entry: &Entry| waits(entry, chat, patient, rooms, lanes) || is_doubtful(entry, account);
        // No more than the next batch takes: what has left the store is lost in a crash.
        let mut pass = Pass::default();
        let mut bytes = 0;
        while bytes < BATCH && self.outbox.seek(&mut pass, held).is_some() {
            if let Some(entry) = self.outbox.found_mut(&pass) {
                bytes += entry.size();
                if entry.keeping == Keeping::Kept && !again {
                    entry.keeping = Keeping::Releasing;
                    cx.store_release(self.id, entry.seq);
                } else if entry.keeping == Keeping::Kept && !entry.marked {
                    entry.keeping = Keeping::Marking;
                    let id = entry.message_id().unwrap_or_default();
                    let mut record = record(cx, &self.config.name, entry, &id);
                    record.written = true;
                    cx.store_mark(self.id, record);
                }
            }
            pass.pass_over();
        }
    }

    /// The store has forgotten a message that is to be written at most once: now it may be.
    pub(super) fn released(&mut self, cx: &mut Context, seq: u64) {
        if let Some(entry) = self.waiting_mut(seq) {
            entry.marked |= entry.keeping == Keeping::Marking;
            entry.keeping = match entry.keeping {
                Keeping::Marking => Keeping::Kept,
                _ => Keeping::Released,
            };
        }
        if !self.is_joined() || self.aside.iter().any(|entry| entry.seq == seq) {
            self.keep_all_again(cx);
        }
    }

    /// What has left the store and waits for another link survives again.
    pub(super) fn keep_all_again(&mut self, cx: &mut Context) {
        let namespace = &self.config.name;
        for entry in self.outbox.entries_mut().chain(&mut self.aside) {
            if entry.keeping == Keeping::Released {
                keep_again(cx, namespace, entry);
            }
        }
    }

    /// A message that had left the store was not taken after all: it waits again, and survives again.
    pub(super) fn keep_again(&self, cx: &mut Context, entry: &mut Entry) {
        if entry.keeping == Keeping::Released {
            keep_again(cx, &self.config.name, entry);
        }
    }

    /// The store could not: it is tried again.
    pub(super) fn not_released(&mut self, cx: &Context, seq: u64) {
        self.release_at = Some(cx.after(RETRY));
        if let Some(entry) = self.waiting_mut(seq) {
            entry.keeping = Keeping::Kept;
        }
    }

    fn waiting_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        let mut all = self.outbox.entries_mut().chain(&mut self.aside);
        all.find(|entry| entry.seq == seq)
    }
}
