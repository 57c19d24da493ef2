//! The client's own events, which are heard with the same calls as the server's.

use crate::state::{Notice, StateChange};

/// The connection went from one state to another.
pub(crate) const STATE_CHANGE: &str = "connectionStatusChange";

/// Several attempts failed in a row.
pub(crate) const CONNECTION_FAILED: &str = "connectionFailed";

/// Connected again.
pub(crate) const RECONNECTED: &str = "reconnected";

/// One of the client's own events.
pub(crate) enum Own {
    State(StateChange),
    Notice(Notice),
}

impl Own {
    /// Its one argument, as a JSON object.
    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::State(change) => change.to_json(),
            Self::Notice(notice) => notice.to_json(),
        }
    }
}

/// The client's own event of this name, if it has one.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    let names = [STATE_CHANGE, CONNECTION_FAILED, RECONNECTED];
    names.into_iter().find(|known| *known == name)
}
