//! What a server says before it disconnects: `closing {code, message, retryAfterMs?}`.
//!
//! It is remembered until the session ends, in whatever way it does, and decides what happens then.

use std::time::Duration;

use super::connection::Core;
use super::context::Context;
use super::io::SocketId;
use super::namespace::{Namespace, Phase, Why};
use super::scan;
use crate::error::Error;
use crate::payload::Payload;
use crate::state::{Reason, State};

/// The server's last words to one socket.
#[derive(Debug)]
pub(crate) struct Closing {
    code: Code,
    message: String,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// Another connection takes this one's place.
    Replaced,
    /// The user may not be here.
    Banned,
    /// The server goes away.
    Shutdown,
    /// Nothing was heard from the user for long.
    Idle,
}

impl Closing {
    /// Reads the event's payload. One with another code is some app's own event of the same name.
    fn parse(payload: &Payload) -> Option<Self> {
        let code = match &*scan::string(payload.field("code")?)? {
            "replaced" => Code::Replaced,
            "banned" => Code::Banned,
            "shutdown" => Code::Shutdown,
            "idle" => Code::Idle,
            _ => return None,
        };
        let retry_after = payload.field("retryAfterMs").and_then(scan::uint);
        Some(Self {
            code,
            message: payload
                .string_field("message")
                .unwrap_or_else(|| "it gave no reason".to_owned()),
            retry_after: retry_after.map(Duration::from_millis),
        })
    }

    /// Why the session ended, where the link's end alone would say something else.
    pub(super) fn reason(&self) -> Reason {
        match self.code {
            Code::Replaced => Reason::Replaced,
            Code::Banned => Reason::Banned,
            Code::Shutdown => Reason::Shutdown,
            Code::Idle => Reason::ServerDisconnect,
        }
    }

    /// Whether the server does not want to be asked again.
    fn is_final(&self) -> bool {
        matches!(self.code, Code::Replaced | Code::Banned)
    }
}

impl Namespace {
    /// The server said `closing`.
    pub(super) fn heard_closing(&mut self, payload: &Payload) {
        if let Some(closing) = Closing::parse(payload) {
            self.closing = Some(Box::new(closing));
        }
    }

    /// Whether the server ends this session for good.
    pub(super) fn is_kicked(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.is_final())
    }

    /// The session is over, and so is the user's wish for it: to insist would only throw the other connection out.
    pub(super) fn kicked(&mut self, cx: &mut Context) {
        let Some(closing) = self.closing.take() else { return };
        let reason = closing.reason();
        self.forget_session();
        self.wanted = false;
        let error = Error::Kicked(closing.message.into());
        self.set_state(cx, State::Failed, Why::new(reason, Some(error)));
    }
}

impl Core {
    /// The server took the client out of one namespace. The others on the same link live on.
    pub(super) fn left_by_server(&mut self, socket: SocketId) {
        let namespace = &mut self.sockets[socket.index()];
        if !namespace.is_joined() {
            return;
        }
        if namespace.is_kicked() {
            namespace.lost(&mut self.cx, &Error::LinkLost);
            self.release();
            return;
        }
        let under_way = |other: &Namespace| other.is_joined() || other.phase == Phase::Joining;
        let others = self.sockets.iter().any(|other| other.id != socket && under_way(other));
        if !others {
            self.lose_link(Reason::ServerDisconnect, Error::LinkLost);
            return;
        }
        let namespace = &mut self.sockets[socket.index()];
        namespace.count_death();
        namespace.lost(&mut self.cx, &Error::LinkLost);
        let closing = namespace.closing.take();
        let reason = closing
            .as_ref()
            .map_or(Reason::ServerDisconnect, |closing| closing.reason());
        let retry_after = closing.and_then(|closing| closing.retry_after);
        let retry_after = retry_after.map(|after| self.told_delay(after));
        self.join_later(socket, retry_after, Why::from(reason));
    }
}
