//! A store in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Record, Store, StoreFuture, Transaction};

/// Keeps messages in this process's memory. Clones share what they keep, so that a client which is closed and made anew
/// finds what the first one left; nothing survives the process.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    records: Arc<Mutex<BTreeMap<u64, Record>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many messages are kept.
    pub fn len(&self) -> usize {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no message is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> StoreFuture<'_, Vec<Record>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let all = records.values().cloned().collect();
        Box::pin(std::future::ready(Ok(all)))
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.extend(transaction.put.into_iter().map(|record| (record.seq, record)));
        for seq in transaction.remove {
            records.remove(&seq);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}
