//! What is known about a socket's connection, and what the client tells about itself.

use std::time::Duration;

use crate::core::scan::ObjectWriter;
use crate::error::Error;

/// Where a socket stands. It changes only with a [`StateChange`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// `connect` was not called yet.
    Idle,
    /// An attempt is under way: credentials, the link, the namespace, its rooms.
    Connecting,
    /// The server took the namespace, rooms are joined again, and what was queued has been handed to the link.
    Connected,
    /// The last attempt failed or the link was lost; the next attempt starts by itself.
    Waiting {
        /// How long after this change the next attempt starts.
        retry_in: Duration,
    },
    /// The platform said that there is no network; no attempt is made until it says otherwise.
    Offline,
    /// The app is in the background; the link is closed until it comes back.
    Paused,
    /// `disconnect` was called. `connect` opens it again.
    Closed,
    /// The server refused, or the attempts are used up. Nothing more happens by itself: what is queued waits, and so does
    /// whoever awaits its receipts, until `connect` is called again, or `clear`, or the client ends.
    Failed,
}

impl State {
    /// The stable name that every platform uses, for example `connected`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Waiting { .. } => "waiting",
            Self::Offline => "offline",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

macro_rules! reasons {
    ($($name:ident $text:literal $doc:literal)*) => {
        /// Why a connection ended or could not be made. The names are Socket.IO's where it has one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason { $(#[doc = $doc] $name,)* }

        impl Reason {
            /// The stable text that every platform uses, for example `transport close`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    ServerDisconnect "io server disconnect" "The server took the client out of the namespace."
    ClientDisconnect "io client disconnect" "`disconnect` was called."
    PingTimeout "ping timeout" "No heartbeat came in time."
    TransportClose "transport close" "The other side closed the link."
    TransportError "transport error" "The link broke."
    ParseError "parse error" "What the server sent could not be read."
    ConnectTimeout "connect timeout" "The handshake took too long."
    ConnectError "connect error" "The attempt failed, or the server refused it."
    Offline "offline" "There is no network."
    Background "background" "The app is in the background."
    Replaced "replaced" "Another connection took this one's place."
    Banned "banned" "The server does not want this user."
    Shutdown "shutdown" "The server is shutting down."
    SlowConsumer "slowConsumer" "Handlers did not keep up."
}

/// What the platform knows and the client cannot: its glue tells by `hint`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hint {
    /// There is a network, or another than before. A link is probed: it has two seconds to prove that it is alive. Without
    /// one an attempt is made at once, unless the server has said when to come back.
    Online,
    /// There is no network. A link is probed; without one no attempt is made until `Online`, but for an explicit `connect`.
    Offline,
    /// The app is in front of the user. The same as with `Online`, and what `Background` held up goes on.
    Foreground,
    /// The app is not in front of the user any more. Typing stops, no attempt is made, and a link is closed after 10 s, so
    /// that the server's push notifications take over.
    Background,
    /// The app is about to be frozen. The same as with `Background`, without the 10 s: there may be no time for them.
    Suspend,
}

impl Hint {
    /// The stable name that every platform uses, for example `foreground`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Foreground => "foreground",
            Self::Background => "background",
            Self::Suspend => "suspend",
        }
    }
}

/// How bytes travel to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// HTTP long-polling.
    Polling,
}

impl Transport {
    /// Engine.IO's name: `websocket` or `polling`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Polling => "polling",
        }
    }
}

/// A socket went from one state to another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateChange {
    /// The state now.
    pub state: State,
    /// The state before.
    pub previous: State,
    /// Why, where something ended or failed.
    pub reason: Option<Reason>,
    /// What exactly went wrong, where something did.
    pub error: Option<Error>,
    /// Whether the server took up the session where it was lost, so that nothing was missed.
    pub recovered: bool,
    /// How the link is made, while there is one.
    pub transport: Option<Transport>,
}

impl StateChange {
    /// The change as a JSON object, for platforms and logs; times are in milliseconds.
    pub fn to_json(&self) -> String {
        let mut json = Vec::with_capacity(160);
        self.write(&mut json, |error, json| {
            let mut fields = ObjectWriter::new(json);
            write_error(&mut fields, error);
            fields.end();
        });
        String::from_utf8(json).unwrap_or_default()
    }

    /// Appends the change as a JSON object, with the error as `write_error` writes it.
    #[doc(hidden)]
    pub fn write(&self, json: &mut Vec<u8>, write_error: fn(&Error, &mut Vec<u8>)) {
        let mut object = ObjectWriter::new(json);
        object.string("state", self.state.name());
        object.string("previous", self.previous.name());
        string_or_null(&mut object, "reason", self.reason.map(Reason::as_str));
        match self.state {
            State::Waiting { retry_in } => {
                object.uint("retryIn", u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX))
            }
            _ => object.raw("retryIn", "null"),
        };
        object.bool("recovered", self.recovered);
        string_or_null(&mut object, "transport", self.transport.map(Transport::as_str));
        if let Some(error) = &self.error {
            let mut inner = Vec::with_capacity(96);
            write_error(error, &mut inner);
            object.raw("error", std::str::from_utf8(&inner).unwrap_or("null"));
        }
        object.end();
    }
}

fn string_or_null(object: &mut ObjectWriter<'_, Vec<u8>>, name: &str, value: Option<&str>) {
    match value {
        Some(value) => object.string(name, value),
        None => object.raw(name, "null"),
    };
}

/// What the client itself has to tell, beside the server's events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Five attempts in a row failed. Raised once per outage; attempts go on.
    ConnectionFailed {
        /// How many attempts failed so far.
        attempts: u32,
        /// Why the last one did.
        error: Error,
    },
    /// Connected again after the connection was lost, without `disconnect` in between.
    Reconnected {
        /// Whether the server took up the session where it was lost, so that nothing was missed.
        recovered: bool,
    },
    /// A handler panicked or threw, or an event did not fit the type that handlers wait for (once per event, with the
    /// field). The other handlers ran all the same.
    HandlerError(Error),
    /// The queue was full and its oldest message was dropped.
    Overflow {
        /// The receipt's number of the message that was dropped.
        receipt: u64,
        /// Its message id, if it had one.
        message_id: Option<String>,
        /// The event that it would have been.
        event: String,
    },
    /// A message with an id ended. Its receipt says the same, to whoever still holds it: this is for screens that were
    /// closed meanwhile, and for messages of an earlier run of the program.
    MessageStatus {
        /// Its message id.
        message_id: String,
        /// The outcome's name, as [`Outcome::name`](crate::Outcome::name) gives it.
        status: &'static str,
        /// The error, where the outcome has one.
        error: Option<Error>,
    },
    /// Messages wait that were accepted for another user than the one who is connected. They are held back until that user
    /// signs in, or `forget`.
    AccountChanged {
        /// Whose the first of them is.
        account: String,
        /// How many are held back.
        held: usize,
    },
    /// Something that works but should not stay as it is.
    Warning(String),
    /// The store failed or was damaged.
    StoreError(Error),
    /// The server sent something that cannot be read; the link is closed and opened anew.
    Error(Error),
}

impl Notice {
    /// The stable name that every platform uses, for example `overflow`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ConnectionFailed { .. } => "connectionFailed",
            Self::Reconnected { .. } => "reconnected",
            Self::HandlerError(_) => "handlerError",
            Self::Overflow { .. } => "overflow",
            Self::MessageStatus { .. } => "messageStatus",
            Self::AccountChanged { .. } => "accountChanged",
            Self::Warning(_) => "warning",
            Self::StoreError(_) => "storeError",
            Self::Error(_) => "error",
        }
    }

    /// The notice as a JSON object, for platforms and logs.
    pub fn to_json(&self) -> String {
        let mut json = Vec::with_capacity(96);
        let mut object = ObjectWriter::new(&mut json);
        match self {
            Self::ConnectionFailed { attempts, error } => {
                object.uint("attempts", u64::from(*attempts));
                write_error(&mut object, error);
            }
            Self::Reconnected { recovered } => {
                object.bool("recovered", *recovered);
            }
            Self::HandlerError(error) => {
                if let Error::Handler { event, .. } = error {
                    object.string("event", event);
                }
                write_error(&mut object, error);
            }
            Self::StoreError(error) | Self::Error(error) => write_error(&mut object, error),
            Self::Overflow {
                receipt,
                message_id,
                event,
            } => {
                object.uint("receipt", *receipt);
                object.string("event", event);
                if let Some(id) = message_id {
                    object.string("messageId", id);
                }
            }
            Self::MessageStatus {
                message_id,
                status,
                error,
            } => {
                object.string("messageId", message_id);
                object.string("status", status);
                if let Some(error) = error {
                    let mut inner = Vec::with_capacity(96);
                    let mut fields = ObjectWriter::new(&mut inner);
                    write_error(&mut fields, error);
                    fields.end();
                    object.raw("error", std::str::from_utf8(&inner).unwrap_or("null"));
                }
            }
            Self::AccountChanged { account, held } => {
                object.string("account", account);
                object.uint("held", *held as u64);
                write_error(&mut object, &Error::AccountChanged(account.clone()));
            }
            Self::Warning(message) => {
                object.string("message", message);
            }
        }
        object.end();
        String::from_utf8(json).unwrap_or_default()
    }
}

fn write_error(object: &mut ObjectWriter<'_, Vec<u8>>, error: &Error) {
    object.uint("code", u64::from(error.code()));
    object.string("kind", error.kind().as_str());
    object.string("message", &error.to_string());
}
