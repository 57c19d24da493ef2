//! What goes into the core and what comes out of it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use crate::error::Error;
use crate::payload::Payload;
use crate::receipt::{Acceptor, Completer, Outcome};
use crate::state::{Notice, StateChange};
use crate::store::Transaction;

/// The time at which something happens. The core has no clock: every input brings it along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Time since some fixed moment. It never goes back and counts the time in which the machine sleeps.
    pub mono: Duration,
    /// Unix time in milliseconds.
    pub unix_ms: u64,
}

/// One thing that the platform runs for the client: a WebSocket, or one HTTP exchange of long-polling. Each gets a new
/// id, so that events of a dead one are told apart and ignored.
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

/// A WebSocket to open, or an HTTP request to make.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Which of these.
    pub method: Method,
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

/// What a [`Request`] asks for.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these three")]
pub enum Method {
    /// A WebSocket. Its events are frames, or one [`Response`](LinkEvent::Response) where the server refused it.
    WebSocket,
    /// An HTTP GET. Its one event is a [`Response`](LinkEvent::Response), or [`Closed`](LinkEvent::Closed) with an error.
    Get,
    /// An HTTP POST of `text/plain`, with the same events.
    Post(Bytes),
}

/// The answer to an HTTP request. Redirects are not followed.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What the header `Retry-After` says, counted from now.
    pub retry_after: Option<Duration>,
    /// The body. Of a refused WebSocket, as much as was read of it.
    pub body: Bytes,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WebSocket => f.write_str("WebSocket"),
            Self::Get => f.write_str("Get"),
            Self::Post(body) => write!(f, "Post({} bytes)", body.len()),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the query, which may hold a secret.
        let path = self.target.split('?').next();
        f.debug_struct("Request")
            .field("method", &self.method)
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

impl Frame {
    /// How many bytes it holds.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
            Self::Ping => 0,
        }
    }
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
    /// The answer to an HTTP request, or to a WebSocket that the server did not open. Its last event.
    Response(Response),
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
    /// Apply this to the store, then say [`handle_stored`](super::Core::handle_stored) with the same turn, or with that of
    /// a later one which was applied together with it.
    Store(u64, Transaction),
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
        /// How to answer it, if the server asks for an answer. Boxed: most do not, and happenings are moved about.
        reply_to: Option<Box<ReplyTo>>,
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

impl ReplyTo {
    /// As numbers, for those who keep it as such.
    pub const fn to_parts(self) -> [u64; 3] {
        [self.link.0, self.join, self.id]
    }

    /// From what `to_parts` gave.
    pub const fn from_parts([link, join, id]: [u64; 3]) -> Self {
        Self {
            link: LinkId(link),
            join,
            id,
        }
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
