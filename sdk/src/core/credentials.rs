//! Credentials that change while the client runs.

use super::connection::Core;
use super::io::{Now, SocketId};
use super::namespace::{AuthSource, Phase};
use crate::config::Protocol;
use crate::error::Error;
use crate::state::{Notice, State};

impl Core {
    /// From now on a socket says that it is someone else, or has a token that is newer.
    ///
    /// A socket that is joined leaves its namespace and joins it again, over the same link but for plain JSON, which has no
    /// word for leaving; what is queued stays. One on its way uses them for its CONNECT, or for another one if that was
    /// sent. One that the server refused connects again.
    pub fn set_auth(&mut self, now: Now, socket: SocketId, auth: AuthSource) {
        self.enter_anew(now);
        let namespace = &mut self.sockets[socket.index()];
        namespace.config.auth = auth;
        namespace.asked_anew = false;
        // A server that took up the old session would not ask who comes.
        namespace.forget_session();
        namespace.signed_out();
        if self.closed {
            return;
        }
        if !namespace.wanted {
            let refused = namespace.last_change.as_ref().and_then(|change| change.error.as_ref());
            if namespace.state == State::Failed && matches!(refused, Some(Error::Refused { .. })) {
                self.connect(now, socket);
            }
            return;
        }
        match namespace.phase {
            // The next attempt asks for them.
            Phase::Absent | Phase::Later(_) => {}
            Phase::Authenticating(_) | Phase::Armed(_) => {
                self.ask_credentials(socket);
                self.advance();
            }
            // The answer comes first: nobody could tell it from the next one's.
            Phase::Joining => namespace.outdated = true,
            Phase::Greeting | Phase::Rejoining | Phase::Ready => {
                self.send_disconnect(socket);
                self.sockets[socket.index()].lost(&mut self.cx, &Error::LinkLost);
                match self.config.protocol {
                    Protocol::SocketIo => self.join_anew(socket),
                    Protocol::Json => self.join_by_new_link(),
                }
            }
        }
        self.warn_if_exposed(socket);
    }

    /// Joins a namespace with the credentials of now, over the link that is there.
    pub(super) fn join_anew(&mut self, socket: SocketId) {
        self.begin_joining(socket);
        self.advance();
    }

    /// Says once that credentials travel for everyone to read.
    pub(super) fn warn_if_exposed(&mut self, socket: SocketId) {
        let exposed = !self.config.endpoint.secure && !self.config.endpoint.is_loopback();
        let credentials = self.sockets[socket.index()].config.auth != AuthSource::None;
        if exposed && credentials && !std::mem::replace(&mut self.warned, true) {
            let text = "credentials travel without TLS to a host that is not this machine; use https, or `require_tls`";
            self.cx.notice(socket, Notice::Warning(text.to_owned()));
        }
    }
}
