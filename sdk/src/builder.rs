//! How a client is configured.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::{mpsc, oneshot};

use crate::client::{Client, Handle, Template};
use crate::config::{
    BackoffConfig, Delivery, Endpoint, Limits, Protocol, QueueConfig, TypingConfig, check_limit, push_query,
};
use crate::core::{ConnectionConfig, Core, NamespaceConfig};
use crate::credentials::Credentials;
use crate::dispatch::{self, Queue};
use crate::driver::{self, Driver};
use crate::error::Error;
use crate::shared::Shared;
use crate::state::Transport;
use crate::store::{Contents, Store};
use crate::sys::{self, LinkOptions, MaybeSend, MaybeSync};

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
    url: String,
    protocol: Protocol,
    transports: Vec<Transport>,
    path: Option<String>,
    query: String,
    options: LinkOptions,
    auth: Result<Credentials, Error>,
    require_tls: bool,
    connect_timeout: Duration,
    ack_timeout: Duration,
    backoff: BackoffConfig,
    max_attempts: Option<u32>,
    seed: Option<u64>,
    queue: QueueConfig,
    delivery: Delivery,
    typing: TypingConfig,
    limits: Limits,
    account: Option<String>,
    namespace: String,
    store: Option<Box<dyn Store>>,
    #[cfg(feature = "sim")]
    process: Option<sys::sim::Process>,
    builds: PhantomData<fn() -> T>,
}

impl<T: Buildable> Builder<T> {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            protocol: Protocol::SocketIo,
            transports: vec![Transport::WebSocket, Transport::Polling],
            path: None,
            query: String::new(),
            options: LinkOptions::default(),
            auth: Ok(Credentials::default()),
            require_tls: false,
            connect_timeout: Duration::from_secs(20),
            ack_timeout: Duration::from_secs(10),
            backoff: BackoffConfig::default(),
            max_attempts: None,
            seed: None,
            queue: QueueConfig::default(),
            delivery: Delivery::Auto,
            typing: TypingConfig::default(),
            limits: Limits::default(),
            account: None,
            namespace: "/".to_owned(),
            store: None,
            #[cfg(feature = "sim")]
            process: None,
            builds: PhantomData,
        }
    }

    /// What is spoken with the server. Default [`Protocol::SocketIo`]. [`Protocol::Json`] says what that one lacks.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// How links are made, in order of preference. Default WebSocket, then long-polling: a WebSocket that is refused, or
    /// not open after 6 s, gives way to polling in the same attempt, and polling gives way to a WebSocket as soon as one
    /// proves to work. With one of them the other is never tried. Plain JSON knows WebSockets only.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.transports = transports.into_iter().collect();
        self
    }

    /// The path that the server listens on. Default `/socket.io/`; for plain JSON that of the address, or `/ws`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Adds a parameter to the handshake's query. It ends up in server logs: no place for a token.
    pub fn query(mut self, key: &str, value: &str) -> Self {
        push_query(&mut self.query, key, value);
        self
    }

    /// Adds a header to the handshake. Not in browsers, which allow none.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.headers.push((name.into(), value.into()));
        self
    }

    /// Credentials that are sent in CONNECT, or in plain JSON's `authenticate`: anything that serialises to a JSON object.
    #[cfg(feature = "typed")]
    pub fn auth<A: serde::Serialize>(mut self, auth: A) -> Self {
        self.auth = Credentials::typed(&auth);
        self
    }

    /// Credentials that are sent in CONNECT, or in plain JSON's `authenticate`, as the text of a JSON object.
    pub fn auth_json(mut self, json: impl Into<String>) -> Self {
        self.auth = Credentials::json(json.into());
        self
    }

    /// The credentials `{"token": …}`.
    pub fn token(mut self, token: &str) -> Self {
        self.auth = Ok(Credentials::token(token));
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
        self.auth = Ok(Credentials::provider(provider));
        self
    }

    /// Asks for a token at each attempt, as [`auth_provider`](Self::auth_provider) does.
    pub fn token_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + MaybeSync + 'static,
        A: Future<Output = Result<String, String>> + MaybeSend + 'static,
    {
        self.auth = Ok(Credentials::token_provider(provider));
        self
    }

    /// Keeps the server's cookies and sends them along, so that a balancer which goes by them finds the same server again.
    /// In browsers it is what `credentials: "include"` is. Default false.
    pub fn with_credentials(mut self, wanted: bool) -> Self {
        self.options.with_credentials = wanted;
        self
    }

    /// Roots that are trusted instead of the public ones, as PEM. Not in browsers.
    pub fn ca_pem(mut self, pem: impl Into<String>) -> Self {
        self.options.ca_pem = Some(pem.into());
        self
    }

    /// Refuses to connect without TLS. Default false.
    pub fn require_tls(mut self, required: bool) -> Self {
        self.require_tls = required;
        self
    }

    /// The limit of a whole handshake: credentials, link, session, namespace. Default 20 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long an acknowledgement is waited for, from when the message is written. Default 10 s.
    pub fn ack_timeout(mut self, limit: Duration) -> Self {
        self.ack_timeout = limit;
        self
    }

    /// The delays between attempts.
    pub fn backoff(mut self, backoff: BackoffConfig) -> Self {
        self.backoff = backoff;
        self
    }

    /// After so many attempts to connect again the socket is `Failed`; with 0 the first failure is the last. A connection
    /// that was stable for 5 s starts the count anew. Default: without end.
    pub fn max_attempts(mut self, most: u32) -> Self {
        self.max_attempts = Some(most);
        self
    }

    /// The seed of jitter and message ids, for tests that are to repeat exactly. Two clients with one seed make the same
    /// message ids: never set it in production.
    pub fn reconnect_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The bounds of the queue.
    pub fn queue(mut self, queue: QueueConfig) -> Self {
        self.queue = queue;
        self
    }

    /// Whether a reliable message is sent again after a lost link. Default [`Delivery::Auto`].
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Bounds on what the server can make the client hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The id of the user who is signed in, as the server's greeting will name it. Default: whoever the greeting names.
    ///
    /// Messages go out under nobody's name but that under which they were accepted. Say it where several people use one
    /// store: what is sent before the first greeting is then known to be this user's.
    pub fn account(mut self, user_id: impl Into<String>) -> Self {
        self.account = Some(user_id.into());
        self
    }

    /// Where reliable messages survive. Default: only in the client.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// Has the client run in a simulated process, not on the platform that the program runs on.
    #[cfg(feature = "sim")]
    #[doc(hidden)]
    pub fn process(mut self, process: &sys::sim::Process) -> Self {
        self.process = Some(process.clone());
        self
    }

    /// Makes the client. It does nothing until `connect`. Natively it has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`], [`Error::InvalidOption`] with the option's name, [`Error::Tls`] where TLS is required and the
    /// address has none, the store's error, and [`Error::Unsupported`] outside of a runtime.
    pub fn build(mut self) -> Result<T, Error> {
        let mut endpoint = match (self.protocol, &self.path) {
            // Such a server's address has its path in it.
            (Protocol::Json, None) => {
                let (endpoint, path) = Endpoint::split(&self.url)?;
                self.path = (!path.is_empty()).then(|| ["/", path].concat());
                endpoint
            }
            _ => Endpoint::parse(&self.url)?,
        };
        let query = self.full_query(std::mem::take(&mut endpoint.query));
        let path = self.full_path()?;
        self.check(&endpoint)?;
        let credentials = self.auth?;
        #[cfg(feature = "sim")]
        let sys = match self.process {
            Some(process) => Arc::new(process),
            None => sys::platform()?,
        };
        #[cfg(not(feature = "sim"))]
        let sys = sys::platform()?;
        let mut options = self.options;
        options.max_message = self.limits.message;
        let dialer = sys.dialer(options)?;

        let mut config = ConnectionConfig::new(endpoint, self.seed.unwrap_or_else(|| sys.seed()));
        config.protocol = self.protocol;
        config.transports = self.transports;
        config.path = path;
        config.query = query;
        config.backoff = self.backoff;
        config.max_attempts = self.max_attempts;
        config.connect_timeout = self.connect_timeout;
        config.stored = self.store.is_some();
        config.can_ping = sys.can_ping();
        let dispatch = Queue::new(&self.limits);
        config.limits = self.limits;

        let mut namespace = NamespaceConfig::new("/");
        namespace.queue = self.queue;
        namespace.delivery = self.delivery;
        namespace.ack_timeout = self.ack_timeout;
        namespace.account = self.account;
        namespace.chat = T::CHAT.then_some(self.typing);

        // The host and nothing else of the address: a query may hold a secret.
        let span = tracing::debug_span!(parent: None, "rejoin", host = config.endpoint.host);

        let stored = self.store.map(load).transpose()?;
        let shared = Arc::new(Shared::new(sys, dialer, dispatch, span, Core::new(config)));
        let client = Client {
            handle: Arc::new(Handle {
                shared: Arc::clone(&shared),
            }),
            template: Arc::new(Template::new(namespace, credentials)),
        };
        let mut rests = None;
        let store = stored.map(|(store, contents)| {
            client.restore(contents);
            let (at_rest, rest) = oneshot::channel();
            rests = Some(rest);
            let (sender, turns) = mpsc::unbounded();
            let keeping = driver::keep(Arc::clone(&shared), store, turns);
            shared.sys.spawn(Box::pin(async move {
                keeping.await;
                drop(at_rest);
            }));
            sender
        });
        shared.sys.spawn(Box::pin(Driver::new(Arc::clone(&shared), store)));
        shared.sys.spawn(Box::pin(dispatch::run(Arc::clone(&shared), rests)));
        Ok(T::from_client(client, &self.namespace))
    }

    fn full_query(&self, mut query: String) -> String {
        if !query.is_empty() && !self.query.is_empty() {
            query.push('&');
        }
        query.push_str(&self.query);
        query
    }

    /// For Socket.IO with a slash at both ends, as npm's server expects it.
    fn full_path(&self) -> Result<String, Error> {
        let bad = |byte: u8| byte <= b' ' || byte >= 0x7f || byte == b'?' || byte == b'#';
        let path = match (&self.path, self.protocol) {
            (Some(path), _) => path.as_str(),
            (None, Protocol::SocketIo) => "/socket.io/",
            (None, Protocol::Json) => "/ws",
        };
        if path.bytes().any(bad) {
            return Err(Error::option(
                "path",
                "it holds a space, `?`, `#` or something that is not ASCII",
            ));
        }
        let inner = path.trim_matches('/');
        Ok(match (inner, self.protocol) {
            ("", _) => "/".to_owned(),
            (inner, Protocol::SocketIo) => ["/", inner, "/"].concat(),
            (_, Protocol::Json) => ["/", path.trim_start_matches('/')].concat(),
        })
    }

    fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        if self.require_tls && !endpoint.secure {
            return Err(Error::Tls(
                "`require_tls` is set and the address is neither https nor wss".into(),
            ));
        }
        for (index, transport) in self.transports.iter().enumerate() {
            if self.transports[..index].contains(transport) {
                return Err(Error::option("transports", "it names one transport twice"));
            }
        }
        match self.protocol {
            _ if self.transports.is_empty() => return Err(Error::option("transports", "it names none")),
            Protocol::Json if !self.transports.contains(&Transport::WebSocket) => {
                return Err(Error::option("transports", "plain JSON needs a WebSocket"));
            }
            _ => {}
        }
        if self.backoff.multiplier.is_nan() || self.backoff.multiplier < 1.0 {
            return Err(Error::option("backoff.multiplier", "it has to be at least 1"));
        }
        if self.backoff.initial.is_zero() || self.backoff.max.is_zero() {
            return Err(Error::option("backoff", "`initial` and `max` have to be over zero"));
        }
        self.queue.check()?;
        let typing = &self.typing;
        for (name, limit) in [
            ("connect_timeout", self.connect_timeout),
            ("ack_timeout", self.ack_timeout),
            ("typing.auto_stop", typing.auto_stop),
            ("typing.refresh", typing.refresh),
            ("typing.expiry", typing.expiry),
        ] {
            check_limit(name, limit)?;
        }
        let limits = &self.limits;
        for (name, limit) in [
            ("limits.message", limits.message),
            ("limits.depth", limits.depth),
            ("limits.sid", limits.sid),
            ("limits.early_events", limits.early_events),
            ("limits.dispatch_events", limits.dispatch_events),
            ("limits.dispatch_bytes", limits.dispatch_bytes),
            ("limits.outgoing", limits.outgoing),
        ] {
            if limit == 0 {
                return Err(Error::option(name, "it has to be over zero"));
            }
        }
        Ok(())
    }
}

impl Builder<crate::RealtimeClient> {
    /// The namespace of the chat, `/` by default.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// How typing indicators are timed.
    pub fn typing(mut self, typing: TypingConfig) -> Self {
        self.typing = typing;
        self
    }
}

/// What the store has kept. It has to answer at once: messages of this run must come behind those.
fn load(mut store: Box<dyn Store>) -> Result<(Box<dyn Store>, Contents), Error> {
    let loaded = store.load().now_or_never();
    match loaded {
        Some(contents) => contents.map(|contents| (store, contents)),
        None => Err(Error::Unsupported(
            "a store whose `load` does not answer at once".into(),
        )),
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither query nor credentials: they are not for logs.
        f.debug_struct("Builder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
