//! Closing by the user's wish: what was sent before still goes out, but nobody waits long for it.
//!
//! npm's server drops events that it reads in one go with the DISCONNECT behind them. So the last word waits, for a second at
//! most, for a proof that the server has read what was said before.

use std::time::Duration;

use bytes::Bytes;

use super::connection::{Core, Dial};
use super::io::{Frame, LinkEvent, Now, Output, SocketId};
use super::link::{Link, Role};
use super::namespace::{Namespace, Phase, Why};
use super::probe::names_probe;
use super::timers::Timer;
use crate::error::Error;
use crate::receipt::Outcome;
use crate::state::{Reason, State};

/// How long a link has for its last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Core {
    /// Takes a socket out of its namespace by the user's wish.
    pub(super) fn leave(&mut self, socket: SocketId, error: &Error) {
        if self.sockets[socket.index()].is_joined() {
            self.write_last(socket);
            self.say_goodbye(socket);
        }
        let namespace = &mut self.sockets[socket.index()];
        namespace.forget_session();
        namespace.wanted = false;
        namespace.phase = Phase::Absent;
        namespace.lost(&mut self.cx, error);
    }

    /// Disconnects, takes back everything that waits, and keeps nothing of the user: messages, rooms, sessions. What a store
    /// keeps is erased.
    pub fn forget(&mut self, now: Now) {
        self.enter_anew(now);
        for index in 0..self.sockets.len() {
            let socket = self.sockets[index].id;
            if self.sockets[index].is_joined() {
                self.say_goodbye(socket);
            }
            let namespace = &mut self.sockets[index];
            let used = namespace.wanted || !matches!(namespace.state, State::Idle | State::Closed);
            namespace.forget_session();
            namespace.wanted = false;
            namespace.phase = Phase::Absent;
            namespace.lost(&mut self.cx, &Error::Closed);
            namespace.forget(&mut self.cx);
            if used {
                namespace.set_state(&mut self.cx, State::Closed, Why::from(Reason::ClientDisconnect));
            }
        }
        self.restored = None;
        self.cx.store_erase();
        self.release();
    }

    fn say_goodbye(&mut self, socket: SocketId) {
        let goodbye = self.disconnect_packet(socket);
        if let Dial::Linked(link) = &mut self.dial {
            link.goodbyes.extend(goodbye);
        }
    }

    /// Lets go of the link when no socket wants it any more.
    pub(super) fn release(&mut self) {
        if self.sockets.iter().any(|namespace| namespace.wanted) {
            match &mut self.dial {
                Dial::Linked(link) => link.next.frames.append(&mut link.goodbyes),
                // Those that are left wait for times of their own.
                Dial::Preparing if !self.sockets.iter().any(Namespace::is_under_way) => {
                    self.timers.stop(Timer::Handshake);
                    self.dial = Dial::Idle;
                }
                _ => {}
            }
            return;
        }
        self.timers.clear();
        self.cx.traffic.lost = false;
        self.let_go();
    }

    /// Lets the link write what it was given, and close.
    pub(super) fn let_go(&mut self) {
        self.give_up_upgrade();
        self.cx.transport = None;
        if let Dial::Linked(mut link) = std::mem::replace(&mut self.dial, Dial::Idle) {
            self.stop_leaving();
            // On polling the answer to the POST is the proof.
            link.farewell = link.is_open() && link.polling().is_some();
            let spoke = link.spoke.is_some_and(|at| self.cx.now.mono < at + LAST_WORDS);
            if spoke && !link.farewell && !link.goodbyes.is_empty() {
                link.unread = true;
                link.next.frames.push(self.last_probe());
            }
            self.leaving = Some(link);
            self.timers.set(Timer::Drain, self.cx.after(LAST_WORDS));
            self.finish_leaving();
        }
        self.assembler.reset();
    }

    /// Tells a server that has ended the last namespace of a session on polling that nobody needs the session: otherwise it
    /// would keep it for as long as a heartbeat takes.
    pub(super) fn end_session(&mut self, mut link: Link) {
        self.stop_leaving();
        for (socket, completer) in std::mem::take(&mut link.next).riders {
            let outcome = Outcome::Unconfirmed(Error::LinkLost);
            self.cx.settle(socket, completer, outcome);
        }
        if let Some(polling) = link.polling()
            && let Some(wire) = polling.upgrade.take()
        {
            self.cx.push(Output::Stop(wire));
        }
        link.farewell = true;
        self.leaving = Some(link);
        self.timers.set(Timer::Drain, self.cx.after(LAST_WORDS));
        self.finish_leaving();
    }

    pub(super) fn handle_leaving(&mut self, role: Role, event: LinkEvent) {
        let Some(link) = &mut self.leaving else { return };
        let written = match event {
            LinkEvent::Sent => true,
            LinkEvent::Response(response) if role == Role::Post && response.status == 200 => {
                link.posted(&mut self.cx, &mut self.requests)
            }
            // What the server has to say is of no interest any more.
            LinkEvent::Response(_) | LinkEvent::Closed(_) if role == Role::Get => false,
            LinkEvent::Closed(_) | LinkEvent::Response(_) => return self.stop_leaving(),
            LinkEvent::Pong => {
                link.unread = false;
                return self.finish_leaving();
            }
            LinkEvent::Text(text) if names_probe(&text) => {
                link.unread = false;
                return self.finish_leaving();
            }
            LinkEvent::Text(_) | LinkEvent::Binary(_) => false,
        };
        if written {
            let _ = link.written(&mut self.cx);
            self.finish_leaving();
        }
    }

    /// Whoever does not answer hears the last word all the same.
    pub(super) fn leaving_overdue(&mut self) {
        if let Some(link) = &mut self.leaving {
            link.next.frames.append(&mut link.goodbyes);
            link.hand_over(&mut self.cx, &mut self.requests);
        }
        self.stop_leaving();
    }

    fn finish_leaving(&mut self) {
        let Some(link) = &mut self.leaving else { return };
        link.hand_over(&mut self.cx, &mut self.requests);
        if link.unread {
            return;
        }
        if !link.busy {
            link.next.frames.append(&mut link.goodbyes);
            link.hand_over(&mut self.cx, &mut self.requests);
        }
        if !link.busy && std::mem::take(&mut link.farewell) {
            // In a POST of its own: npm's server would act on it before it acts on the rest.
            link.next.frames.push(Frame::Text(Bytes::from_static(b"1")));
            link.hand_over(&mut self.cx, &mut self.requests);
        }
        if !link.busy {
            self.stop_leaving();
        }
    }

    pub(super) fn stop_leaving(&mut self) {
        self.timers.stop(Timer::Drain);
        if let Some(link) = self.leaving.take() {
            link.stop(&mut self.cx);
            link.died(&mut self.cx);
        }
    }
}
