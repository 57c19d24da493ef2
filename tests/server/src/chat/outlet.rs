//! The ways out of the server: a Socket.IO socket, or a WebSocket of plain JSON.
//!
//! The chat knows events by their Socket.IO names; what differs on the wire is decided here.

use futures::FutureExt;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide::{AckError, TransportType};

use super::answer::Answer;
use super::json;
use super::receipts::Receipt;
use crate::auth::User;

/// Where the events of one connection go.
#[derive(Debug)]
pub(crate) enum Outlet {
    SocketIo(SocketRef),
    Json(json::Outlet),
}

/// Where the answer to one event goes.
pub(crate) enum Reply {
    /// The client asked for none.
    Nowhere,
    SocketIo(AckSender),
    Json(json::Outlet, String),
}

impl Outlet {
    /// Hands an event to the connection; false where it has ended or has no room.
    pub(super) fn send(&self, event: &str, payload: &Value) -> bool {
        match self {
            Self::SocketIo(socket) => socket.emit(event, payload).is_ok(),
            Self::Json(outlet) => outlet.say(event, payload),
        }
    }

    /// The same, and asks for an acknowledgement; `None` where it was not handed over.
    pub(super) fn ask(&self, event: &str, payload: &Value) -> Option<Receipt> {
        match self {
            Self::SocketIo(socket) => {
                let answer = socket.emit_with_ack::<_, IgnoredAny>(event, payload).ok()?;
                // Whatever it says, it has come.
                let has_come = |answer| matches!(answer, Ok(_) | Err(AckError::Decode(_)));
                Some(answer.map(has_come).boxed())
            }
            Self::Json(outlet) => outlet.ask(event, payload),
        }
    }

    /// Says who the client is and what the server promises.
    pub(super) fn greet(&self, user: &User, features: &[&str], friends: &Value) -> bool {
        match self {
            Self::SocketIo(_) => {
                let greeting = json!({
                    "connected": true,
                    "userId": user.id,
                    "username": user.username,
                    "features": features,
                    "friends": friends,
                });
                self.send("connection_status", &greeting)
            }
            // The features came with `connection`, before anybody was known.
            Self::Json(outlet) => outlet.say("authenticated", &json!({ "user": user, "friends": friends })),
        }
    }

    /// Whether it is Socket.IO over long-polling.
    pub(super) fn is_polling(&self) -> bool {
        match self {
            Self::SocketIo(socket) => socket.transport_type() == TransportType::Polling,
            Self::Json(_) => false,
        }
    }

    /// Ends the connection behind what was handed to it; false where that has no room yet.
    pub(super) fn end(&self, close_code: u16, reason: &'static str) -> bool {
        match self {
            Self::SocketIo(socket) => socket.clone().disconnect().is_ok(),
            Self::Json(outlet) => outlet.close(close_code, reason),
        }
    }
}

impl Reply {
    pub(super) fn is_wanted(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    pub(super) fn send(self, answer: &Answer) {
        let sent = match self {
            Self::Nowhere => true,
            Self::SocketIo(ack) => ack.send(answer).is_ok(),
            Self::Json(outlet, id) => outlet.acknowledge(&id, answer),
        };
        if !sent {
            tracing::debug!("an acknowledgement could not be sent");
        }
    }
}
