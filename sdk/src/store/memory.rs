//! A store in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Contents, Profile, Record, Store, StoreFuture, Transaction};

/// Keeps messages in this process's memory. Clones share what they keep, so that a client which is closed and made anew
/// finds what the first one left; nothing survives the process.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<u64, Record>,
    profiles: Vec<Profile>,
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
        let kept = self.lock();
        let contents = Contents {
            records: kept.records.values().cloned().collect(),
            profiles: kept.profiles.clone(),
            damage: None,
        };
        Box::pin(std::future::ready(Ok(contents)))
    }

    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()> {
        let mut kept = self.lock();
        if transaction.erase {
            *kept = Kept::default();
        }
        let put = transaction.put.into_iter();
        kept.records.extend(put.map(|record| (record.seq, record)));
        for seq in transaction.remove {
            kept.records.remove(&seq);
        }
        for profile in transaction.profiles {
            kept.profiles.retain(|known| known.namespace != profile.namespace);
            kept.profiles.push(profile);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}
