//! Handlers of one kind, in the order of their registration.

use std::sync::{Arc, Mutex, PoisonError};

use crate::sys::Spawned;

/// Something that can be called with an event of type `E`.
pub(crate) trait Handle<E>: Spawned {
    /// Whether it is for this one. Asked right before the call, and before a handler that is called once is used up.
    fn takes(&mut self, _event: &E) -> bool {
        true
    }

    fn call(&mut self, event: &E);
}

impl<E, F: FnMut(&E) + Spawned> Handle<E> for F {
    fn call(&mut self, event: &E) {
        self(event);
    }
}

/// One registration.
pub(super) struct Entry<E> {
    pub(super) id: u64,
    once: bool,
    /// Its own lock, held while it runs: nobody else takes it, because one task runs all handlers.
    handler: Mutex<Box<dyn Handle<E>>>,
}

impl<E: 'static> Entry<E> {
    pub(super) fn new(id: u64, once: bool, handler: impl Handle<E>) -> Arc<Self> {
        Arc::new(Self {
            id,
            once,
            handler: Mutex::new(Box::new(handler)),
        })
    }

    /// Calls the handler if the event is for it. One that is called once has to be removed before that, so that it may emit
    /// what raises the same event; `remove` says whether it was still there.
    pub(super) fn call(&self, event: &E, remove: impl FnOnce(u64) -> bool) {
        let mut handler = self.handler.lock().unwrap_or_else(PoisonError::into_inner);
        if handler.takes(event) && (!self.once || remove(self.id)) {
            handler.call(event);
        }
    }
}

/// Handlers of one kind, copied when changed, so that a snapshot is one reference.
pub(super) struct List<E>(Arc<[Arc<Entry<E>>]>);

impl<E> List<E> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<E>> {
        self.0.iter().map(|entry| &**entry)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the list as it was.
    pub(super) fn push(&mut self, entry: Arc<Entry<E>>) -> Self {
        let more = self.0.iter().cloned().chain([entry]).collect();
        Self(std::mem::replace(&mut self.0, more))
    }

    /// Gives the list as it was, if it changed.
    pub(super) fn remove(&mut self, id: u64) -> Option<Self> {
        let fewer: Arc<[_]> = self.0.iter().filter(|entry| entry.id != id).cloned().collect();
        let changed = fewer.len() < self.0.len();
        changed.then(|| Self(std::mem::replace(&mut self.0, fewer)))
    }
}

impl<E> Default for List<E> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<E> Clone for List<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
