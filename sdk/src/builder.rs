//! How a client is configured.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use crate::client::Client;
use crate::config::{BackoffConfig, Delivery, Limits, Protocol, QueueConfig, TypingConfig, push_query};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::observer::Observer;
use crate::state::Transport;
use crate::store::Store;
#[cfg(feature = "sim")]
use crate::sys;
use crate::sys::{MaybeSend, MaybeSync};

mod parts;

use parts::Parts;

/// Something that a [`Builder`] can build.
pub trait Buildable: Sized + private::Sealed {
    /// Makes it from the client underneath.
    #[doc(hidden)]
    fn from_client(client: Client, namespace: &str) -> Self;

    /// Whether its sockets speak the chat protocol.
    #[doc(hidden)]
    const CHAT: bool;
}

pub(crate) mod private {
    /// Keeps [`Buildable`](super::Buildable) to this crate.
    pub trait Sealed {}
}

impl private::Sealed for Client {}
impl Buildable for Client {
    const CHAT: bool = false;

    fn from_client(client: Client, _: &str) -> Self {
        client
    }
}

/// Configures a client. Every option has a default that is right for most; wrong values are told by
/// [`build`](Self::build).
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<T> {
    /// Boxed: every option moves the builder.
    parts: Box<Parts>,
    builds: PhantomData<fn() -> T>,
}

impl<T: Buildable> Builder<T> {
    pub(crate) fn new(url: String) -> Self {
        Self {
            parts: Box::new(Parts::new(url)),
            builds: PhantomData,
        }
    }

    /// What is spoken with the server. Default [`Protocol::SocketIo`]. [`Protocol::Json`] says what that one lacks.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.parts.protocol = protocol;
        self
    }

    /// How links are made, in order of preference. Default WebSocket, then long-polling: a WebSocket that is refused, or
    /// not open after 6 s, gives way to polling in the same attempt, and polling gives way to a WebSocket as soon as one
    /// proves to work. With one of them the other is never tried. Plain JSON knows WebSockets only.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.parts.transports = transports.into_iter().collect();
        self
    }

    /// The path that the server listens on. Default `/socket.io/`; for plain JSON that of the address, or `/ws`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.parts.path = Some(path.into());
        self
    }

    /// Adds a parameter to the handshake's query. It ends up in server logs: no place for a token.
    pub fn query(mut self, key: &str, value: &str) -> Self {
        push_query(&mut self.parts.query, key, value);
        self
    }

    /// Adds a header to the handshake. Not in browsers, which allow none.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.options.headers.push((name.into(), value.into()));
        self
    }

    /// Credentials that are sent in CONNECT, or in plain JSON's `authenticate`: anything that serialises to a JSON object.
    #[cfg(feature = "typed")]
    pub fn auth<A: serde::Serialize>(mut self, auth: A) -> Self {
        self.parts.auth = Credentials::typed(&auth);
        self
    }

    /// Credentials that are sent in CONNECT, or in plain JSON's `authenticate`, as the text of a JSON object.
    pub fn auth_json(mut self, json: impl Into<String>) -> Self {
        self.parts.auth = Credentials::json(json.into());
        self
    }

    /// The credentials `{"token": …}`.
    pub fn token(mut self, token: &str) -> Self {
        self.parts.auth = Ok(Credentials::token(token));
        self
    }

    /// Asks for credentials at each attempt: the text of a JSON object, or what went wrong.
    ///
    /// It has 10 s. If the server refuses what it gave, it is asked once more before the socket is `Failed`.
    pub fn auth_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + MaybeSync + 'static,
        A: Future<Output = Result<String, String>> + MaybeSend + 'static,
    {
        self.parts.auth = Ok(Credentials::provider(provider));
        self
    }

    /// Asks for a token at each attempt, as [`auth_provider`](Self::auth_provider) does.
    pub fn token_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + MaybeSync + 'static,
        A: Future<Output = Result<String, String>> + MaybeSend + 'static,
    {
        self.parts.auth = Ok(Credentials::token_provider(provider));
        self
    }

    /// Keeps the server's cookies and sends them along, so that a balancer which goes by them finds the same server again.
    /// In browsers it is what `credentials: "include"` is. Default false.
    pub fn with_credentials(mut self, wanted: bool) -> Self {
        self.parts.options.with_credentials = wanted;
        self
    }

    /// Roots that are trusted instead of the public ones, as PEM. Not in browsers.
    pub fn ca_pem(mut self, pem: impl Into<String>) -> Self {
        self.parts.options.ca_pem = Some(pem.into());
        self
    }

    /// Refuses to connect without TLS. Default false.
    pub fn require_tls(mut self, required: bool) -> Self {
        self.parts.require_tls = required;
        self
    }

    /// The limit of a whole handshake: credentials, link, session, namespace. Default 20 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.parts.connect_timeout = limit;
        self
    }

    /// How long an acknowledgement is waited for, from when the message is written. Default 10 s.
    pub fn ack_timeout(mut self, limit: Duration) -> Self {
        self.parts.ack_timeout = limit;
        self
    }

    /// The delays between attempts.
    pub fn backoff(mut self, backoff: BackoffConfig) -> Self {
        self.parts.backoff = backoff;
        self
    }

    /// After so many attempts to connect again the socket is `Failed`; with 0 the first failure is the last. A connection
    /// that was stable for 5 s starts the count anew. Default: without end.
    pub fn max_attempts(mut self, most: u32) -> Self {
        self.parts.max_attempts = Some(most);
        self
    }

    /// The seed of jitter and message ids, for tests that are to repeat exactly. Two clients with one seed make the same
    /// message ids: never set it in production.
    pub fn reconnect_seed(mut self, seed: u64) -> Self {
        self.parts.seed = Some(seed);
        self
    }

    /// The bounds of the queue.
    pub fn queue(mut self, queue: QueueConfig) -> Self {
        self.parts.queue = queue;
        self
    }

    /// Whether a reliable message is sent again after a lost link. Default [`Delivery::Auto`].
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.parts.delivery = delivery;
        self
    }

    /// Bounds on what the server can make the client hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.parts.limits = limits;
        self
    }

    /// The id of the user who is signed in, as the server's greeting will name it. Default: whoever the greeting names.
    ///
    /// Messages go out under nobody's name but that under which they were accepted. Say it where several people use one
    /// store: what is sent before the first greeting is then known to be this user's.
    pub fn account(mut self, user_id: impl Into<String>) -> Self {
        self.parts.account = Some(user_id.into());
        self
    }

    /// Where reliable messages survive. Default: only in the client.
    pub fn store(mut self, store: impl Store) -> Self {
        self.parts.store = Some(Box::new(store));
        self
    }

    /// Has everything that happens told to a binding, and no handlers called.
    #[doc(hidden)]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.parts.observer = Some(Box::new(observer));
        self
    }

    /// Has the client run in a simulated process, not on the platform that the program runs on.
    #[cfg(feature = "sim")]
    #[doc(hidden)]
    pub fn process(mut self, process: &sys::sim::Process) -> Self {
        self.parts.process = Some(process.clone());
        self
    }

    /// Makes the client. It does nothing until `connect`. Natively it has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`], [`Error::InvalidOption`] with the option's name, [`Error::Tls`] where TLS is required and the
    /// address has none, the store's error, and [`Error::Unsupported`] outside of a runtime.
    pub fn build(self) -> Result<T, Error> {
        let (client, namespace) = self.parts.build(T::CHAT)?;
        Ok(T::from_client(client, &namespace))
    }
}

impl Builder<crate::RealtimeClient> {
    /// The same client without the chat layer: for bindings, which have one set of options for both.
    #[doc(hidden)]
    pub fn without_chat(self) -> Builder<Client> {
        Builder {
            parts: self.parts,
            builds: PhantomData,
        }
    }

    /// The namespace of the chat, `/` by default.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.parts.namespace = namespace.into();
        self
    }

    /// How typing indicators are timed.
    pub fn typing(mut self, typing: TypingConfig) -> Self {
        self.parts.typing = typing;
        self
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither query nor credentials: they are not for logs.
        f.debug_struct("Builder")
            .field("path", &self.parts.path)
            .finish_non_exhaustive()
    }
}
