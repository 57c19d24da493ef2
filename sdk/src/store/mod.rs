//! Where the queue survives.
//!
//! A [`Store`] keeps reliable messages until the server has acknowledged them. It is one more kind of IO: the client's
//! driver hands it one [`Transaction`] a turn and holds no lock meanwhile.
//!
//! - [`MemoryStore`]: for tests, and for a client that is closed and made again within one process.

mod memory;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

pub use memory::MemoryStore;

use crate::error::Error;
use crate::sys::{MaybeSend, Spawned};

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
}

/// What a store is asked to change: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Transaction {
    /// Messages to keep, in order.
    pub put: Vec<Record>,
    /// The `seq` of messages to forget; one that is not there is no error.
    pub remove: Vec<u64>,
}

impl Transaction {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.remove.is_empty()
    }

    /// The newest message to keep.
    pub(crate) fn upto(&self) -> Option<u64> {
        self.put.last().map(|record| record.seq)
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
    /// Every message that is kept, in the order of `seq`. Called once, before anything else.
    fn load(&mut self) -> StoreFuture<'_, Vec<Record>>;

    /// Applies a transaction.
    ///
    /// # Errors
    /// A failed transaction changed nothing; its messages are refused with the error.
    fn apply(&mut self, transaction: Transaction) -> StoreFuture<'_, ()>;
}
