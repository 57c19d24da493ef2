//! Why a server ends a connection: `closing {code, message, retryAfterMs?}` comes before the end.

use std::time::Duration;

use serde_json::{Value, json};

/// Why the server ends a connection; its code stands in `closing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closing {
    /// `replaced`: the user has too many connections, and this is the oldest.
    Replaced,
    /// `banned`: the user may not connect.
    Banned,
    /// `shutdown`: the server ends, and says when to come back where it knows.
    Shutdown,
    /// `idle`: nothing came over the connection for too long.
    Idle,
}

impl Closing {
    /// What `closing` carries; only after a shutdown there is a time to come back.
    pub(crate) fn payload(self, retry_after: Option<Duration>) -> Value {
        let mut payload = json!({ "code": self.code(), "message": self.message() });
        if let (Self::Shutdown, Some(wait)) = (self, retry_after) {
            payload["retryAfterMs"] = json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        }
        payload
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Replaced => "another connection of this user took its place",
            Self::Banned => "this user may not connect",
            Self::Shutdown => "the server is shutting down",
            Self::Idle => "nothing was sent for too long",
        }
    }

    /// The WebSocket close code where there is no protocol of its own above: "going away" or
    /// "policy violation" (RFC 6455, 7.4.1).
    pub(crate) fn close_code(self) -> u16 {
        match self {
            Self::Shutdown => 1001,
            Self::Replaced | Self::Banned | Self::Idle => 1008,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Banned => "banned",
            Self::Shutdown => "shutdown",
            Self::Idle => "idle",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_shutdown_says_when_to_come_back() {
        let wait = Some(Duration::from_secs(2));
        assert_eq!(Closing::Shutdown.payload(wait)["retryAfterMs"], 2000);
        assert_eq!(Closing::Shutdown.payload(None).get("retryAfterMs"), None);
        assert_eq!(Closing::Idle.payload(wait).get("retryAfterMs"), None);
    }
}
