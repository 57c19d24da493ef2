//! Numbers that are unique in this process: of emits, and of events that can be answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rejoin::Receipt;

/// The next number.
pub(super) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The numbers of one client's emits, and the numbers that the client itself has for them.
#[derive(Default)]
pub(super) struct Receipts(Mutex<Table>);

#[derive(Default)]
struct Table {
    ours: HashMap<u64, u64>,
    theirs: HashMap<u64, u64>,
}

impl Receipts {
    /// Emits, and numbers what came of it before the client can tell anything about it.
    pub(super) fn number(&self, emit: impl FnOnce() -> Receipt) -> (u64, Receipt) {
        let mut table = self.lock();
        let receipt = emit();
        let number = next_number();
        table.ours.insert(receipt.id(), number);
        table.theirs.insert(number, receipt.id());
        (number, receipt)
    }

    /// Our number of a message that the client names.
    pub(super) fn ours(&self, id: u64) -> Option<u64> {
        self.lock().ours.get(&id).copied()
    }

    /// The client's number of one of our messages.
    pub(super) fn theirs(&self, number: u64) -> Option<u64> {
        self.lock().theirs.get(&number).copied()
    }

    /// The message was refused: there is no such receipt.
    pub(super) fn forget(&self, number: u64) {
        let mut table = self.lock();
        if let Some(id) = table.theirs.remove(&number) {
            table.ours.remove(&id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
