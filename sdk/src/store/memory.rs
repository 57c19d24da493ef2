//! A store in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kept::Kept;
use super::{Contents, Store, StoreFuture, Transaction};

/// Keeps messages in this process's memory. Clones share what they keep, so that a client which is closed and made anew
/// finds what the first one left; nothing survives the process.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    kept: Arc<Mutex<Kept>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many messages are kept.
    pub fn len(&self) -> usize {
        self.lock().records.len()
    }

    /// Whether no message is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> StoreFuture<'_, Contents> {
        let contents = self.lock().contents(None);
        Box::pin(std::future::ready(Ok(contents)))
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        self.lock().apply(transaction);
        Box::pin(std::future::ready(Ok(())))
    }
}
