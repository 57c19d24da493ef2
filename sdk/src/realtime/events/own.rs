//! What the client itself has to tell, as types.

use crate::error::Error;
use crate::state::StateChange;

/// The connection went from one state to another, in its place among the events.
pub type ConnectionStatusChange = StateChange;

/// Five attempts in a row failed. Raised once per outage; attempts go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionFailed {
    /// How many attempts failed so far.
    pub attempts: u32,
    /// Why the last one did.
    pub error: Error,
}

/// Connected again after the connection was lost, without `disconnect` in between. Rooms are joined again, and what was
/// queued has been handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconnected {
    /// Whether the server took up the session where it was lost, so that nothing was missed.
    pub recovered: bool,
}
