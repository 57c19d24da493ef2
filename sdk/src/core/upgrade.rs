//! From long-polling to a WebSocket, without losing or repeating anything.
//!
//! The WebSocket is opened beside the polling and probed. Once the server has answered there, both exchanges are let come to
//! their end; only then is the server told that the WebSocket takes over.

use std::time::Duration;

use bytes::Bytes;

use super::connection::{Core, Dial};
use super::io::{Frame, LinkEvent, LinkId, Method, Output};
use super::link::Carrier;
use super::timers::Timer;
use crate::state::Transport;

/// How long it may take; npm's server gives up after the same time.
const UPGRADE: Duration = Duration::from_secs(10);

/// How far a session on polling has come on the way to a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// It stays on polling.
    No,
    /// The WebSocket was asked to answer.
    Probing(LinkId),
    /// The same, and the server has let go of the GET, as it does when it has the probe: another would only be in the way.
    Hushed(LinkId),
    /// It answered; the exchanges come to their end.
    Pausing(LinkId),
}

impl Upgrade {
    pub(super) fn wire(self) -> Option<LinkId> {
        match self {
            Self::No => None,
            Self::Probing(wire) | Self::Hushed(wire) | Self::Pausing(wire) => Some(wire),
        }
    }

    /// Gives it up; the WebSocket that was to take over is to be stopped.
    pub(super) fn take(&mut self) -> Option<LinkId> {
        std::mem::replace(self, Self::No).wire()
    }

    pub(super) fn is_pausing(self) -> bool {
        matches!(self, Self::Pausing(_))
    }

    /// Whether no further GET is to be made.
    pub(super) fn holds_polling(self) -> bool {
        matches!(self, Self::Hushed(_) | Self::Pausing(_))
    }
}

impl Core {
    /// Tries a WebSocket for the session that was just opened by polling.
    pub(super) fn begin_upgrade(&mut self) {
        if !self.config.transports.contains(&Transport::WebSocket) {
            return;
        }
        let Dial::Linked(link) = &mut self.dial else { return };
        let Some(polling) = link.polling() else { return };
        let wire = self.requests.start(&mut self.cx, Method::WebSocket, polling.sid());
        polling.upgrade = Upgrade::Probing(wire);
        let probe = Frame::Text(Bytes::from_static(b"2probe"));
        self.cx.push(Output::Send(wire, vec![probe]));
        self.timers.set(Timer::Upgrade, self.cx.after(UPGRADE));
    }

    /// Something happened on the WebSocket that may take over.
    pub(super) fn handle_upgrade(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Sent | LinkEvent::Pong => {}
            LinkEvent::Text(text) if &*text == "3probe" => {
                let Dial::Linked(link) = &mut self.dial else { return };
                let Some(polling) = link.polling() else { return };
                if let Upgrade::Probing(wire) | Upgrade::Hushed(wire) = polling.upgrade {
                    polling.upgrade = Upgrade::Pausing(wire);
                    self.finish_upgrade();
                }
            }
            // Whatever else it is, this WebSocket cannot be used.
            _ => self.give_up_upgrade(),
        }
    }

    /// A noop came: the server may have let go of the GET because it has the probe.
    pub(super) fn handle_noop(&mut self) {
        if let Dial::Linked(link) = &mut self.dial
            && let Some(polling) = link.polling()
            && let Upgrade::Probing(wire) = polling.upgrade
        {
            polling.upgrade = Upgrade::Hushed(wire);
        }
    }

    /// Lets the WebSocket take over if the exchanges have come to their end.
    pub(super) fn finish_upgrade(&mut self) {
        let Dial::Linked(link) = &mut self.dial else { return };
        let Some(polling) = link.polling() else { return };
        let Upgrade::Pausing(wire) = polling.upgrade else {
            return;
        };
        if !polling.is_quiet() {
            return;
        }
        self.timers.stop(Timer::Upgrade);
        link.carrier = Carrier::WebSocket(wire);
        link.busy = true;
        let upgrade = Frame::Text(Bytes::from_static(b"5"));
        self.cx.push(Output::Send(wire, vec![upgrade]));
        self.attempts.works(Transport::WebSocket);
        self.cx.transport = Some(Transport::WebSocket);
        tracing::debug!("the session goes on over a WebSocket");
    }

    /// The session stays on polling.
    pub(super) fn give_up_upgrade(&mut self) {
        self.timers.stop(Timer::Upgrade);
        let Dial::Linked(link) = &mut self.dial else { return };
        let Some(polling) = link.polling() else { return };
        let Some(wire) = polling.upgrade.take() else {
            return;
        };
        tracing::debug!("no WebSocket can be had; the session stays on long-polling");
        self.cx.push(Output::Stop(wire));
        polling.listen(&mut self.cx, &mut self.requests);
        self.flush();
    }
}
