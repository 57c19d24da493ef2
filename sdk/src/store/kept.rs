//! What a store holds after the transactions so far: the meaning of a [`Transaction`], without any IO.

use std::collections::BTreeMap;

use super::{Contents, Profile, Record, Transaction};
use crate::error::Error;

/// What a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Kept {
    pub(crate) records: BTreeMap<u64, Record>,
    pub(crate) profiles: Vec<Profile>,
}

impl Kept {
    /// Does what a transaction asks, in the order of its fields. A record whose `seq` is there replaces that one.
    pub(crate) fn apply(&mut self, transaction: Transaction) {
        if transaction.erase {
            *self = Self::default();
        }
        let put = transaction.put.into_iter();
        self.records.extend(put.map(|record| (record.seq, record)));
        for seq in transaction.remove {
            self.records.remove(&seq);
        }
        for profile in transaction.profiles {
            self.profiles.retain(|known| known.namespace != profile.namespace);
            self.profiles.push(profile);
        }
    }

    /// A copy of everything. Bodies are shared, not copied.
    pub(crate) fn contents(&self, damage: Option<Error>) -> Contents {
        Contents {
            records: self.records.values().cloned().collect(),
            profiles: self.profiles.clone(),
            damage,
        }
    }
}
