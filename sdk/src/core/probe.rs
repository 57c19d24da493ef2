//! Whether a link that seems open is alive.
//!
//! An acknowledgement that is overdue means one of two things: the server does not answer, or the link is dead and nobody
//! has noticed. What was written before a probe arrived before it; so the answer to the probe decides.

use std::time::Duration;

use bytes::BytesMut;

use super::connection::{Core, Dial};
use super::dialing::Redial;
use super::io::{Frame, SocketId};
use super::link::Link;
use super::outbox::{Entry, Purpose};
use super::socketio::{Kind, encode_message_prefix};
use super::timers::Timer;
use crate::config::Protocol;
use crate::error::Error;
use crate::state::{Reason, Transport};

/// How long the answer to a probe is waited for, from when it was written.
pub(super) const PROBE: Duration = Duration::from_secs(2);

/// A namespace that no server has.
pub(super) const PROBE_NAMESPACE: &str = "/rejoin-probe";

/// Whether a packet's text holds that name.
pub(super) fn names_probe(text: &str) -> bool {
    let mut windows = text.as_bytes().windows(PROBE_NAMESPACE.len());
    windows.any(|window| window == PROBE_NAMESPACE.as_bytes())
}

impl Core {
    /// An answer is overdue. Where the message can be sent again its fate waits for the probe's.
    pub(super) fn ack_overdue(&mut self, socket: SocketId, id: u64) {
        let namespace = &mut self.sockets[socket.index()];
        // A leave waits with the messages before it: they may have to be sent again, and need the room then.
        let waits = |entry: &Entry| entry.reliable || matches!(entry.purpose, Purpose::Leave(_));
        let again = namespace.acks.get(id).is_some_and(waits) && namespace.sends_again();
        if again {
            namespace.suspects.push(id);
        } else {
            namespace.ack_overdue(&mut self.cx, id);
        }
        self.probe();
    }

    pub(super) fn probe(&mut self) {
        let probing = self.is_probing();
        let Dial::Linked(link) = &mut self.dial else { return };
        if !probing {
            link.next.probe = true;
            self.send_probe();
        }
    }

    /// Whether a probe is under way.
    pub(super) fn is_probing(&self) -> bool {
        let with = |link: &Link| link.flying.probe || link.next.probe;
        self.timers.is_set(Timer::Probe) || matches!(&self.dial, Dial::Linked(link) if with(link))
    }

    /// Has an open link prove within two seconds from now that it is alive, however busy it is.
    pub(super) fn probe_now(&mut self) {
        let due = self.cx.after(PROBE);
        let Dial::Linked(link) = &mut self.dial else { return };
        if !link.is_open() || std::mem::replace(&mut link.urgent, true) {
            return;
        }
        self.probe();
        if !self.timers.is_set(Timer::Probe) {
            self.timers.set(Timer::Probe, due);
        }
    }

    /// No answer: the link is dead. If the platform asked, the user waits, and the next attempt is made at once.
    pub(super) fn probe_overdue(&mut self) {
        if let Dial::Linked(Link {
            unheard: Some(until), ..
        }) = &self.dial
            && *until > self.cx.now.mono
        {
            return self.timers.set(Timer::Probe, *until);
        }
        tracing::debug!("no answer to a probe");
        let urgent = matches!(&self.dial, Dial::Linked(link) if link.urgent);
        let redial = if urgent { Redial::AtOnce } else { Redial::Backoff };
        self.lose_link_and(Reason::PingTimeout, Error::LinkLost, redial);
    }

    /// The link lives: what it carried has arrived, and the server has had its time to answer.
    pub(super) fn handle_pong(&mut self) {
        self.timers.stop(Timer::Probe);
        if let Some(probed) = self.cx.traffic.probed.take() {
            self.cx.traffic.answered(probed, self.cx.now.mono);
        }
        if let Dial::Linked(link) = &mut self.dial {
            link.urgent = false;
            link.unheard = None;
            // On polling the answer may be heard before the POST that asked is over.
            link.flying.probe = false;
        }
        for namespace in &mut self.sockets {
            for id in std::mem::take(&mut namespace.suspects) {
                namespace.ack_overdue(&mut self.cx, id);
            }
            namespace.unproven = namespace.unproven.saturating_sub(1);
        }
        // Namespaces that were left, and are to be joined again. npm's server takes DISCONNECT one step later than it reads
        // it, and closes the link for a CONNECT that comes in between.
        self.advance();
    }

    /// Sends what a living server answers at once: a ping, or where there is none a CONNECT to a namespace that does not
    /// exist. Never an Engine.IO ping: npm's server closes the link for one that comes from a client.
    fn send_probe(&mut self) {
        if self.config.protocol == Protocol::Json {
            self.probe_json();
        } else if self.config.can_ping && self.cx.transport == Some(Transport::WebSocket) {
            self.control(Frame::Ping);
        } else {
            self.control(to_probe(Kind::Connect));
        }
    }

    /// What a living server answers at once, on a link that only writes its last words.
    pub(super) fn last_probe(&self) -> Frame {
        match self.config.can_ping {
            true => Frame::Ping,
            false => to_probe(Kind::Connect),
        }
    }

    /// The server answered the CONNECT of a probe. One that accepted it is left at once.
    pub(super) fn probe_answered(&mut self, kind: Kind) {
        if kind == Kind::Connect {
            self.control_once(to_probe(Kind::Disconnect));
        }
        self.handle_pong();
    }
}

fn to_probe(kind: Kind) -> Frame {
    let mut packet = BytesMut::with_capacity(32);
    encode_message_prefix(&mut packet, kind, 0, PROBE_NAMESPACE, None);
    Frame::Text(packet.freeze())
}
