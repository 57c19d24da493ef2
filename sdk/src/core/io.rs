//! What goes into the core and what comes out of it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use super::body::Body;
use crate::error::Error;
use crate::payload::Payload;
use crate::receipt::{Acceptor, Completer, Outcome};
use crate::state::{Notice, StateChange, Transport};
use crate::store::Transaction;

/// The time at which something happens. The core has no clock: every input brings it along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Time since some fixed moment. It never goes back and counts the time in which the machine sleeps.
    pub mono: Duration,
    /// Unix time in milliseconds.
    pub unix_ms: u64,
}

/// One link to the server. Every attempt gets a new one, so that events of a dead link are told apart and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// One namespace of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u32);

impl SocketId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A WebSocket to open.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// How the link is made.
    pub transport: Transport,
    /// Whether over TLS.
    pub secure: bool,
    /// The host to look up and to check the certificate against.
    pub host: String,
    /// The port to connect to.
    pub port: u16,
    /// The Host header.
    pub authority: String,
    /// Path and query.
    pub target: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the query, which may hold a secret.
        let path = self.target.split('?').next();
        f.debug_struct("Request")
            .field("authority", &self.authority)
            .field("path", &path)
            .finish_non_exhaustive()
    }
}

/// One WebSocket message to write.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// UTF-8 text.
    Text(Bytes),
    /// Bytes.
    Binary(Bytes),
    /// A WebSocket ping; the pong is [`LinkEvent::Pong`].
    Ping,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither payloads nor credentials are for logs.
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
            Self::Ping => f.write_str("Ping"),
        }
    }
}

/// What happened on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkEvent {
    /// A text message came.
    Text(ByteString),
    /// A binary message came.
    Binary(Bytes),
    /// The answer to a ping.
    Pong,
    /// The batch that was handed over has been written to the system.
    Sent,
    /// The link is gone, or could not be made; the error says why, `None` is an orderly close.
    Closed(Option<Error>),
}

/// What the core wants done. Polled with [`poll_output`](super::Core::poll_output) until it is a `Timeout`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Open a link.
    Start(LinkId, Box<Request>),
    /// Write these frames with one flush, then say [`LinkEvent::Sent`].
    Send(LinkId, Vec<Frame>),
    /// Close a link: politely, but without waiting long. Its events are ignored from here on.
    Stop(LinkId),
    /// Ask the auth provider; answer with [`handle_auth`](super::Core::handle_auth) and the same turn.
    Authenticate(SocketId, u64),
    /// Apply this to the store, then say [`handle_stored`](super::Core::handle_stored).
    Store(Transaction),
    /// A message is in the client's care.
    Accept(Acceptor),
    /// A message ended.
    Settle(Completer, Outcome),
    /// A socket that refused messages as `Overloaded` takes them again.
    Writable(SocketId),
    /// Tell the app.
    Event(SocketId, Happening),
    /// Nothing more to do until an input comes, or this time at the latest.
    Timeout(Option<Duration>),
}

/// What the app is told.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// An event from the server.
    Message {
        /// The event's name.
        name: ByteString,
        /// Its arguments.
        payload: Payload,
        /// How to answer it, if the server asks for an answer.
        reply_to: Option<ReplyTo>,
    },
    /// The socket's state changed.
    State(Box<StateChange>),
    /// The client has something to tell.
    Notice(Box<Notice>),
}

/// Names the acknowledgement that the server waits for. Void once that link is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyTo {
    pub(crate) link: LinkId,
    /// Which joining of the namespace it belongs to: ids start anew with each.
    pub(crate) join: u64,
    pub(crate) id: u64,
}

/// One message to send, encoded and checked before the core's lock is taken.
#[derive(Debug, Clone)]
pub struct Emission {
    /// `["event",a,b]`, valid JSON.
    pub(crate) body: Body,
    /// Where the first argument starts in `body`, or its closing bracket.
    pub(crate) args_at: usize,
    /// Binary attachments, in the order of their placeholders' numbers.
    pub(crate) attachments: Vec<Bytes>,
    /// How it is to be treated.
    pub(crate) options: EmitOptions,
}

/// How one message is to be treated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmitOptions {
    pub(crate) ack: bool,
    pub(crate) volatile: bool,
    pub(crate) reliable: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) lane: Option<Box<str>>,
}

impl EmitOptions {
    /// Queued while offline, and no acknowledgement asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the server for an acknowledgement: the outcome is then `Delivered` with its answer.
    pub fn ack(mut self) -> Self {
        self.ack = true;
        self
    }

    /// Asks for an acknowledgement and waits this long for it, instead of the client's `ack_timeout`. The time runs
    /// from the moment the message is written, not while it waits in the queue.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.ack = true;
        self.timeout = Some(limit);
        self
    }

    /// Sent only if it can be sent now: dropped while there is no connection or too much is waiting.
    pub fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Carries a `messageId`, added to its first argument, which must be an object, and is sent again after a lost
    /// link if the server acknowledges and removes duplicates.
    pub fn reliable(mut self) -> Self {
        self.reliable = true;
        self
    }

    /// How long it may wait to be sent, instead of the queue's `ttl`.
    pub fn ttl(mut self, limit: Duration) -> Self {
        self.ttl = Some(limit);
        self
    }

    /// Puts it into a lane: order holds within one, and a lane that has to wait does not hold up the others.
    pub fn lane(mut self, lane: impl Into<Box<str>>) -> Self {
        self.lane = Some(lane.into());
        self
    }
}

/// A message that waits to be sent or to be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// The receipt's number.
    pub receipt: u64,
    /// The message id, if it is reliable.
    pub message_id: Option<String>,
    /// The event's name.
    pub event: String,
    /// Whether it was written to a link and waits for its acknowledgement.
    pub written: bool,
}
