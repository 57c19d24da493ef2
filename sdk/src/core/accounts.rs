//! Whose messages these are: a message goes out under nobody's name but that under which it was accepted.
//!
//! A message is of the user whom the last greeting named. One that was accepted before there was a greeting is of the user
//! whom the next one names, also after other credentials; one from an earlier run of the program, in which there
//! was none, is of the user who was remembered then, if anyone was. What is not of the user who is connected is set aside until its own user is.

use std::sync::Arc;

use super::context::Context;
use super::keeping::keep_again;
use super::namespace::{AuthSource, Namespace};
use super::outbox::{Entry, Keeping};
use crate::payload::Payload;
use crate::state::Notice;

/// So many times what the queue holds is kept for others.
const ACCOUNTS: usize = 8;

/// No user id that is longer, in bytes, tells users apart.
const LONGEST: usize = 256;

/// Whether a message has to wait until the server says who the user is, who is `account` as far as is known.
pub(super) fn is_doubtful(entry: &Entry, account: Option<&Arc<str>>) -> bool {
    entry.account.is_some() && entry.account.as_ref() != account
}

impl Namespace {
    /// The server has named the user. A server without users may name the session instead.
    pub(super) fn signed_in(&mut self, cx: &mut Context, greeting: &Payload) {
        let named = greeting.string_field("userId");
        let Some(user) = named.filter(|user| user.len() <= LONGEST && self.sid.as_deref() != Some(user)) else {
            return;
        };
        let user: Arc<str> = user.into();
        let changed = self.account.as_ref() != Some(&user);
        if changed && !self.stored && self.config.auth != AuthSource::Provider {
            self.renamed(&user);
        }
        let all = self.acks.entries_mut().chain(self.outbox.entries_mut());
        for entry in all.filter(|entry| entry.account.is_none()) {
            entry.account = Some(Arc::clone(&user));
            // The store has to know it too: by the next run it may remember another user.
            if entry.keeping == Keeping::Kept {
                keep_again(cx, &self.config.name, entry);
            }
        }
        self.account = Some(Arc::clone(&user));
        self.remembered = Some(user);
        if let Some(held) = self.sort_out(cx).filter(|_| changed) {
            cx.notice(self.id, held);
        }
    }

    /// A server that has another name for the same credentials numbers its connections: nobody else has come. What a store
    /// keeps goes by the name alone, because it outlives the credentials.
    fn renamed(&mut self, user: &Arc<str>) {
        let Some(before) = self.account.clone() else { return };
        let all = self.acks.entries_mut().chain(self.outbox.entries_mut());
        for entry in all.filter(|entry| entry.account.as_ref() == Some(&before)) {
            entry.account = Some(Arc::clone(user));
        }
    }

    /// Other credentials may be another user's.
    pub(super) fn signed_out(&mut self) {
        self.account = None;
    }

    /// Sets aside what is another user's, and takes up what is this user's. Gives what there is to tell.
    pub(super) fn sort_out(&mut self, cx: &mut Context) -> Option<Notice> {
        let user = self.account.clone()?;
        let others = |entry: &Entry| entry.account.as_ref().is_some_and(|of| *of != user);
        while let Some(entry) = self.outbox.take_where(others) {
            self.aside.push(entry);
        }
        // A server could name another user at each greeting.
        let most = self.config.queue.capacity.saturating_mul(ACCOUNTS);
        for _ in most..self.aside.len() {
            let entry = self.aside.remove(0);
            self.overflowed(cx, entry);
        }
        let own = |entry: &mut Entry| entry.account.as_ref() == Some(&user);
        let back: Vec<Entry> = self.aside.extract_if(.., own).collect();
        self.outbox.put_back(back);
        let held = self.aside.first()?;
        Some(Notice::AccountChanged {
            account: held.account.as_deref().unwrap_or_default().to_owned(),
            held: self.aside.len(),
        })
    }

    /// Whether a message has to wait until the server says who the user is.
    pub(super) fn is_doubtful(&self, entry: &Entry) -> bool {
        is_doubtful(entry, self.account.as_ref())
    }

    /// Whether something waits that may be another user's. The same credentials are the same user; but a provider may give
    /// another's, and a store goes by the name.
    pub(super) fn waits_for_account(&self) -> bool {
        let asks = self.stored || self.config.auth == AuthSource::Provider;
        self.outbox.entries().any(|entry| match entry.account {
            Some(_) => asks || self.is_doubtful(entry),
            None => entry.restored,
        })
    }
}
