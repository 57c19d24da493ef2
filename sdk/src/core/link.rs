//! The one link: what carries it, and the batches on their way.

use std::time::Duration;

use super::context::Context;
use super::io::{Frame, LinkId, Output};
use super::json;
use super::outbound::Batch;
use super::polling::Polling;
use super::requests::Requests;
use super::stats::Stamp;
use crate::error::Error;
use crate::receipt::Outcome;
use crate::state::Transport;

/// One session with the server, from the first try to open it.
#[derive(Debug)]
pub(super) struct Link {
    /// What the server's questions belong to; it stays the same when the carrier changes.
    pub(super) id: LinkId,
    pub(super) carrier: Carrier,
    /// What is tried next in the same attempt, if this carrier cannot be opened.
    pub(super) fallback: Option<Transport>,
    /// When it began.
    pub(super) since: Duration,
    /// Whether the platform wants to know at once if it is alive.
    pub(super) urgent: bool,
    /// Until when its silence proves nothing, because nobody reads.
    pub(super) unheard: Option<Duration>,
    /// When it was last given messages.
    pub(super) spoke: Option<Duration>,
    /// What the server is told when no message is under way any more: that sockets leave.
    pub(super) goodbyes: Vec<Frame>,
    /// Whether that waits for a proof that the server has read the last messages.
    pub(super) unread: bool,
    /// Whether the server still has to be told that it ends; a WebSocket does so by closing.
    pub(super) farewell: bool,
    /// How long the server may be silent. `None` until the session is open.
    pub(super) patience: Option<Duration>,
    /// What plain JSON keeps of its session.
    pub(super) json: Option<Box<json::Session>>,
    /// Whether a batch is being written.
    pub(super) busy: bool,
    /// Whether its end is known already, and comes behind what it still has to say.
    pub(super) ends: bool,
    /// What that batch holds beside its frames.
    pub(super) flying: Batch,
    /// The batch after that.
    pub(super) next: Batch,
}

/// What carries a link's frames.
#[derive(Debug)]
pub(super) enum Carrier {
    /// A WebSocket.
    WebSocket(LinkId),
    /// Single HTTP exchanges.
    Polling(Box<Polling>),
}

/// What one of the platform's wires is to the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The WebSocket that carries it.
    Socket,
    /// The GET that waits for the server's packets.
    Get,
    /// The POST that takes packets to the server.
    Post,
    /// The WebSocket that may carry it soon.
    Upgrade,
}

impl Link {
    pub(super) fn new(carrier: Carrier, fallback: Option<Transport>, since: Duration) -> Self {
        let id = match &carrier {
            Carrier::WebSocket(wire) => *wire,
            Carrier::Polling(polling) => polling.first(),
        };
        Self {
            id,
            carrier,
            fallback,
            since,
            urgent: false,
            unheard: None,
            spoke: None,
            goodbyes: Vec::new(),
            unread: false,
            farewell: false,
            patience: None,
            json: None,
            busy: false,
            ends: false,
            flying: Batch::default(),
            next: Batch::default(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.patience.is_some()
    }

    pub(super) fn transport(&self) -> Transport {
        match self.carrier {
            Carrier::WebSocket(_) => Transport::WebSocket,
            Carrier::Polling(_) => Transport::Polling,
        }
    }

    /// Whether the system can take a batch, as far as its carrier is concerned.
    pub(super) fn takes(&self) -> bool {
        match &self.carrier {
            Carrier::WebSocket(_) => !self.ends,
            Carrier::Polling(polling) => polling.takes(),
        }
    }

    /// What `wire` is to this link; `None` where it is dead or another's.
    pub(super) fn role_of(&self, wire: LinkId) -> Option<Role> {
        match &self.carrier {
            Carrier::WebSocket(own) => (*own == wire).then_some(Role::Socket),
            Carrier::Polling(polling) => polling.role_of(wire),
        }
    }

    /// Gives its next batch to the system, if there is one and the system can take it.
    pub(super) fn hand_over(&mut self, cx: &mut Context, requests: &mut Requests) {
        if self.busy || !self.takes() || self.next.frames.is_empty() {
            return;
        }
        let bytes: usize = self.next.frames.iter().map(Frame::len).sum();
        match &mut self.carrier {
            Carrier::WebSocket(wire) => {
                let frames = std::mem::take(&mut self.next.frames);
                cx.push(Output::Send(*wire, frames));
            }
            Carrier::Polling(polling) => {
                let frames = std::mem::take(&mut self.next.frames);
                polling.send(cx, requests, frames);
            }
        }
        self.busy = true;
        self.flying = std::mem::take(&mut self.next);
        cx.traffic.bytes_out += bytes as u64;
        if self.flying.probe {
            cx.traffic.probed = Some(Stamp::at(cx.now.mono));
        }
    }

    /// Its batch has been written. Gives what that begins.
    pub(super) fn written(&mut self, cx: &mut Context) -> Batch {
        self.busy = false;
        let mut written = std::mem::take(&mut self.flying);
        for (socket, completer) in written.riders.drain(..) {
            cx.settle(socket, completer, Outcome::Sent);
        }
        written
    }

    /// Has the platform stop everything that carries it.
    pub(super) fn stop(&self, cx: &mut Context) {
        match &self.carrier {
            Carrier::WebSocket(wire) => cx.push(Output::Stop(*wire)),
            Carrier::Polling(polling) => polling.stop(cx),
        }
    }

    /// It is gone with what it was given.
    pub(super) fn died(self, cx: &mut Context) {
        for (socket, completer) in self.flying.riders.into_iter().chain(self.next.riders) {
            cx.settle(socket, completer, Outcome::Unconfirmed(Error::LinkLost));
        }
    }
}
