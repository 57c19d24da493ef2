//! What a server is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use crate::limits::RateLimits;

/// Everything a server is started with; the default serves one process's tests.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen. Default: loopback, a port the system chooses.
    pub bind: SocketAddr,
    /// The HS256 key that signs and checks tokens. Default: random, so only this server's tokens
    /// are good. RFC 7518, 3.2 asks for at least 32 bytes.
    pub secret: Vec<u8>,
    /// Where messages and rooms are kept. Default: memory.
    pub database: Database,
    /// How often each action may be done. Default: generous enough for development.
    pub limits: RateLimits,
    /// What the server keeps and announces. Default: all it knows.
    pub features: Features,
    /// Time between two heartbeats. Default 25 s, as npm's socket.io.
    pub ping_interval: Duration,
    /// How long a client may take to answer a heartbeat. Default 20 s, as npm's socket.io.
    pub ping_timeout: Duration,
    /// The longest message a client may send, in bytes, announced as `maxPayload`. Default 1 MB.
    pub max_payload: u64,
    /// The longest `content` of a chat message, in bytes. Default 64 KiB.
    pub max_content: usize,
    /// How many private messages are kept for one user, and how many of rooms. Default 10,000.
    pub max_kept: u32,
    /// How long what is said in a room is kept for a member who is away without having left.
    /// Default 24 h.
    pub max_absence: Duration,
    /// How long past the time that it was told a refused message may take to come again, until its
    /// lane waits for it no more. Default 1 min.
    pub order_patience: Duration,
    /// How many notifications are kept for one user; beyond it the oldest go. Default 1,000.
    pub max_notifications: u32,
    /// How many connections one user may have; beyond it the oldest is closed (`replaced`).
    /// Default: no limit.
    pub max_connections: Option<usize>,
    /// Users who may not connect (`banned`). Default: none.
    pub banned: Vec<String>,
    /// How long a connection may send no event until it is closed (`idle`); heartbeats are none.
    /// Default: for ever.
    pub idle_timeout: Option<Duration>,
    /// When clients are told to come back after a shutdown. Default: they are not told.
    pub retry_after: Option<Duration>,
    /// How long a plain-JSON connection may take to authenticate. Default 10 s.
    pub auth_timeout: Duration,
    /// How many rounds of PBKDF2-HMAC-SHA256 a room's password takes. Default 100,000.
    pub password_rounds: u32,
    /// Whether `GET /dev/token` mints tokens for anyone who asks; refused off loopback. Default no.
    pub dev_tokens: bool,
}

/// Where messages and rooms are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// In memory: gone with the server.
    Memory,
    /// In an SQLite file, made if it is not there: what was acknowledged survives a restart.
    File(PathBuf),
}

/// The promises of the protocol that this server keeps, each announced in its greeting.
///
/// Switched off, a promise is neither announced nor kept: the server then behaves like the many
/// that never heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Every event that asks for an acknowledgement gets one.
    pub ack: bool,
    /// A copy of a message is answered as the first was, and not delivered again.
    pub dedupe: bool,
    /// What follows a refused message in its lane is refused too, until that one comes again.
    pub order: bool,
    /// Messages and notifications ask for an acknowledgement, and messages are kept until it comes.
    pub receipts: bool,
}

impl Features {
    /// None of them: a server as the protocol began.
    pub const NONE: Self = Self {
        ack: false,
        dedupe: false,
        order: false,
        receipts: false,
    };

    /// The names to announce, in the order of the protocol's table.
    pub(crate) fn announced(self) -> Vec<&'static str> {
        let known = [
            (self.ack, "ack"),
            (self.dedupe, "dedupe"),
            (self.order, "order"),
            (self.receipts, "receipts"),
        ];
        let kept = known.into_iter().filter(|(on, _)| *on);
        kept.map(|(_, name)| name).collect()
    }
}

impl Default for Features {
    fn default() -> Self {
        Self {
            ack: true,
            dedupe: true,
            order: true,
            receipts: true,
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            secret: fresh_secret(),
            database: Database::Memory,
            limits: RateLimits::default(),
            features: Features::default(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: 1_000_000,
            max_content: 64 * 1024,
            max_kept: 10_000,
            max_absence: Duration::from_secs(24 * 60 * 60),
            order_patience: Duration::from_secs(60),
            max_notifications: 1_000,
            max_connections: None,
            banned: Vec::new(),
            idle_timeout: None,
            retry_after: None,
            auth_timeout: Duration::from_secs(10),
            password_rounds: 100_000,
            dev_tokens: false,
        }
    }
}

impl fmt::Debug for ServerConfig {
    // By hand, so that no log ever shows the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("bind", &self.bind)
            .field("database", &self.database)
            .field("limits", &self.limits)
            .field("features", &self.features)
            .field("ping_interval", &self.ping_interval)
            .field("ping_timeout", &self.ping_timeout)
            .field("max_payload", &self.max_payload)
            .field("max_content", &self.max_content)
            .field("max_kept", &self.max_kept)
            .field("max_absence", &self.max_absence)
            .field("order_patience", &self.order_patience)
            .field("max_notifications", &self.max_notifications)
            .field("max_connections", &self.max_connections)
            .field("idle_timeout", &self.idle_timeout)
            .field("retry_after", &self.retry_after)
            .field("auth_timeout", &self.auth_timeout)
            .field("dev_tokens", &self.dev_tokens)
            .finish_non_exhaustive()
    }
}

/// 244 random bits from the system, as two version 4 UUIDs.
fn fresh_secret() -> Vec<u8> {
    [Uuid::new_v4(), Uuid::new_v4()]
        .iter()
        .flat_map(|part| *part.as_bytes())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_defaults_do_not_share_a_secret() {
        let (one, other) = (ServerConfig::default(), ServerConfig::default());
        assert_eq!(one.secret.len(), 32);
        assert_ne!(one.secret, other.secret);
    }

    #[test]
    fn debug_output_does_not_show_the_secret() {
        let config = ServerConfig {
            secret: vec![77; 32],
            ..ServerConfig::default()
        };
        assert!(!format!("{config:?}").contains("77"));
    }
}
