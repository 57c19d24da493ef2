//! What a client is made with, as the core sees it.

use std::fmt;
use std::time::Duration;

use crate::config::{BackoffConfig, Endpoint, Limits, Protocol};
use crate::state::Transport;

/// What a connection is made with.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// What is spoken with the server.
    pub protocol: Protocol,
    /// How links are made, in order of preference. Never empty.
    pub transports: Vec<Transport>,
    /// The path that the server listens on.
    pub path: String,
    /// What stands behind Engine.IO's own query parameters, without `&`.
    pub query: String,
    /// The delays between attempts.
    pub backoff: BackoffConfig,
    /// How many attempts are made after a loss before it is `Failed`; `None` is without end.
    pub max_attempts: Option<u32>,
    /// The limit of a whole handshake.
    pub connect_timeout: Duration,
    /// Bounds on what the server can make the client hold.
    pub limits: Limits,
    /// The seed of all randomness.
    pub seed: u64,
    /// Whether reliable messages are given to a store.
    pub stored: bool,
    /// Whether the platform can send a WebSocket ping; browsers cannot.
    pub can_ping: bool,
}

impl ConnectionConfig {
    /// The defaults for a server.
    pub fn new(endpoint: Endpoint, seed: u64) -> Self {
        Self {
            endpoint,
            protocol: Protocol::SocketIo,
            transports: vec![Transport::WebSocket, Transport::Polling],
            path: "/socket.io/".to_owned(),
            query: String::new(),
            backoff: BackoffConfig::default(),
            max_attempts: None,
            connect_timeout: Duration::from_secs(20),
            limits: Limits::default(),
            seed,
            stored: false,
            can_ping: true,
        }
    }
}

impl fmt::Debug for ConnectionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the query, which may hold a secret.
        f.debug_struct("ConnectionConfig")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
