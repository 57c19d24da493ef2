//! Where the queue survives.
//!
//! A [`Store`] keeps reliable messages until the server has acknowledged them. It is one more kind of IO: the client's
//! driver hands it one [`Transaction`] a turn and holds no lock meanwhile.
//!
//! - [`FileStore`]: in a folder, where it survives the process. Not on the web.
//! - [`MemoryStore`]: for tests, and for a client that is closed and made again within one process.
//!
//! Inside: `kept` is what a transaction means, `log` the form of the log, `disk` what one is written to, `log_store` a
//! store over that, `file` the one over a folder.

#[cfg(not(target_arch = "wasm32"))]
mod disk;
#[cfg(not(target_arch = "wasm32"))]
mod file;
mod kept;
#[cfg(not(target_arch = "wasm32"))]
mod log;
#[cfg(not(target_arch = "wasm32"))]
mod log_store;
mod memory;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub use disk::Disk;
#[cfg(not(target_arch = "wasm32"))]
pub use file::FileStore;
#[cfg(not(target_arch = "wasm32"))]
#[doc(hidden)]
pub use log_store::LogStore;
pub use memory::MemoryStore;

use crate::error::Error;
use crate::sys::{MaybeSend, Spawned};

/// Everything that a store has kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Contents {
    /// The messages, in the order of `seq`.
    pub records: Vec<Record>,
    /// What is known of the servers, one for each namespace.
    pub profiles: Vec<Profile>,
    /// That a part could not be read, and where it was set aside; raised as
    /// [`StoreError`](crate::Notice::StoreError).
    pub damage: Option<Error>,
}

/// What is remembered of the server that one namespace talks to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Profile {
    /// The namespace.
    pub namespace: String,
    /// The user id of its last greeting.
    pub account: Option<String>,
    /// What it promised in that: the names of features, as a JSON array.
    pub features: Option<String>,
}

/// One reliable message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Record {
    /// Its place in the order of messages; unique within a store.
    pub seq: u64,
    /// The namespace that it is sent in.
    pub namespace: String,
    /// The message id under which the server removes duplicates.
    pub message_id: String,
    /// `["event",…]` as it goes to the server.
    pub body: Bytes,
    /// Its binary attachments.
    pub attachments: Vec<Bytes>,
    /// The lane that keeps its order.
    pub lane: Option<String>,
    /// Unix time in milliseconds at which it expires, if it does.
    pub expires_unix_ms: Option<u64>,
    /// How long its acknowledgement is waited for, in milliseconds.
    pub ack_timeout_ms: u64,
    /// The user id under which it was accepted, where that was known. It is sent to nobody else.
    pub account: Option<String>,
    /// Whether a link may have been given it.
    pub written: bool,
}

/// What a store is asked to change: all of it or nothing, in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Transaction {
    /// Forget everything from before, messages and profiles, and what was set aside.
    pub erase: bool,
    /// Messages to keep, in order.
    pub put: Vec<Record>,
    /// The `seq` of messages to forget; one that is not there is no error.
    pub remove: Vec<u64>,
    /// What is to be remembered of servers, each in the place of what was known of its namespace.
    pub profiles: Vec<Profile>,
    /// Those of `remove` that stay, and are not owed, if this fails.
    pub(crate) released: Vec<u64>,
}

impl Transaction {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        !self.erase && self.put.is_empty() && self.remove.is_empty() && self.profiles.is_empty()
    }

    /// It failed: what is left of it for the next one. Its messages are refused, and what was to be written at most once
    /// stays until it is released again.
    pub(crate) fn fail(&mut self) {
        let released = std::mem::take(&mut self.released);
        self.remove.retain(|seq| !released.contains(seq));
        self.put.clear();
    }

    /// Adds what is to be done after it, so that both are done at once.
    pub fn append(&mut self, next: Self) {
        if next.erase {
            *self = next;
            return;
        }
        // What is kept anew is not removed by what came before.
        let anew = |seq: &u64| next.put.iter().any(|record| record.seq == *seq);
        self.remove.retain(|seq| !anew(seq));
        self.released.retain(|seq| !anew(seq));
        self.put.extend(next.put);
        // What comes and goes at once need not be written.
        self.put.retain(|record| !next.remove.contains(&record.seq));
        self.remove.extend(next.remove);
        self.released.extend(next.released);
        for profile in next.profiles {
            self.profiles.retain(|known| known.namespace != profile.namespace);
            self.profiles.push(profile);
        }
    }
}

/// What a store's methods give back.
pub type StoreFuture<'a, T> = Pin<Box<dyn StoreWork<T> + 'a>>;

/// A future that may move between threads where there are threads.
pub trait StoreWork<T>: Future<Output = Result<T, Error>> + MaybeSend {}
impl<T, F: Future<Output = Result<T, Error>> + MaybeSend> StoreWork<T> for F {}

/// Keeps reliable messages across restarts.
///
/// The client calls one method at a time and waits for it. What `apply` has answered `Ok` for must be found by the next
/// `load`, even if the process is killed in between.
pub trait Store: Spawned {
    /// Everything that is kept. Called once, before anything else.
    fn load(&mut self) -> StoreFuture<'_, Contents>;

    /// Applies a transaction.
    ///
    /// # Errors
    /// A failed transaction changed nothing; its messages are refused with the error.
    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()>;
}
