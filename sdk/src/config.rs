//! Every option with its default, and the address as the client reads it.

use std::time::Duration;

use crate::core::{Body, scan};
use crate::error::Error;
use crate::sys;

/// What is spoken with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Protocol {
    /// Socket.IO 5 over Engine.IO 4, as servers of Socket.IO 3 and 4 speak it.
    #[default]
    SocketIo,
    /// Plain JSON over a WebSocket: every frame is one object with a `type`.
    ///
    /// It has the one namespace `/`, no binary, and events of one argument at most: others end `Rejected` at once, with
    /// `InvalidPayload` or `Unsupported`. Acknowledgements need a server that promises `ack` in its `connection`; without,
    /// a message that asks for one ends `Rejected` when it would be written.
    Json,
}

impl Protocol {
    /// The stable name that every platform uses: `socketio` or `json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SocketIo => "socketio",
            Self::Json => "json",
        }
    }
}

/// The delays between attempts to connect: `min(max, initial * multiplier^n)`, each times a factor drawn from [0.5, 1].
///
/// The factor is drawn after the cap, so that many clients stay spread out however long an outage lasts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BackoffConfig {
    /// Delay before the first attempt after a loss. Default 1 s.
    pub initial: Duration,
    /// No delay is longer than this, the first included. Default 5 s.
    pub max: Duration,
    /// How much longer each delay is than the one before, at least 1. Default 2.
    pub multiplier: f64,
    /// Whether delays are jittered. Default true; switch it off only in tests.
    pub jitter: bool,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(1),
            max: Duration::from_secs(5),
            multiplier: 2.0,
            jitter: true,
        }
    }
}

/// What happens to a message that is sent while the queue is full and there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The oldest message that was never written goes: its receipt ends `Dropped`, and a notice says so.
    #[default]
    DropOldest,
    /// The new message is refused with [`Error::Overloaded`].
    Reject,
}

/// The bounds of what waits to be sent, per socket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueConfig {
    /// How many messages may wait while there is no connection, and how many reliable ones may be unanswered while
    /// there is one. Default 100.
    pub capacity: usize,
    /// The same in bytes. Default 4 MiB.
    pub bytes: usize,
    /// What happens when it is full. Default [`Overflow::DropOldest`].
    pub overflow: Overflow,
    /// How long a message may wait before it is `Expired`. Default: for ever.
    pub ttl: Option<Duration>,
    /// The same for single kinds of messages, by the names of their events: `("game_move", 30 s)`. They go before `ttl`.
    pub ttl_by_event: Vec<(String, Duration)>,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            capacity: 100,
            bytes: 4 << 20,
            overflow: Overflow::DropOldest,
            ttl: None,
            ttl_by_event: Vec::new(),
        }
    }
}

impl QueueConfig {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.capacity == 0 || self.bytes == 0 {
            return Err(Error::option("queue", "`capacity` and `bytes` have to be over zero"));
        }
        for (_, ttl) in &self.ttl_by_event {
            check_limit("queue.ttl_by_event", *ttl)?;
        }
        check_limit("queue.ttl", self.ttl.unwrap_or(Duration::MAX))
    }

    /// The time to live of a message `["event",…]`.
    pub(crate) fn ttl_of(&self, message: &Body) -> Option<Duration> {
        let own = || {
            let message = std::str::from_utf8(message.json()).ok()?;
            let name = scan::elements(message).next()?;
            let of = |(event, _): &&(String, Duration)| scan::name_is(name, event);
            self.ttl_by_event.iter().find(of).map(|(_, ttl)| *ttl)
        };
        match self.ttl_by_event.is_empty() {
            true => self.ttl,
            false => own().or(self.ttl),
        }
    }
}

/// A time that would make no sense as zero.
pub(crate) fn check_limit(name: &'static str, limit: Duration) -> Result<(), Error> {
    match limit.is_zero() {
        true => Err(Error::option(name, "it has to be over zero")),
        false => Ok(()),
    }
}

/// Whether a reliable message that was written to a link that died is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// As the server's greeting says: again where it acknowledges and removes duplicates, at most once otherwise.
    #[default]
    Auto,
    /// Never again: such a message ends `Unconfirmed`.
    AtMostOnce,
    /// Again, with the same message id. The server must remove duplicates.
    AtLeastOnce,
}

/// How typing indicators are timed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypingConfig {
    /// `typing_stop` goes out this long after the last call of `start_typing`. Default 3 s.
    pub auto_stop: Duration,
    /// While typing goes on, `typing_start` is sent again this often. Default 2 s.
    pub refresh: Duration,
    /// Someone else is taken to have stopped this long after their last start. Default 6 s.
    pub expiry: Duration,
}

impl Default for TypingConfig {
    fn default() -> Self {
        Self {
            auto_stop: Duration::from_secs(3),
            refresh: Duration::from_secs(2),
            expiry: Duration::from_secs(6),
        }
    }
}

/// Bounds on what a server can make the client hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// One message from the server, attachments included, in bytes. Default 16 MiB.
    pub message: usize,
    /// Binary attachments of one message. Default 10.
    pub attachments: usize,
    /// Nesting of JSON. Default 128.
    pub depth: usize,
    /// A session id, in bytes. Default 256.
    pub sid: usize,
    /// Events of a namespace that come before the server has said that it is joined, as those do that were missed
    /// meanwhile. Default 256; `dispatch_bytes` bounds them too.
    pub early_events: usize,
    /// Events that wait for handlers. Default 1,024.
    pub dispatch_events: usize,
    /// The same in bytes. Default 8 MiB.
    pub dispatch_bytes: usize,
    /// What waits to be written while connected, in bytes. Default 1 MiB.
    pub outgoing: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 16 << 20,
            attachments: 10,
            depth: 128,
            sid: 256,
            early_events: 256,
            dispatch_events: 1024,
            dispatch_bytes: 8 << 20,
            outgoing: 1 << 20,
        }
    }
}

/// Where the server is, split from an address by hand: the few rules that are needed cost less than a URL library does
/// in a web page's download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// Host name or address, an IPv6 address without its brackets.
    pub host: String,
    /// The port, 80 or 443 where the address names none.
    pub port: u16,
    /// The query of the address, without `?`; may be empty.
    pub query: String,
}

impl Endpoint {
    /// Reads `scheme://host[:port][/][?query]`.
    pub fn parse(url: &str) -> Result<Self, Error> {
        match Self::split(url)? {
            (endpoint, "") => Ok(endpoint),
            _ => Err(Error::InvalidUrl(
                "it has a path: give the server's own path with `path`, and a namespace with `socket`".into(),
            )),
        }
    }

    /// Reads an address that may have a path, which is given without the slash in front.
    pub(crate) fn split(url: &str) -> Result<(Self, &str), Error> {
        let bad = |reason: &'static str| Error::InvalidUrl(reason.into());
        if url.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(bad("it holds a space or a control character"));
        }
        let (scheme, rest) = url
            .split_once(':')
            .and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix("//")?)))
            .ok_or_else(|| bad("it has no scheme"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err(bad("its scheme is none of http, https, ws, wss")),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
        if authority.contains('@') {
            return Err(bad("it holds a user name: give credentials with `token` or `auth`"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(|| bad("its `[` has no `]`"))?;
                if !host.contains(':') || sys::is_loopback(host).is_none() {
                    return Err(bad("between `[` and `]` stands no IPv6 address"));
                }
                match after.strip_prefix(':') {
                    None if !after.is_empty() => return Err(bad("its port is not behind a `:`")),
                    port => (host, port),
                }
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return Err(bad("it names no host"));
        }
        let port = match port {
            None | Some("") => {
                if secure {
                    443
                } else {
                    80
                }
            }
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| bad("its port is not a number from 1 to 65535"))?,
        };
        let endpoint = Self {
            secure,
            host: host.to_owned(),
            port,
            query: query.to_owned(),
        };
        Ok((endpoint, path))
    }

    /// `host[:port]` as the Host header has it: an IPv6 address in brackets, the scheme's own port left out.
    pub fn authority(&self) -> String {
        let mut text = String::with_capacity(self.host.len() + 8);
        let v6 = self.host.contains(':');
        if v6 {
            text.push('[');
        }
        text.push_str(&self.host);
        if v6 {
            text.push(']');
        }
        if self.port != if self.secure { 443 } else { 80 } {
            let mut digits = Vec::with_capacity(6);
            scan::write_uint(&mut digits, u64::from(self.port));
            text.push(':');
            text.extend(digits.into_iter().map(char::from));
        }
        text
    }

    /// Whether the host is this machine, where a token may travel without TLS.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.ends_with(".localhost") || sys::is_loopback(&self.host) == Some(true)
    }
}

/// Appends `key=value` to a query, percent-encoded as RFC 3986 asks.
pub(crate) fn push_query(query: &mut String, key: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    push_encoded(query, key);
    query.push('=');
    push_encoded(query, value);
}

pub(crate) fn push_encoded(query: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            query.push(char::from(byte));
        } else {
            query.push('%');
            query.push(char::from(HEX[usize::from(byte >> 4)]));
            query.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_its_scheme_host_port_and_query() {
        let parsed = Endpoint::parse("wss://[::1]:8443/?a=b").expect("valid");
        assert_eq!((parsed.secure, parsed.host.as_str(), parsed.port), (true, "::1", 8443));
        assert_eq!(parsed.query, "a=b");
        assert_eq!(parsed.authority(), "[::1]:8443");
        assert_eq!(
            Endpoint::parse("HTTP://example.com").expect("valid").authority(),
            "example.com"
        );
        assert_eq!(Endpoint::parse("https://example.com").expect("valid").port, 443);
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused_with_the_reason() {
        for (url, word) in [
            ("example.com", "scheme"),
            ("ftp://example.com", "scheme"),
            ("http://", "host"),
            ("http://:80", "host"),
            ("http://a:0", "port"),
            ("http://a:99999", "port"),
            ("http://[::1", "]"),
            ("http://[::1]x", "port"),
            ("http://[hi]", "IPv6"),
            ("http://a b", "space"),
            ("http://user@host", "user"),
            ("http://host/chat", "path"),
        ] {
            let error = Endpoint::parse(url).expect_err(url);
            assert_eq!(error.code(), 1001);
            assert!(error.to_string().contains(word), "{url}: {error}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (url, loopback) in [
            ("http://localhost", true),
            ("http://127.9.9.9:1", true),
            ("http://[::1]", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(Endpoint::parse(url).expect(url).is_loopback(), loopback, "{url}");
        }
    }
}
