//! The client's own events, beside the server's: by name they are heard with the same calls.

use crate::core::scan::ObjectWriter;
use crate::state::{Notice, StateChange};

/// A change of state.
pub(crate) const STATE_CHANGE: &str = "connectionStatusChange";

/// Connected again.
pub(crate) const RECONNECTED: &str = "reconnected";

/// A handler panicked or threw, or an event did not fit its type.
pub(crate) const HANDLER_ERROR: &str = "handlerError";

/// Several attempts failed in a row.
pub(crate) const CONNECTION_FAILED: &str = "connectionFailed";

/// Their names: those of changes of state, and those of notices.
const NAMES: [&str; 10] = [
    STATE_CHANGE,
    RECONNECTED,
    HANDLER_ERROR,
    CONNECTION_FAILED,
    "overflow",
    "warning",
    "storeError",
    "accountChanged",
    "messageStatus",
    "error",
];

/// One of the client's own events.
pub(crate) enum Own {
    State(StateChange),
    Notice(Notice),
    Reconnected { recovered: bool },
}

impl Own {
    /// Its one argument, as a JSON object.
    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::State(change) => change.to_json(),
            Self::Notice(notice) => notice.to_json(),
            Self::Reconnected { recovered } => {
                let mut json = Vec::with_capacity(24);
                ObjectWriter::new(&mut json).bool("recovered", *recovered).end();
                String::from_utf8(json).unwrap_or_default()
            }
        }
    }
}

/// The client's own event of this name, if it has one.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| *known == name)
}

/// Whether it is about the connection's state: such are told up to the client's end.
pub(crate) fn is_state(name: &str) -> bool {
    [STATE_CHANGE, RECONNECTED].contains(&name)
}

/// Whether the server has an event of this name too.
pub(crate) fn is_servers_too(name: &str) -> bool {
    ["warning", "error"].contains(&name)
}
