//! How a connection comes to be: credentials, the link, the session, CONNECT; and when it is tried again.

use std::borrow::Cow;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::backoff;
use super::connection::{Core, Dial};
use super::io::{Frame, Now, Output, SocketId};
use super::namespace::{AuthSource, Namespace, Phase, Why};
use super::socketio::{Kind, encode_message_prefix};
use super::stats::Stamp;
use super::timers::Timer;
use crate::broken::broken;
use crate::config::Protocol;
use crate::error::Error;
use crate::state::{Notice, Reason, State, Transport};

/// A connection that has lasted this long makes earlier failures forgotten. Not sooner: a server that accepts and drops
/// would otherwise be hammered.
pub(super) const STABLE: Duration = Duration::from_secs(5);

/// How long an auth provider has.
const AUTH: Duration = Duration::from_secs(10);

/// After so many failed attempts in a row the app is told.
const FAILURES_TOLD: u32 = 5;

/// When the next attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redial {
    /// As many have failed, so long is the delay.
    Backoff,
    /// The server has said when.
    Told(Duration),
    /// The user waits for it.
    AtOnce,
}

/// What is remembered from one attempt to the next.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// Attempts since the last stable connection, for the delay and for `max_attempts`.
    redials: u32,
    /// Failed attempts in a row.
    pub(super) failed: u32,
    /// What carried the last session.
    pub(super) worked: Option<Transport>,
    /// Whether the next attempt is made by the other transport.
    pub(super) others_turn: bool,
    /// The server does not want to be asked before.
    not_before: Duration,
}

impl Attempts {
    /// A server that takes the client has said all about when to come.
    pub(super) fn connected(&mut self) {
        self.failed = 0;
        self.not_before = Duration::ZERO;
    }

    pub(super) fn stable(&mut self) {
        self.redials = 0;
    }

    /// A session was opened by this transport, or went over to it.
    pub(super) fn works(&mut self, transport: Transport) {
        self.worked = Some(transport);
        self.others_turn = false;
    }

    /// How long the server does not want to be asked.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        self.not_before.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// Forgets failures, not what worked.
    pub(super) fn reset(&mut self) {
        (self.redials, self.failed) = (0, 0);
    }
}

impl Core {
    /// Starts an attempt for every socket that wants one.
    pub(super) fn begin_attempt(&mut self) {
        self.timers.stop(Timer::Redial);
        if !self.sockets.iter().any(|namespace| namespace.wanted) {
            self.dial = Dial::Idle;
            return;
        }
        self.dial = Dial::Preparing;
        self.timers
            .set(Timer::Handshake, self.cx.after(self.config.connect_timeout));
        for index in 0..self.sockets.len() {
            let namespace = &self.sockets[index];
            // A server that said when to come back means it.
            let later = matches!(namespace.phase, Phase::Later(at) if at > self.cx.now.mono);
            if namespace.wanted && !later {
                self.begin_joining(namespace.id);
            }
        }
        if self
            .sockets
            .iter()
            .all(|namespace| matches!(namespace.phase, Phase::Absent | Phase::Later(_)))
        {
            self.dial = Dial::Idle;
            self.timers.stop(Timer::Handshake);
            return;
        }
        self.cx.traffic.attempts += 1;
        self.advance();
    }

    /// Sets a socket on its way: its credentials come first.
    pub(super) fn begin_joining(&mut self, socket: SocketId) {
        let join_by = self.cx.after(self.config.connect_timeout);
        let namespace = &mut self.sockets[socket.index()];
        namespace.set_state(&mut self.cx, State::Connecting, Why::NONE);
        namespace.join_by = Some(join_by);
        namespace.outdated = false;
        namespace.closing = None;
        if let Dial::Linked(link) = &self.dial
            && namespace.unanswered == Some(link.id)
        {
            // The user left before the server answered. npm's server closes the link for a second CONNECT, and nobody could
            // tell whose the answer is.
            namespace.outdated = true;
            namespace.deadline = Some(join_by);
            namespace.phase = Phase::Joining;
            return;
        }
        self.ask_credentials(socket);
    }

    pub(super) fn ask_credentials(&mut self, socket: SocketId) {
        let namespace = &mut self.sockets[socket.index()];
        namespace.deadline = None;
        namespace.phase = match &namespace.config.auth {
            known @ (AuthSource::None | AuthSource::Value(_)) => Phase::Armed(known.clone()),
            AuthSource::Provider => {
                namespace.turn += 1;
                namespace.deadline = Some(self.cx.after(AUTH));
                self.cx.push(Output::Authenticate(socket, namespace.turn));
                Phase::Authenticating(namespace.turn)
            }
        };
    }

    /// The auth provider answered. An answer to an earlier turn is ignored.
    pub fn handle_auth(&mut self, now: Now, socket: SocketId, turn: u64, answer: Result<String, String>) {
        self.enter(now);
        let namespace = &mut self.sockets[socket.index()];
        if namespace.phase != Phase::Authenticating(turn) {
            return;
        }
        namespace.deadline = None;
        match answer {
            Ok(json) => {
                namespace.phase = Phase::Armed(AuthSource::Value(json));
                self.advance();
            }
            Err(text) => self.auth_failed(socket, Error::AuthFailed(text.into())),
        }
    }

    /// A socket has no credentials. If nobody else is under way, the attempt has failed.
    pub(super) fn auth_failed(&mut self, socket: SocketId, error: Error) {
        self.sockets[socket.index()].phase = Phase::Absent;
        if self.sockets.iter().any(Namespace::is_under_way) {
            self.join_later(socket, None, Why::new(Reason::ConnectError, Some(error)));
        } else {
            self.lose_link(Reason::ConnectError, error);
        }
    }

    /// Goes on with whatever credentials have made possible.
    pub(super) fn advance(&mut self) {
        let armed = |phase: &Phase| matches!(phase, Phase::Armed(_));
        match &self.dial {
            Dial::Preparing if self.sockets.iter().any(|namespace| armed(&namespace.phase)) => self.open_link(),
            Dial::Linked(link) if link.patience.is_some() => {
                for index in 0..self.sockets.len() {
                    let namespace = &self.sockets[index];
                    if armed(&namespace.phase) {
                        match namespace.unproven {
                            0 => self.send_connect(namespace.id),
                            _ => self.probe(),
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn send_connect(&mut self, socket: SocketId) {
        let namespace = &mut self.sockets[socket.index()];
        let Phase::Armed(auth) = std::mem::replace(&mut namespace.phase, Phase::Joining) else {
            return;
        };
        namespace.deadline = namespace.join_by;
        namespace.asked = Stamp::at(self.cx.now.mono);
        if self.config.protocol == Protocol::Json {
            return self.authenticate(socket, &auth);
        }
        if let Dial::Linked(link) = &self.dial {
            namespace.unanswered = Some(link.id);
        }
        let data = match &auth {
            AuthSource::Value(json) => json,
            _ => "",
        };
        let data = match &namespace.recovery {
            Some(recovery) => Cow::Owned(recovery.connect_data(data)),
            None => Cow::Borrowed(data),
        };
        let frame = self.packet(socket, Kind::Connect, &data);
        self.control(frame);
    }

    /// Tells the server that the client leaves a namespace. It keeps no session that was left.
    pub(super) fn send_disconnect(&mut self, socket: SocketId) {
        if let Some(frame) = self.disconnect_packet(socket) {
            self.control(frame);
        }
    }

    /// The packet that says so, where there is one. The session counts as left.
    pub(super) fn disconnect_packet(&mut self, socket: SocketId) -> Option<Frame> {
        // The answer to a probe that is under way says nothing about what is written behind it.
        let unproven = 1 + u8::from(self.is_probing());
        let namespace = &mut self.sockets[socket.index()];
        namespace.forget_session();
        if let Dial::Linked(link) = &self.dial {
            namespace.parted = Some(link.id);
            namespace.unproven = unproven;
        }
        // In plain JSON the end of the link says so.
        let is_said = self.config.protocol == Protocol::SocketIo;
        is_said.then(|| self.packet(socket, Kind::Disconnect, ""))
    }

    fn packet(&self, socket: SocketId, kind: Kind, data: &str) -> Frame {
        let mut packet = BytesMut::with_capacity(data.len() + 64);
        encode_message_prefix(&mut packet, kind, 0, &self.sockets[socket.index()].config.name, None);
        packet.extend_from_slice(data.as_bytes());
        Frame::Text(Bytes::from(packet))
    }

    /// The server refused a namespace. A token that a provider gave may have been stale: it is asked for once more.
    pub(super) fn namespace_refused(&mut self, socket: SocketId, error: Error, retry_after_ms: Option<u64>) {
        let namespace = &mut self.sockets[socket.index()];
        namespace.deadline = None;
        if let Some(after) = retry_after_ms {
            let after = self.told_delay(Duration::from_millis(after));
            self.join_later(socket, Some(after), Why::new(Reason::ConnectError, Some(error)));
            return;
        }
        if namespace.outdated {
            self.join_anew(socket);
            return;
        }
        if namespace.config.auth == AuthSource::Provider && !namespace.asked_anew {
            namespace.asked_anew = true;
            self.ask_credentials(socket);
            return;
        }
        namespace.wanted = false;
        namespace.asked_anew = false;
        namespace.phase = Phase::Absent;
        namespace.set_state(&mut self.cx, State::Failed, Why::new(Reason::ConnectError, Some(error)));
        self.release();
    }

    /// The delay that the server asked for, within bounds.
    pub(super) fn told_delay(&mut self, after: Duration) -> Duration {
        backoff::told(&self.config.backoff, after, &mut self.cx.rng)
    }

    /// Asks the server again later, over the same link.
    pub(super) fn join_later(&mut self, socket: SocketId, after: Option<Duration>, why: Why) {
        let rejoins = self.sockets[socket.index()].rejoins;
        let retry_in = after.unwrap_or_else(|| backoff::delay(&self.config.backoff, rejoins, &mut self.cx.rng));
        let namespace = &mut self.sockets[socket.index()];
        namespace.rejoins = rejoins.saturating_add(1);
        namespace.deadline = None;
        namespace.phase = Phase::Later(self.cx.after(retry_in));
        namespace.set_state(&mut self.cx, State::Waiting { retry_in }, why);
    }

    /// The server did not answer CONNECT in time.
    pub(super) fn join_overdue(&mut self, socket: SocketId) {
        let error = Error::ConnectTimeout {
            after: self.config.connect_timeout,
            stage: "waiting for the namespace",
        };
        self.sockets[socket.index()].unanswered = None;
        if self.sockets.iter().any(|namespace| namespace.is_joined()) {
            self.send_disconnect(socket);
            self.join_later(socket, None, Why::new(Reason::ConnectTimeout, Some(error)));
        } else {
            self.lose_link(Reason::ConnectTimeout, error);
        }
    }

    pub(super) fn handshake_overdue(&mut self) {
        let stage = match &self.dial {
            Dial::Linked(_) => "opening the link",
            _ => "waiting for credentials",
        };
        let after = self.config.connect_timeout;
        self.lose_link(Reason::ConnectTimeout, Error::ConnectTimeout { after, stage });
    }

    /// The link is gone, or the attempt for one has failed. Everything that was on it is accounted for, and the next
    /// attempt gets its time.
    pub(super) fn lose_link(&mut self, reason: Reason, error: Error) {
        self.lose_link_and(reason, error, Redial::Backoff);
    }

    /// The same, where the server has said when to come back.
    pub(super) fn lose_link_after(&mut self, reason: Reason, error: Error, retry_after: Option<Duration>) {
        self.lose_link_and(reason, error, retry_after.map_or(Redial::Backoff, Redial::Told));
    }

    pub(super) fn lose_link_and(&mut self, reason: Reason, error: Error, redial: Redial) {
        let was_connected = self.sockets.iter().any(|namespace| namespace.is_joined());
        tracing::debug!(reason = reason.as_str(), error = error.code(), "the link is lost");
        let mut abandoned = None;
        match std::mem::replace(&mut self.dial, Dial::Idle) {
            Dial::Linked(link) if reason == Reason::ServerDisconnect && link.transport() == Transport::Polling => {
                abandoned = Some(link);
            }
            Dial::Linked(link) => {
                link.stop(&mut self.cx);
                link.died(&mut self.cx);
            }
            _ => {}
        }
        self.cx.transport = None;
        for timer in [
            Timer::Handshake,
            Timer::Fallback,
            Timer::Upgrade,
            Timer::Heartbeat,
            Timer::Ping,
            Timer::Stable,
            Timer::Probe,
            Timer::Background,
        ] {
            self.timers.stop(timer);
        }
        self.assembler.reset();
        for namespace in &mut self.sockets {
            namespace.count_death();
            namespace.lost(&mut self.cx, &Error::LinkLost);
        }
        if let Some(link) = abandoned {
            self.end_session(link);
        }
        if was_connected {
            self.cx.traffic.lost = true;
        } else {
            self.attempt_failed(&error);
        }
        self.cx.traffic.probed = None;
        self.try_again(&Why::new(reason, Some(error)), redial);
    }

    fn attempt_failed(&mut self, error: &Error) {
        self.attempts.failed = self.attempts.failed.saturating_add(1);
        if self.attempts.failed == FAILURES_TOLD {
            for namespace in self.sockets.iter().filter(|namespace| namespace.wanted) {
                let notice = Notice::ConnectionFailed {
                    attempts: self.attempts.failed,
                    error: error.clone(),
                };
                self.cx.notice(namespace.id, notice);
            }
        }
    }

    fn try_again(&mut self, why: &Why, redial: Redial) {
        if !self.sockets.iter().any(|namespace| namespace.wanted) {
            return;
        }
        let n = self.attempts.redials;
        let exhausted = self.config.max_attempts.is_some_and(|max| n >= max);
        let retry_in = match redial {
            Redial::Told(after) => self.told_delay(after),
            Redial::AtOnce if n == 0 => Duration::ZERO,
            Redial::AtOnce | Redial::Backoff => backoff::delay(&self.config.backoff, n, &mut self.cx.rng),
        };
        if matches!(redial, Redial::Told(_)) {
            self.attempts.not_before = self.cx.after(retry_in);
        }
        let held = self.platform.holds();
        self.attempts.redials = n.saturating_add(1);
        self.dial = Dial::Idle;
        for namespace in self.sockets.iter_mut().filter(|namespace| namespace.wanted) {
            let later = matches!(namespace.phase, Phase::Later(_));
            let closing = namespace.closing.take();
            let mut why = why.clone();
            if let Some(closing) = &closing {
                why.reason = Some(closing.reason());
            }
            if exhausted {
                namespace.wanted = false;
                namespace.phase = Phase::Absent;
                namespace.set_state(&mut self.cx, State::Failed, why);
            } else if let Some(after) = closing.and_then(|closing| closing.retry_after) {
                let retry_in = backoff::told(&self.config.backoff, after, &mut self.cx.rng);
                namespace.phase = Phase::Later(self.cx.after(retry_in));
                namespace.set_state(&mut self.cx, State::Waiting { retry_in }, why);
            } else if !later {
                self.dial = if held.is_some() { Dial::Held } else { Dial::Waiting };
                namespace.set_state(&mut self.cx, held.unwrap_or(State::Waiting { retry_in }), why);
            }
        }
        if exhausted {
            self.attempts.reset();
        } else if matches!(self.dial, Dial::Waiting) {
            let delay = if broken!(DialsTooEarly) { retry_in / 2 } else { retry_in };
            self.timers.set(Timer::Redial, self.cx.after(delay));
        }
    }

    /// The time has come at which a socket was told to come back, or was to try again.
    pub(super) fn come_back(&mut self, socket: SocketId) {
        match self.dial {
            Dial::Preparing | Dial::Linked(_) => self.join_anew(socket),
            Dial::Idle if self.platform.holds().is_none() => self.begin_attempt(),
            // It takes part in the attempt that is coming.
            Dial::Waiting => self.sockets[socket.index()].phase = Phase::Absent,
            Dial::Idle | Dial::Held => {
                self.dial = Dial::Held;
                let namespace = &mut self.sockets[socket.index()];
                namespace.phase = Phase::Absent;
                let state = self.platform.holds().unwrap_or(State::Offline);
                namespace.set_state(&mut self.cx, state, Why::NONE);
            }
        }
    }
}
