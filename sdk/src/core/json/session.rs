//! The protocol's life on a link: greeting, credentials, heartbeat, answers.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use super::{chat_event, decode, names, outgoing, reply};
use crate::core::connection::{Core, Dial};
use crate::core::context::Context;
use crate::core::engineio::Handshake;
use crate::core::io::{Frame, SocketId};
use crate::core::namespace::{AuthSource, Namespace, Phase};
use crate::core::outbound::Batch;
use crate::core::outbox::{Entry, Purpose};
use crate::core::scan::{self, ObjectWriter};
use crate::core::timers::Timer;
use crate::core::{id, link::Link};
use crate::error::Error;
use crate::payload::Payload;
use crate::receipt::Outcome;

/// How often the client pings.
const PING_INTERVAL: Duration = Duration::from_secs(25);

/// How much longer than that the server may be silent.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// More receipts than this do not wait for a server that reads none.
const MOST_RECEIPTS: usize = 4096;

/// No id that is longer, in bytes, has a receipt.
const LONGEST_ID: usize = 256;

const PING: Frame = Frame::Text(Bytes::from_static(br#"{"type":"ping"}"#));

/// What the server said when the link was opened, and what it owes.
#[derive(Debug)]
pub(in crate::core) struct Session {
    client_id: Box<str>,
    /// A JSON array.
    features: Box<str>,
    /// Pings without their pong.
    owed: u32,
}

impl Core {
    /// A text frame came.
    pub(in crate::core) fn handle_json(&mut self, text: ByteString) {
        let limits = &self.config.limits;
        let kind = match decode(&text, limits.message, limits.depth) {
            Ok(kind) => kind,
            Err(error) => return self.unreadable(error.as_str()),
        };
        // There is one socket, and none while it is being made.
        let Some(socket) = self.socket_named("/") else { return };
        match &*kind {
            "connection" => self.greeted_by_json(&text),
            "authenticated" => {
                let namespace = &self.sockets[socket.index()];
                match namespace.phase {
                    Phase::Joining if namespace.outdated => self.join_by_new_link(),
                    Phase::Joining => self.joined_json(socket, Some(&text)),
                    _ => {}
                }
            }
            "authentication_failed" => self.refused_by_json(socket, &text),
            "pong" => self.pong_from_json(),
            "ack" => self.answered_by_json(socket, &text),
            kind => self.heard_from_json(socket, kind, &text),
        }
    }

    /// The link is open.
    fn greeted_by_json(&mut self, frame: &str) {
        let client_id = scan::field(frame, "clientId")
            .and_then(scan::string)
            .unwrap_or_default();
        if client_id.len() > self.config.limits.sid {
            return self.unreadable("its client id is longer than the limit");
        }
        let Dial::Linked(link) = &mut self.dial else { return };
        if link.is_open() {
            return;
        }
        let features = scan::field(frame, "features").filter(|features| features.starts_with('['));
        link.json = Some(Box::new(Session {
            client_id: client_id.into(),
            features: features.unwrap_or("[]").into(),
            owed: 0,
        }));
        self.timers.set(Timer::Ping, self.cx.after(PING_INTERVAL));
        self.opened(Handshake {
            sid: String::new(),
            websocket_upgrade: false,
            ping_interval: PING_INTERVAL,
            ping_timeout: PING_TIMEOUT,
            max_payload: None,
        });
    }

    /// The socket has its credentials, if it is to have any: what CONNECT is in Socket.IO.
    pub(in crate::core) fn authenticate(&mut self, socket: SocketId, auth: &AuthSource) {
        let AuthSource::Value(data) = auth else {
            return self.joined_json(socket, None);
        };
        let mut frame = Vec::with_capacity(data.len() + 32);
        let mut object = ObjectWriter::new(&mut frame);
        object.string("type", "authenticate");
        object.raw("data", data);
        object.end();
        self.control(Frame::Text(Bytes::from(frame)));
    }

    fn joined_json(&mut self, socket: SocketId, authenticated: Option<&str>) {
        let Dial::Linked(Link {
            id,
            json: Some(session),
            ..
        }) = &self.dial
        else {
            return;
        };
        let (link, client_id) = (*id, String::from(&*session.client_id));
        let status = names::connection_status(&client_id, &session.features, authenticated);
        let status = Payload::new(status.into(), Vec::new());
        let namespace = &mut self.sockets[socket.index()];
        if authenticated.is_some() {
            self.cx.traffic.answered(namespace.asked, self.cx.now.mono);
        }
        namespace.joined(&mut self.cx, link, client_id, false);
        if authenticated.is_some() {
            namespace.signed_in(&mut self.cx, &status);
        }
        namespace.greeted(&mut self.cx, &status);
        self.welcomed(socket);
        let namespace = &mut self.sockets[socket.index()];
        if namespace.is_chat() {
            namespace.hear(&mut self.cx, "connection_status".into(), status, None);
        }
    }

    /// Begins anew with other credentials. The server has taken this link for someone else's.
    pub(in crate::core) fn join_by_new_link(&mut self) {
        for timer in [Timer::Heartbeat, Timer::Ping, Timer::Probe, Timer::Stable] {
            self.timers.stop(timer);
        }
        self.let_go();
        self.begin_attempt();
    }

    fn refused_by_json(&mut self, socket: SocketId, frame: &str) {
        if self.sockets[socket.index()].phase != Phase::Joining {
            return;
        }
        let message = scan::field(frame, "message").and_then(scan::string);
        let error = Error::Refused {
            message: message.map_or_else(|| "it gave no reason".to_owned(), |text| text.into_owned()),
            data: beside(frame),
        };
        let retry_after = scan::field(frame, "retryAfterMs").and_then(scan::uint);
        self.namespace_refused(socket, error, retry_after);
    }

    /// An event came.
    fn heard_from_json(&mut self, socket: SocketId, kind: &str, frame: &ByteString) {
        let namespace = &mut self.sockets[socket.index()];
        if !namespace.is_joined() {
            return;
        }
        let translated = if namespace.is_chat() {
            chat_event(kind, frame)
        } else {
            None
        };
        let (name, object) = match translated {
            Some((name, object)) => (ByteString::from_static(name), object.into()),
            None => (kind.into(), frame.clone()),
        };
        let payload = Payload::new(object, Vec::new());
        match &*name {
            // What the server promises stands in `connection`.
            "connection_status" => namespace.hear(&mut self.cx, name, payload, None),
            kept if namespace.gives_receipts(kept) => {
                let id = payload.string_field("id");
                if namespace.is_new(&name, &payload) {
                    namespace.hear(&mut self.cx, name, payload, None);
                }
                if let Some(id) = id {
                    self.receipt_by_json(&id);
                }
            }
            _ => namespace.received(&mut self.cx, name, payload, None),
        }
        self.settle_in(socket);
    }

    /// Tells the server that it need not keep an event any longer, as it answers messages. What is not told is sent again.
    fn receipt_by_json(&mut self, id: &str) {
        let Dial::Linked(link) = &mut self.dial else { return };
        if link.next.frames.len() > MOST_RECEIPTS || id.len() > LONGEST_ID {
            return;
        }
        let mut frame = Vec::with_capacity(id.len() + 32);
        let mut object = ObjectWriter::new(&mut frame);
        object.string("type", "ack");
        object.string("id", id);
        object.end();
        link.next.frames.push(Frame::Text(Bytes::from(frame)));
    }

    fn answered_by_json(&mut self, socket: SocketId, frame: &str) {
        let namespace = &mut self.sockets[socket.index()];
        let id = scan::field(frame, "id").and_then(scan::string);
        let Some(id) = id.and_then(|id| namespace.acks.id_on_wire(&id)) else {
            tracing::debug!("an acknowledgement that nobody waits for");
            return;
        };
        let payload = Payload::new(reply(frame).into(), Vec::new());
        namespace.answered(&mut self.cx, id, payload);
        self.settle_in(socket);
    }

    /// It is time to show the server that the client is there, and to see whether the server is.
    pub(in crate::core) fn beat(&mut self) {
        let Dial::Linked(Link {
            json: Some(session), ..
        }) = &mut self.dial
        else {
            return;
        };
        // Pongs that are missing by now do not come any more.
        session.owed = 1;
        self.timers.set(Timer::Ping, self.cx.after(PING_INTERVAL));
        // As with answers to pings in Socket.IO: one is enough, however long nothing can be written.
        self.pong(PING);
    }

    /// Sends a ping whose pong says that the link is alive.
    pub(in crate::core) fn probe_json(&mut self) {
        if let Dial::Linked(Link {
            json: Some(session), ..
        }) = &mut self.dial
        {
            session.owed += 1;
            self.control(PING);
        }
    }

    /// Pongs come in the order of the pings: only the last one was asked for by a probe.
    fn pong_from_json(&mut self) {
        let Dial::Linked(Link {
            json: Some(session), ..
        }) = &mut self.dial
        else {
            return;
        };
        session.owed = session.owed.saturating_sub(1);
        if session.owed == 0 {
            self.handle_pong();
        }
    }
}

/// What a refusal says beside its message, as over Socket.IO.
fn beside(frame: &str) -> Option<String> {
    let mut json = Vec::with_capacity(frame.len());
    let mut object = ObjectWriter::new(&mut json);
    for (name, value) in scan::fields(frame) {
        match scan::string(name).as_deref() {
            Some("type" | "message") | None => {}
            Some(name) => _ = object.raw(name, value),
        }
    }
    object.end();
    String::from_utf8(json).ok().filter(|json| json != "{}")
}

impl Namespace {
    /// Puts a message into a batch.
    pub(in crate::core) fn write_json(&mut self, cx: &mut Context, batch: &mut Batch, mut entry: Entry) {
        let acks = self.server_acks();
        let message = std::str::from_utf8(entry.body.json()).unwrap_or_default();
        // It may have been queued, or stored, for a server of the other protocol.
        let mut refused = outgoing::check(message, entry.attachments.len()).err().map(Error::from);
        let own = matches!(entry.purpose, Purpose::Join(_) | Purpose::Leave(_));
        if entry.ack && !own && !acks {
            let reason = "an acknowledgement, because the server does not promise `ack`";
            refused = Some(Error::Unsupported(reason.into()));
        }
        if let Some(error) = refused {
            let outcome = entry.ended(Outcome::Rejected(error.clone()), error);
            self.finish(cx, entry, outcome);
            return;
        }
        let identified = entry.reliable || own;
        if acks && (identified || entry.ack) {
            let known = if identified {
                outgoing::message_id(message)
            } else {
                None
            };
            entry.wire_id = Some(match known {
                Some(id) => id.into(),
                None => id::uuid_v7(cx.now.unix_ms, &mut cx.rng),
            });
        } else {
            entry.wire_id = None;
        }
        let frame = outgoing::encode(message, entry.wire_id.as_deref(), identified, self.is_chat());
        let id = entry.wire_id.is_some().then(|| self.acks.next_id());
        batch.push(Bytes::from(frame), &[]);
        self.handed_over(cx, batch, entry, id);
    }
}
