//! What keeps a handler registered.

use std::fmt;
use std::sync::{Arc, Weak};

use super::{Registry, Topic};

/// Keeps a handler registered: it is removed when this is dropped.
#[must_use = "the handler is removed when this is dropped; keep it, or call `detach`"]
pub struct Subscription {
    registry: Weak<Registry>,
    topic: Topic,
    id: u64,
}

impl Subscription {
    pub(super) fn new(registry: &Arc<Registry>, topic: Topic, id: u64) -> Self {
        Self {
            registry: Arc::downgrade(registry),
            topic,
            id,
        }
    }

    /// Leaves the handler registered for as long as the client lives.
    pub fn detach(mut self) {
        self.registry = Weak::new();
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.remove(&self.topic, self.id);
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
