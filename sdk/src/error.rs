//! Every way in which something can fail, with the stable code that crosses to Swift, Kotlin and TypeScript.

use std::borrow::Cow;
use std::time::Duration;

mod parts;

/// A sentence fragment that is either part of the program or came from outside.
pub type Text = Cow<'static, str>;

/// What went wrong, in which place, and what to do about it.
///
/// [`kind`](Self::kind) is for a `match`, [`code`](Self::code) for other languages and logs,
/// [`is_retryable`](Self::is_retryable) says whether the same call can succeed later without a change on your side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be used.
    #[error("the address cannot be used: {0}; give one such as https://chat.example.com")]
    InvalidUrl(Text),
    /// An option has a value that cannot be used.
    #[error("option `{option}` cannot be used: {reason}")]
    InvalidOption {
        /// The option's name.
        option: Text,
        /// What is wrong with it, and what it may be.
        reason: Text,
    },
    /// A message that no server would take, and nothing was sent; or a payload that does not fit the type asked for.
    #[error("the payload cannot be used: {0}")]
    InvalidPayload(Text),
    /// The client was closed.
    #[error("the client is closed; make a new one to go on")]
    Closed,
    /// Not there on this platform, for this protocol, or without a Cargo feature.
    #[error("not supported here: {0}")]
    Unsupported(Text),
    /// Nobody answered at the address: its name, a refusal, a reset.
    #[error("the server cannot be reached: {0}; check the address and the network")]
    Unreachable(Text),
    /// TLS failed: a certificate that is not trusted, or no protocol in common.
    #[error("no secure connection: {0}")]
    Tls(Text),
    /// The whole handshake took longer than `connect_timeout`.
    #[error("no connection within {} ms ({stage}); check the network, or raise `connect_timeout`", .after.as_millis())]
    ConnectTimeout {
        /// The limit that passed.
        after: Duration,
        /// What was being waited for.
        stage: &'static str,
    },
    /// Something answered, but not as a Socket.IO server does.
    #[error("the server did not open a session: {0}; check the address and `path`")]
    Handshake(Text),
    /// What the server sent cannot be read, or is over a limit.
    #[error("the server sent what cannot be read: {0}; the link was closed and is opened anew")]
    Protocol(Text),
    /// The link ended before an answer came.
    #[error("the connection ended; what was not answered may or may not have arrived")]
    LinkLost,
    /// Handlers did not keep up with the server for longer than a heartbeat.
    #[error("event handlers did not keep up with the server, so the link was closed; move slow work out of them")]
    SlowConsumer,
    /// The server ended this session for good.
    #[error("the server ended the session: {0}; call `connect` if it is to be opened again")]
    Kicked(Text),
    /// The server refused this namespace.
    #[error("the server refused the connection: {message}")]
    Refused {
        /// The server's own words.
        message: String,
        /// What the server added, as JSON.
        data: Option<String>,
    },
    /// The auth provider failed, or took too long.
    #[error("the auth provider gave no credentials: {0}")]
    AuthFailed(Text),
    /// The queue or the outgoing buffer is full.
    #[error("too much is waiting to be sent; await `writable()` and send again")]
    Overloaded,
    /// No acknowledgement in time.
    #[error("no acknowledgement within {} ms; the server may or may not have it", .after.as_millis())]
    AckTimeout {
        /// How long it was waited for.
        after: Duration,
    },
    /// A link died under this message three times.
    #[error("the connection died three times while this message was being sent; it is not tried again")]
    Poison,
    /// The server answered with an error.
    #[error("the server refused the message: {message}")]
    Server {
        /// The server's code, for example `not_a_member`.
        code: Option<String>,
        /// The server's own words.
        message: String,
    },
    /// The server's limit for this action.
    #[error("the server limits this action: {message}")]
    RateLimited {
        /// The server's own words.
        message: String,
        /// When it may be tried again.
        retry_after: Option<Duration>,
    },
    /// The room that this message is for could not be joined again.
    #[error("room `{room}` could not be joined again: {reason}")]
    RoomRefused {
        /// The room.
        room: String,
        /// The server's reason.
        reason: String,
    },
    /// The store could not be read or written.
    #[error("the store failed: {0}")]
    Store(Text),
    /// Another process has the store open.
    #[error("the store is in use: {0}")]
    StoreBusy(Text),
    /// Part of the store could not be read and was set aside.
    #[error("part of the store could not be read and was set aside: {0}")]
    StoreDamaged(Text),
    /// What waits in the store belongs to another account.
    #[error("messages of account `{0}` are held back; sign in as that account, or call `forget`")]
    AccountChanged(String),
    /// An event handler panicked or threw.
    #[error("a handler of event `{event}` failed: {message}")]
    Handler {
        /// The event that it handled.
        event: String,
        /// The panic's or exception's text.
        message: String,
    },
}

macro_rules! kinds {
    ($($kind:ident $pattern:pat => $code:literal $name:literal $retry:literal $doc:literal)*) => {
        /// What kind of failure an [`Error`] is: one per stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind { $(#[doc = $doc] $kind,)* }

        impl ErrorKind {
            /// The stable name that every platform uses, for example `ackTimeout`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The stable code that every platform uses, for example 4002.
            pub const fn code(self) -> u16 {
                match self { $(Self::$kind => $code,)* }
            }

            /// Whether the same call can succeed later without a change on the caller's side.
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$kind => $retry,)* }
            }
        }

        impl Error {
            /// What kind of failure this is.
            pub const fn kind(&self) -> ErrorKind {
                match self { $($pattern => ErrorKind::$kind,)* }
            }
        }
    };
}

kinds! {
    InvalidUrl     Error::InvalidUrl(_)         => 1001 "invalidUrl"     false "The address cannot be used."
    InvalidOption  Error::InvalidOption { .. }  => 1002 "invalidOption"  false "An option's value cannot be used."
    InvalidPayload Error::InvalidPayload(_)     => 1003 "invalidPayload" false "A message that no server would take, or a payload that does not fit."
    Closed         Error::Closed                => 1004 "closed"         false "The client was closed."
    Unsupported    Error::Unsupported(_)        => 1005 "unsupported"    false "Not there on this platform or protocol."
    Unreachable    Error::Unreachable(_)        => 2001 "unreachable"    true  "Name, refused, reset."
    Tls            Error::Tls(_)                => 2002 "tls"            false "Certificate or protocol of TLS."
    ConnectTimeout Error::ConnectTimeout { .. } => 2003 "connectTimeout" true  "The handshake took too long."
    Handshake      Error::Handshake(_)          => 2004 "handshake"      true  "Not a Socket.IO server, or an HTTP status."
    Protocol       Error::Protocol(_)           => 2005 "protocol"       true  "What the server sent cannot be read."
    LinkLost       Error::LinkLost              => 2006 "linkLost"       true  "The link ended before an answer."
    SlowConsumer   Error::SlowConsumer          => 2007 "slowConsumer"   true  "Handlers did not keep up."
    Kicked         Error::Kicked(_)             => 2008 "kicked"         false "The server ended the session for good."
    Refused        Error::Refused { .. }        => 3001 "refused"        false "CONNECT was refused."
    AuthFailed     Error::AuthFailed(_)         => 3002 "authFailed"     true  "The auth provider failed."
    Overloaded     Error::Overloaded            => 4001 "overloaded"     true  "The queue or the outgoing buffer is full."
    AckTimeout     Error::AckTimeout { .. }     => 4002 "ackTimeout"     true  "No acknowledgement in time."
    Poison         Error::Poison                => 4003 "poison"         false "A link died under it three times."
    Server         Error::Server { .. }         => 4004 "server"         false "The server's error reply."
    RateLimited    Error::RateLimited { .. }    => 4005 "rateLimited"    true  "The server's limit."
    RoomRefused    Error::RoomRefused { .. }    => 4006 "roomRefused"    false "The room could not be joined again."
    Store          Error::Store(_)              => 5001 "store"          true  "Reading or writing the store failed."
    StoreBusy      Error::StoreBusy(_)          => 5002 "storeBusy"      true  "Another process has the store open."
    StoreDamaged   Error::StoreDamaged(_)       => 5003 "storeDamaged"   false "Part of the store was set aside."
    AccountChanged Error::AccountChanged(_)     => 5004 "accountChanged" false "Entries of another account are held back."
    Handler        Error::Handler { .. }        => 6001 "handler"        false "A handler panicked or threw."
}

impl Error {
    /// The stable code that every platform uses, for example 4002.
    pub const fn code(&self) -> u16 {
        self.kind().code()
    }

    /// Whether the same call can succeed later without a change on the caller's side.
    pub const fn is_retryable(&self) -> bool {
        self.kind().is_retryable()
    }

    pub(crate) fn option(option: &'static str, reason: impl Into<Text>) -> Self {
        Self::InvalidOption {
            option: Text::Borrowed(option),
            reason: reason.into(),
        }
    }

    pub(crate) fn payload(reason: impl Into<Text>) -> Self {
        Self::InvalidPayload(reason.into())
    }

    pub(crate) fn protocol(reason: impl Into<Text>) -> Self {
        Self::Protocol(reason.into())
    }
}
