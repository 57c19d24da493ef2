//! How a link is opened: by which transport, and what is tried when that one does not work.

use std::time::Duration;

use super::connection::{Core, Dial};
use super::dialing::Attempts;
use super::engineio;
use super::io::Method;
use super::link::{Carrier, Link};
use super::polling::Polling;
use super::timers::Timer;
use crate::config::Protocol;
use crate::error::Error;
use crate::state::{Reason, Transport};

/// How long a WebSocket has to open before polling is tried: something on the way may swallow it in silence.
const FALLBACK: Duration = Duration::from_secs(6);

impl Attempts {
    /// What an attempt starts with, and what it tries then. The one that worked last comes first; after a failure of both
    /// the other is tried in every second attempt only.
    fn order(&self, transports: &[Transport]) -> (Transport, Option<Transport>) {
        let preferred = transports.first().copied().unwrap_or(Transport::WebSocket);
        let first = self.worked.unwrap_or(preferred);
        let other = transports.iter().copied().find(|transport| *transport != first);
        match other {
            Some(other) if self.others_turn => (other, None),
            other => (first, other.filter(|_| self.failed.is_multiple_of(2))),
        }
    }

    /// Nobody answered at the address. Where a transport has worked there, the server is away more likely than that its
    /// transport is blocked, and a second dial right behind the first would double the storm when it returns: the other
    /// transport has its turn in the next attempt. Says whether that is so.
    fn takes_turns(&mut self, error: &Error) -> bool {
        let away = self.worked.is_some() && matches!(error, Error::Unreachable(_));
        self.others_turn = away && !self.others_turn;
        away
    }
}

impl Core {
    /// Starts to open a link.
    pub(super) fn open_link(&mut self) {
        if !self.timers.is_set(Timer::Handshake) {
            self.timers
                .set(Timer::Handshake, self.cx.after(self.config.connect_timeout));
        }
        let (first, then) = match self.config.protocol {
            Protocol::SocketIo => self.attempts.order(&self.config.transports),
            Protocol::Json => (Transport::WebSocket, None),
        };
        self.open_by(first, then);
    }

    fn open_by(&mut self, transport: Transport, fallback: Option<Transport>) {
        tracing::debug!(transport = transport.as_str(), "opening a link");
        if fallback.is_some() {
            let patience = FALLBACK.min(self.config.connect_timeout / 2);
            self.timers.set(Timer::Fallback, self.cx.after(patience));
        } else {
            self.timers.stop(Timer::Fallback);
        }
        self.assembler.reset();
        for namespace in &mut self.sockets {
            namespace.unproven = 0;
        }
        let carrier = match transport {
            Transport::WebSocket => Carrier::WebSocket(self.requests.start(&mut self.cx, Method::WebSocket, None)),
            Transport::Polling => Carrier::Polling(Box::new(Polling::open(&mut self.cx, &mut self.requests))),
        };
        self.dial = Dial::Linked(Link::new(carrier, fallback, self.cx.now.mono));
    }

    /// The transport cannot be opened: the other one is tried, in the same attempt, or the attempt has failed.
    ///
    /// A server that says when to come back has understood, and would say the same to the other.
    pub(super) fn opening_failed(&mut self, error: Error, retry_after: Option<Duration>) {
        let turns = self.attempts.takes_turns(&error);
        if !turns && retry_after.is_none() && error.is_retryable() && self.fall_back() {
            return;
        }
        self.lose_link_after(Reason::ConnectError, error, retry_after);
    }

    /// Tries the other transport, if there is one. Says whether there is.
    pub(super) fn fall_back(&mut self) -> bool {
        let Dial::Linked(link) = &mut self.dial else {
            return false;
        };
        let Some(next) = link.fallback.take().filter(|_| !link.is_open()) else {
            return false;
        };
        tracing::debug!(
            transport = link.transport().as_str(),
            "it cannot be opened; the other is tried"
        );
        link.stop(&mut self.cx);
        self.open_by(next, None);
        true
    }

    /// The Engine.IO session is open.
    pub(super) fn opened(&mut self, handshake: engineio::Handshake) {
        let Dial::Linked(link) = &mut self.dial else { return };
        if link.is_open() {
            return;
        }
        let patience = handshake.ping_interval + handshake.ping_timeout;
        link.patience = Some(patience);
        if let Some(polling) = link.polling() {
            polling.opened(handshake.sid, handshake.max_payload);
        }
        let transport = link.transport();
        self.attempts.works(transport);
        self.cx.transport = Some(transport);
        self.max_payload = handshake.max_payload;
        self.timers.stop(Timer::Handshake);
        self.timers.stop(Timer::Fallback);
        self.timers.set(Timer::Heartbeat, self.cx.after(patience));
        self.advance();
        if handshake.websocket_upgrade && transport == Transport::Polling {
            self.begin_upgrade();
        }
    }
}
