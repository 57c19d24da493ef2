//! What a [`Builder`](super::Builder) holds, and the client that it makes.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::{mpsc, oneshot};

use crate::client::{Client, Handle, Template};
use crate::config::{BackoffConfig, Delivery, Endpoint, Limits, Protocol, QueueConfig, TypingConfig, check_limit};
use crate::core::{ConnectionConfig, Core, NamespaceConfig};
use crate::credentials::Credentials;
use crate::dispatch::{self, Queue};
use crate::driver::{self, Driver};
use crate::error::Error;
use crate::observer::Observer;
use crate::shared::Shared;
use crate::state::Transport;
use crate::store::{Contents, Store};
use crate::sys::{self, LinkOptions};

/// What is configured, whatever it is for.
pub(super) struct Parts {
    pub(super) url: String,
    pub(super) protocol: Protocol,
    pub(super) transports: Vec<Transport>,
    pub(super) path: Option<String>,
    pub(super) query: String,
    pub(super) options: LinkOptions,
    pub(super) auth: Result<Credentials, Error>,
    pub(super) require_tls: bool,
    pub(super) connect_timeout: Duration,
    pub(super) ack_timeout: Duration,
    pub(super) backoff: BackoffConfig,
    pub(super) max_attempts: Option<u32>,
    pub(super) seed: Option<u64>,
    pub(super) queue: QueueConfig,
    pub(super) delivery: Delivery,
    pub(super) typing: TypingConfig,
    pub(super) limits: Limits,
    pub(super) account: Option<String>,
    pub(super) namespace: String,
    pub(super) store: Option<Box<dyn Store>>,
    pub(super) observer: Option<Box<dyn Observer>>,
    #[cfg(feature = "sim")]
    pub(super) process: Option<sys::sim::Process>,
}

impl Parts {
    pub(super) fn new(url: String) -> Self {
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
            observer: None,
            #[cfg(feature = "sim")]
            process: None,
        }
    }

    pub(super) fn build(mut self, chat: bool) -> Result<(Client, String), Error> {
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
        namespace.chat = chat.then_some(self.typing);

        // The host and nothing else of the address: a query may hold a secret.
        let span = tracing::debug_span!(parent: None, "rejoin", host = config.endpoint.host);

        let stored = self.store.map(load).transpose()?;
        let shared = Shared::new(sys, dialer, dispatch, span, Core::new(config));
        let shared = Arc::new(shared.observed(self.observer));
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
        Ok((client, self.namespace))
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
        self.queue.check()?;
        let typing = &self.typing;
        for (name, limit) in [
            ("backoff.initial", self.backoff.initial),
            ("backoff.max", self.backoff.max),
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
