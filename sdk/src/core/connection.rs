//! The core: its inputs, its output, and the life of its link.

use std::time::Duration;

use super::context::Context;
use super::dialing::Attempts;
use super::emission::Emission;
use super::hints::Platform;
use super::io::{LinkEvent, LinkId, Now, Output, Pending, SocketId};
use super::link::{Link, Role};
use super::namespace::{Due, Namespace, NamespaceConfig, Phase, Why};
use super::outbox::Purpose;
use super::polling::refusal;
use super::requests::Requests;
use super::settings::ConnectionConfig;
use super::socketio::Assembler;
use super::timers::{Timer, Timers};
use super::typing::Target;
use super::{rooms, socketio};
use crate::error::Error;
use crate::receipt::{self, Outcome, Receipt};
use crate::state::{Reason, State, StateChange, Transport};
use crate::store::Contents;

/// The whole logic of one client. See the [module](super) for its rules.
#[derive(Debug)]
pub struct Core {
    pub(super) config: ConnectionConfig,
    pub(super) cx: Context,
    pub(super) sockets: Vec<Namespace>,
    pub(super) dial: Dial,
    /// A link that the user closed and that still writes what was left.
    pub(super) leaving: Option<Link>,
    pub(super) timers: Timers,
    pub(super) platform: Platform,
    pub(super) attempts: Attempts,
    pub(super) assembler: Assembler,
    /// Where the heads of packets are written.
    pub(super) head: Vec<u8>,
    /// The last that a server said about the size of messages.
    pub(super) max_payload: Option<u64>,
    pub(super) requests: Requests,
    /// The earliest deadline, as far as the last drain knew.
    pub(super) wake_at: Option<Duration>,
    pub(super) closed: bool,
    /// What a store kept for namespaces that are not there yet.
    pub(super) restored: Option<Box<Contents>>,
    /// Whether the warning about credentials without TLS was raised.
    pub(super) warned: bool,
}

/// How far the connection has come.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one per client, and most of the time it is the large one"
)]
pub(super) enum Dial {
    /// Nobody wants it.
    Idle,
    /// Credentials are being asked for.
    Preparing,
    /// The next attempt has its time.
    Waiting,
    /// The platform holds attempts back.
    Held,
    /// There is a link, open or being opened.
    Linked(Link),
}

impl Core {
    /// A client that is not connected and has no sockets yet.
    pub fn new(config: ConnectionConfig) -> Self {
        let limits = socketio::Limits {
            max_attachments: config.limits.attachments,
            max_depth: config.limits.depth,
            max_message: config.limits.message,
        };
        Self {
            cx: Context::new(config.seed, config.stored),
            // Most clients have one; the memory of an idle one counts.
            sockets: Vec::with_capacity(1),
            dial: Dial::Idle,
            leaving: None,
            timers: Timers::default(),
            platform: Platform::default(),
            attempts: Attempts::default(),
            assembler: Assembler::new(limits),
            head: Vec::new(),
            max_payload: None,
            requests: Requests::new(&config),
            wake_at: None,
            closed: false,
            restored: None,
            warned: false,
            config,
        }
    }

    /// Adds a socket. Its namespace must not be there yet.
    pub fn add_socket(&mut self, config: NamespaceConfig) -> SocketId {
        let id = SocketId(u32::try_from(self.sockets.len()).unwrap_or(u32::MAX));
        let namespace = Namespace::new(id, config, self.config.stored);
        self.sockets.push(namespace);
        self.take_up(id.index());
        id
    }

    /// The socket of a namespace.
    pub fn socket_named(&self, name: &str) -> Option<SocketId> {
        self.sockets
            .iter()
            .find(|namespace| namespace.config.name == name)
            .map(|namespace| namespace.id)
    }

    /// The user wants a socket connected. Dials at once, whatever delay was running.
    pub fn connect(&mut self, now: Now, socket: SocketId) {
        self.enter_anew(now);
        if self.closed {
            return;
        }
        let namespace = &mut self.sockets[socket.index()];
        if let Err(error) = namespace.config.check(self.config.protocol) {
            namespace.set_state(&mut self.cx, State::Failed, Why::new(Reason::ConnectError, Some(error)));
            return;
        }
        self.warn_if_exposed(socket);
        let namespace = &mut self.sockets[socket.index()];
        for notice in std::mem::take(&mut namespace.untold) {
            self.cx.notice(socket, notice);
        }
        if namespace.state == State::Failed {
            self.attempts.reset();
        }
        namespace.wanted = true;
        match self.dial {
            Dial::Idle | Dial::Waiting | Dial::Held => {
                // The user knows better than a server that said when to come back.
                namespace.phase = Phase::Absent;
                self.begin_attempt();
            }
            Dial::Preparing | Dial::Linked(_) => {
                if matches!(namespace.phase, Phase::Absent | Phase::Later(_)) {
                    self.join_anew(socket);
                }
            }
        }
    }

    /// The user wants a socket closed. What can be written still is; what waits stays for the next `connect`.
    pub fn disconnect(&mut self, now: Now, socket: SocketId) {
        self.enter_anew(now);
        let namespace = &mut self.sockets[socket.index()];
        if !namespace.wanted && matches!(namespace.state, State::Idle | State::Closed) {
            return;
        }
        self.leave(socket, &Error::LinkLost);
        let namespace = &mut self.sockets[socket.index()];
        namespace.set_state(&mut self.cx, State::Closed, Why::from(Reason::ClientDisconnect));
        self.release();
    }

    /// Ends everything for good: every message has its outcome afterwards.
    pub fn close(&mut self, now: Now) {
        self.enter_anew(now);
        for index in 0..self.sockets.len() {
            let socket = self.sockets[index].id;
            self.leave(socket, &Error::Closed);
            self.sockets[index].close(&mut self.cx);
            self.sockets[index].set_state(&mut self.cx, State::Closed, Why::from(Reason::ClientDisconnect));
        }
        self.closed = true;
        // Nobody waits for the store any more.
        self.cx.settle_now();
        self.release();
    }

    /// Sends a message, or queues it. A refused one has its outcome in the receipt that comes back.
    pub fn emit(&mut self, now: Now, socket: SocketId, emission: Emission) -> Receipt {
        self.emit_for(now, socket, emission, Purpose::Message)
    }

    pub(crate) fn create_room(
        &mut self,
        now: Now,
        socket: SocketId,
        emission: Emission,
        password: Option<String>,
    ) -> Receipt {
        let name = emission.string_field("name").unwrap_or_default();
        self.emit_for(now, socket, emission, Purpose::Create { name, password })
    }

    fn emit_for(&mut self, now: Now, socket: SocketId, emission: Emission, purpose: Purpose) -> Receipt {
        self.enter(now);
        let bounds = self.bounds();
        let queue = &self.sockets[socket.index()].config.queue;
        let ttl = emission.options.ttl.or_else(|| queue.ttl_of(&emission.body));
        if let Some(ttl) = ttl {
            self.sooner(self.cx.after(ttl));
        }
        if self.closed {
            return self.refuse(socket, Error::Closed);
        }
        if let Err(error) = emission.check(self.config.protocol) {
            return self.refuse(socket, error);
        }
        self.sockets[socket.index()].emit(&mut self.cx, emission, purpose, bounds)
    }

    /// The receipt of a message that is not taken.
    pub(crate) fn refuse(&mut self, socket: SocketId, error: Error) -> Receipt {
        let (receipt, completer) = receipt::pair(self.cx.next_seq(), None);
        let outcome = Outcome::Rejected(error);
        self.cx.tally(socket).ended(&outcome);
        completer.complete(outcome);
        receipt
    }

    /// The user wants to be in a room, now and after every reconnect.
    pub fn join_room(&mut self, now: Now, socket: SocketId, room: &str, password: Option<String>) -> Receipt {
        self.enter(now);
        if self.closed {
            return self.refuse(socket, Error::Closed);
        }
        self.sooner(self.cx.after(rooms::CONFIRMATION));
        self.sockets[socket.index()].join_room(&mut self.cx, room, password)
    }

    /// The user does not want to be in a room any more.
    pub fn leave_room(&mut self, now: Now, socket: SocketId, room: &str) -> Receipt {
        self.enter(now);
        if self.closed {
            return self.refuse(socket, Error::Closed);
        }
        let bounds = self.bounds();
        self.sockets[socket.index()].leave_room(&mut self.cx, room, bounds)
    }

    /// The user typed something for `target`.
    pub fn start_typing(&mut self, now: Now, socket: SocketId, target: Target) {
        self.enter_anew(now);
        let bounds = self.bounds();
        self.sockets[socket.index()].start_typing(&mut self.cx, target, bounds);
    }

    /// The user stopped typing, or sent what was being typed.
    pub fn stop_typing(&mut self, now: Now, socket: SocketId, target: &Target) {
        self.enter(now);
        let bounds = self.bounds();
        self.sockets[socket.index()].stop_typing(&mut self.cx, target, bounds);
    }

    /// The user types to nobody any more.
    pub fn stop_all_typing(&mut self, now: Now, socket: SocketId) {
        self.enter(now);
        let bounds = self.bounds();
        self.sockets[socket.index()].stop_all_typing(&mut self.cx, bounds);
    }

    /// Takes a message back. Says whether it will not be sent, or not again.
    pub fn cancel(&mut self, now: Now, socket: SocketId, seq: u64) -> bool {
        self.enter(now);
        self.sockets[socket.index()].cancel(&mut self.cx, seq)
    }

    /// Takes back everything that waits to be written.
    pub fn clear(&mut self, now: Now, socket: SocketId) {
        self.enter(now);
        self.sockets[socket.index()].clear(&mut self.cx);
    }

    /// What waits to be sent or acknowledged, in order.
    pub fn pending(&self, socket: SocketId) -> Vec<Pending> {
        self.sockets[socket.index()].pending()
    }

    /// Where a socket stands, and its Socket.IO session while connected.
    pub fn state(&self, socket: SocketId) -> (State, Option<&str>) {
        let namespace = &self.sockets[socket.index()];
        (namespace.state, namespace.sid.as_deref())
    }

    /// The last change of a socket's state.
    pub fn last_change(&self, socket: SocketId) -> Option<&StateChange> {
        self.sockets[socket.index()].last_change.as_deref()
    }

    /// Whether an emit would be taken, or refused for good; if not, [`Output::Writable`] says when.
    pub fn is_writable(&mut self, socket: SocketId) -> bool {
        let room = self.closed || self.sockets[socket.index()].has_room(self.bounds());
        self.sockets[socket.index()].choked |= !room;
        room
    }

    /// What a link has to say comes now, and its end behind it: nothing that it could not write is given to it in between.
    pub fn expect_end(&mut self, link: LinkId) {
        if let Dial::Linked(current) = &mut self.dial
            && current.role_of(link) == Some(Role::Socket)
        {
            current.ends = true;
        }
    }

    /// Something happened on a link.
    pub fn handle_link(&mut self, now: Now, link: LinkId, event: LinkEvent) {
        self.enter(now);
        if let Some(role) = self.leaving.as_ref().and_then(|leaving| leaving.role_of(link)) {
            self.handle_leaving(role, event);
            return;
        }
        let (role, open) = match &self.dial {
            Dial::Linked(current) => (current.role_of(link), current.is_open()),
            _ => (None, false),
        };
        match role {
            Some(Role::Socket) => self.handle_socket(open, event),
            Some(Role::Get) => self.handle_polled(event),
            Some(Role::Post) => self.handle_posted(event),
            Some(Role::Upgrade) => self.handle_upgrade(event),
            // An event of a link that is dead already.
            None => {}
        }
    }

    fn handle_socket(&mut self, open: bool, event: LinkEvent) {
        match event {
            LinkEvent::Text(text) => self.handle_text(text),
            LinkEvent::Binary(bytes) => self.handle_binary(bytes),
            LinkEvent::Sent => self.handle_sent(),
            LinkEvent::Pong => self.handle_pong(),
            LinkEvent::Response(response) => self.opening_failed(refusal(&response), response.retry_after),
            LinkEvent::Closed(Some(error)) if open => self.lose_link(reason_of(&error), error),
            LinkEvent::Closed(None) if open => self.lose_link(Reason::TransportClose, Error::LinkLost),
            LinkEvent::Closed(error) => {
                let error = error.unwrap_or_else(|| Error::Handshake("it closed the link at once".into()));
                self.opening_failed(error, None);
            }
        }
    }

    /// What carries the link, while one is open.
    pub fn transport(&self) -> Option<Transport> {
        self.cx.transport
    }

    /// How long the server may be silent, while there is a session.
    pub fn patience(&self) -> Option<Duration> {
        match &self.dial {
            Dial::Linked(link) => link.patience,
            _ => None,
        }
    }

    /// Nothing is read from the link for now, so silence proves nothing: whoever reads gives up first.
    pub fn handle_stalled(&mut self, now: Now) {
        self.enter(now);
        if let Dial::Linked(link) = &mut self.dial
            && let Some(patience) = link.patience
        {
            let until = self.cx.after(patience).saturating_add(Duration::from_secs(1));
            link.unheard = Some(until);
            self.timers.set(Timer::Heartbeat, until);
        }
    }

    /// The time that [`Output::Timeout`] named has come.
    pub fn handle_timeout(&mut self, now: Now) {
        self.wake_at = None;
        self.enter(now);
    }

    /// What to do next. Poll until [`Output::Timeout`].
    pub fn poll_output(&mut self) -> Output {
        if self.cx.out.is_empty() {
            for index in 0..self.sockets.len() {
                self.settle_in(self.sockets[index].id);
            }
            self.flush();
            self.tell_writable();
        }
        if let Some(output) = self.cx.out.pop_front() {
            return output;
        }
        if let Some((turn, transaction)) = self.cx.take_transaction() {
            return Output::Store(turn, transaction);
        }
        let namespaces = self.sockets.iter().filter_map(Namespace::next_deadline);
        let store = self.cx.store_retry();
        self.wake_at = namespaces.chain(self.timers.next()).chain(store).min();
        Output::Timeout(self.wake_at)
    }

    /// Every input begins here: the time is taken over, and what is due happens first. A timer that the platform held
    /// back must not make a dead connection look alive.
    pub(super) fn enter(&mut self, now: Now) {
        let stepped = self.clock_stepped(now);
        self.cx.now = Now {
            mono: now.mono.max(self.cx.now.mono),
            unix_ms: now.unix_ms,
        };
        if self.wake_at.is_none_or(|at| at <= self.cx.now.mono) {
            self.expire();
        }
        if stepped {
            self.wake_up();
            self.wake_at = None;
        }
    }

    /// The same for an input that sets deadlines: another that follows before the next drain has to look at them.
    pub(super) fn enter_anew(&mut self, now: Now) {
        self.enter(now);
        self.wake_at = None;
    }

    /// Something may be due earlier than the last drain knew.
    fn sooner(&mut self, at: Duration) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }

    fn expire(&mut self) {
        let now = self.cx.now.mono;
        self.cx.expire_store();
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Redial => self.begin_attempt(),
                Timer::Handshake => self.handshake_overdue(),
                Timer::Heartbeat => self.lose_link(Reason::PingTimeout, Error::LinkLost),
                Timer::Ping => self.beat(),
                Timer::Probe => self.probe_overdue(),
                Timer::Background => self.pause(),
                Timer::Fallback => _ = self.fall_back(),
                Timer::Upgrade => self.give_up_upgrade(),
                Timer::Stable => self.attempts.stable(),
                Timer::Drain => self.leaving_overdue(),
            }
        }
        for index in 0..self.sockets.len() {
            let socket = self.sockets[index].id;
            let bounds = self.bounds();
            while let Some(due) = self.sockets[index].expire(&mut self.cx, bounds) {
                match due {
                    Due::Auth => {
                        let error = Error::AuthFailed("it took longer than 10 s".into());
                        self.auth_failed(socket, error);
                    }
                    Due::Join => self.join_overdue(socket),
                    Due::Retry => self.come_back(socket),
                    Due::Ack(id) => self.ack_overdue(socket, id),
                }
            }
            self.settle_in(socket);
        }
    }
}

/// How a failure of the link is called.
pub(super) fn reason_of(error: &Error) -> Reason {
    match error {
        Error::Protocol(_) => Reason::ParseError,
        Error::SlowConsumer => Reason::SlowConsumer,
        _ => Reason::TransportError,
    }
}
