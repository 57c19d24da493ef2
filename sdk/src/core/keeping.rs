//! What a store means to a socket: what is remembered of its server, and messages that leave the store before they are
//! written.

use super::context::Context;
use super::features::Features;
use super::namespace::Namespace;
use super::outbox::Keeping;
use crate::store::Profile;

impl Namespace {
    /// Takes up what is remembered of its server.
    pub(super) fn recall(&mut self, profiles: &mut Vec<Profile>) {
        let own = |profile: &Profile| profile.namespace == self.config.name;
        if let Some(at) = profiles.iter().position(own) {
            let profile = profiles.swap_remove(at);
            self.features = profile.features.as_deref().map(Features::parse);
        }
    }

    /// The store has forgotten a message that is to be written at most once: now it may be.
    pub(super) fn released(&mut self, seq: u64) {
        if let Some(entry) = self.outbox.find_mut(seq) {
            entry.keeping = Keeping::Nowhere;
        }
    }

    /// The store could not: it is tried again.
    pub(super) fn not_released(&mut self, _cx: &Context, seq: u64) {
        if let Some(entry) = self.outbox.find_mut(seq) {
            entry.keeping = Keeping::Kept;
        }
    }
}
