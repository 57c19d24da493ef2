//! What the server sends: frames become packets, packets reach their sockets.

use std::borrow::Cow;

use bytes::Bytes;
use bytestring::ByteString;

use super::connection::{Core, Dial};
use super::engineio;
use super::io::{Frame, LinkId, ReplyTo, SocketId};
use super::link::Link;
use super::namespace::{Phase, Why};
use super::probe::{PROBE, PROBE_NAMESPACE};
use super::recovery::EarlyEvent;
use super::scan;
use super::socketio::{Assembled, Kind};
use super::timers::Timer;
use crate::config::Protocol;
use crate::error::Error;
use crate::payload::Payload;
use crate::state::{Notice, Reason, State};

impl Core {
    /// A text frame came.
    pub(super) fn handle_text(&mut self, text: ByteString) {
        self.cx.traffic.bytes_in += text.len() as u64;
        self.heard();
        if self.config.protocol == Protocol::Json {
            return self.handle_json(text);
        }
        match engineio::decode(&text) {
            Ok(engineio::Packet::Message(_)) => match self.assembler.text_from(text, 1) {
                Ok(Some(packet)) => self.handle_packet(packet),
                Ok(None) => {}
                Err(error) => self.unreadable(error.as_str()),
            },
            Ok(engineio::Packet::Open(json)) => match engineio::Handshake::parse(json, self.config.limits.sid) {
                Ok(handshake) => self.opened(handshake),
                Err(error) => self.unreadable(error.as_str()),
            },
            Ok(engineio::Packet::Ping(data)) => {
                let mut pong = Vec::with_capacity(data.len() + 1);
                engineio::encode(engineio::Packet::Pong(data), &mut pong);
                self.pong(Frame::Text(Bytes::from(pong)));
            }
            Ok(engineio::Packet::Close) => self.lose_link(Reason::TransportClose, Error::LinkLost),
            Ok(engineio::Packet::Noop) => self.handle_noop(),
            Ok(engineio::Packet::Pong(_) | engineio::Packet::Upgrade) => {}
            Err(error) => self.unreadable(error.as_str()),
        }
    }

    /// A binary frame came: an attachment.
    pub(super) fn handle_binary(&mut self, bytes: Bytes) {
        self.cx.traffic.bytes_in += bytes.len() as u64;
        self.heard();
        if self.config.protocol == Protocol::Json {
            return self.unreadable("a binary frame, which plain JSON does not know");
        }
        match self.assembler.binary(bytes) {
            Ok(Some(packet)) => self.handle_packet(packet),
            Ok(None) => {}
            Err(error) => self.unreadable(error.as_str()),
        }
    }

    /// Anything from the server proves that the link lives.
    fn heard(&mut self) {
        if let Dial::Linked(link) = &mut self.dial
            && let Some(patience) = link.patience
        {
            self.timers.set(Timer::Heartbeat, self.cx.after(patience));
            // It is read again, so the answer to a probe has its time from here on.
            if link.unheard.take().is_some() && self.timers.is_set(Timer::Probe) {
                self.timers.set(Timer::Probe, self.cx.after(PROBE));
            }
        }
    }

    fn handle_packet(&mut self, packet: Assembled) {
        let Dial::Linked(Link { id: link, .. }) = self.dial else {
            return;
        };
        let Some(socket) = self.socket_named(packet.namespace()) else {
            if packet.namespace() == PROBE_NAMESPACE && matches!(packet.kind, Kind::Connect | Kind::ConnectError) {
                self.probe_answered(packet.kind);
                return;
            }
            tracing::debug!("a packet for a namespace that nobody asked for");
            return;
        };
        match packet.kind {
            Kind::Connect => self.joined(link, socket, packet.data()),
            Kind::ConnectError => self.refused(socket, packet.data()),
            Kind::Disconnect => self.left_by_server(socket),
            Kind::Event | Kind::BinaryEvent => {
                let namespace = &mut self.sockets[socket.index()];
                let early = namespace.keeps_early(link);
                if !early && !namespace.is_joined() {
                    return;
                }
                let name = match packet.name() {
                    Cow::Borrowed(name) => packet.share(name),
                    Cow::Owned(name) => name.into(),
                };
                let args = packet.share(packet.raw_args());
                let ack = packet.id;
                let payload = Payload::new(args, packet.attachments);
                if !early {
                    let join = namespace.joins;
                    let reply_to = ack.map(|id| ReplyTo { link, join, id });
                    namespace.received(&mut self.cx, name, payload, reply_to);
                    self.settle_in(socket);
                } else if !namespace.keep_early(EarlyEvent { name, payload, ack }, &self.config.limits) {
                    self.unreadable("more events came before CONNECT than the limit");
                }
            }
            Kind::Ack | Kind::BinaryAck => {
                if let Some(id) = packet.id {
                    let args = packet.share(packet.raw_args());
                    let payload = Payload::new(args, packet.attachments);
                    self.sockets[socket.index()].answered(&mut self.cx, id, payload);
                    self.settle_in(socket);
                }
            }
        }
    }

    /// The server took the namespace.
    fn joined(&mut self, link: LinkId, socket: SocketId, data: &str) {
        let text = |name| scan::field(data, name).and_then(scan::string);
        let (sid, pid) = (text("sid"), text("pid"));
        if [&sid, &pid]
            .into_iter()
            .flatten()
            .any(|id| id.len() > self.config.limits.sid)
        {
            self.unreadable("its session id is longer than the limit");
            return;
        }
        let namespace = &mut self.sockets[socket.index()];
        namespace.unanswered = None;
        if namespace.phase != Phase::Joining {
            // It was not waited for any more: the user left meanwhile, or its time was over.
            if namespace.is_joined() {
                // The answer to a CONNECT before the last one came first; this is the session that is left.
                namespace.sid = sid.map(Cow::into_owned);
                namespace.take_pid(pid.as_deref());
            } else if let Some(frame) = self.disconnect_packet(socket) {
                self.control_once(frame);
            }
            return;
        }
        let Some(sid) = sid else {
            let reason = "its CONNECT has no sid, as from a server of Socket.IO 2; version 3 or later is needed";
            self.lose_link(Reason::ConnectError, Error::Handshake(reason.into()));
            return;
        };
        if namespace.outdated {
            self.send_disconnect(socket);
            self.join_anew(socket);
            return;
        }
        let recovered = namespace.take_pid(pid.as_deref());
        self.cx.traffic.answered(namespace.asked, self.cx.now.mono);
        namespace.joined(&mut self.cx, link, sid.into_owned(), recovered);
        self.welcomed(socket);
    }

    /// A socket has joined: earlier failures are over.
    pub(super) fn welcomed(&mut self, socket: SocketId) {
        if let Dial::Linked(link) = &self.dial {
            self.cx.traffic.joined(link.id);
        }
        self.attempts.connected();
        if !self.timers.is_set(Timer::Stable) {
            self.timers.set(Timer::Stable, self.cx.after(super::dialing::STABLE));
        }
        self.settle_in(socket);
    }

    /// Raises `connected` once a socket has got there, behind what was queued.
    pub(super) fn settle_in(&mut self, socket: SocketId) {
        let namespace = &self.sockets[socket.index()];
        if namespace.is_ready() && namespace.state != State::Connected {
            self.flush();
            self.sockets[socket.index()].set_state(&mut self.cx, State::Connected, Why::NONE);
        }
    }

    /// The server refused the namespace.
    fn refused(&mut self, socket: SocketId, data: &str) {
        let namespace = &mut self.sockets[socket.index()];
        namespace.unanswered = None;
        if namespace.phase != Phase::Joining {
            return;
        }
        namespace.early = None;
        let text = |raw: Option<&str>| raw.and_then(scan::string).map(|text| text.into_owned());
        let (message, extra) = match data.starts_with('{') {
            true => (text(scan::field(data, "message")), scan::field(data, "data")),
            false => (text(Some(data)), None),
        };
        let retry_after = extra
            .and_then(|extra| scan::field(extra, "retryAfterMs"))
            .and_then(scan::uint);
        let error = Error::Refused {
            message: message.unwrap_or_else(|| "it gave no reason".to_owned()),
            data: extra.map(str::to_owned),
        };
        self.namespace_refused(socket, error, retry_after);
    }

    /// What came cannot be read: the app is told, and the link is made anew.
    pub(super) fn unreadable(&mut self, what: &'static str) {
        let error = Error::protocol(what);
        for namespace in self.sockets.iter().filter(|namespace| namespace.wanted) {
            self.cx.notice(namespace.id, Notice::Error(error.clone()));
        }
        self.lose_link(Reason::ParseError, error);
    }
}
