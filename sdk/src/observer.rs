//! What a binding to another language hears: everything, in batches.
//!
//! To cross a border costs more than what is said there, and handlers that live beyond it are kept, ordered and guarded
//! beyond it. So a binding registers no handler here for each of its own; it has one observer.

use crate::core::{Happening, SocketId};
use crate::receipt::{Acceptor, Completer, Outcome};
use crate::sys::MaybeSync;

/// Hears what happens to all sockets of a client, in the place of handlers.
pub trait Observer: MaybeSync + 'static {
    /// Events, changes of state and notices, in order. Called on the task that handlers run on, which goes on when this
    /// returns: who is slow here holds up what comes behind, and at last reading.
    fn happened(&self, batch: &[(SocketId, Happening)]);

    /// Messages that are accepted now, and messages that ended. Called by the driver, which must not be held up. What was
    /// known when a message was taken, its receipt says alone.
    fn settled(&self, accepted: &[Acceptor], ended: &[(Completer, Outcome)]);
}
