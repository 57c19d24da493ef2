//! What the platform knows about the network and the app, and the client cannot.

use std::time::Duration;

use super::connection::{Core, Dial};
use super::io::Now;
use super::namespace::{Phase, Why};
use super::probe::PROBE;
use super::timers::Timer;
use crate::broken::broken;
use crate::error::Error;
use crate::state::{Hint, Reason, State};

/// How long a link is kept after the app went into the background: the user may only look something up.
const GRACE: Duration = Duration::from_secs(10);

/// A wall clock that steps further ahead than this has slept, or was set: what was known about the link is old.
const STEP: Duration = Duration::from_secs(5);

/// What the platform said last.
#[derive(Debug, Default)]
pub(super) struct Platform {
    offline: bool,
    background: bool,
}

impl Platform {
    /// What a socket is that wants to be connected and must not dial now.
    pub(super) fn holds(&self) -> Option<State> {
        match (self.background, self.offline) {
            (true, _) => Some(State::Paused),
            (false, true) => Some(State::Offline),
            (false, false) => None,
        }
    }
}

impl Core {
    /// The platform has something to say.
    pub fn hint(&mut self, now: Now, hint: Hint) {
        self.enter_anew(now);
        if self.closed {
            return;
        }
        tracing::debug!(hint = hint.as_str(), "the platform says");
        match hint {
            Hint::Offline => {
                self.platform.offline = true;
                self.probe_now();
                self.hold(Reason::Offline);
            }
            Hint::Online => {
                self.platform.offline = false;
                self.wake_up();
            }
            Hint::Foreground => {
                self.platform.background = false;
                self.timers.stop(Timer::Background);
                self.wake_up();
            }
            Hint::Background => self.go_to_background(GRACE),
            Hint::Suspend => self.go_to_background(Duration::ZERO),
        }
    }

    /// Whether the wall clock went further ahead than time has passed.
    pub(super) fn clock_stepped(&self, now: Now) -> bool {
        let before = self.cx.now;
        let passed = now.mono.saturating_sub(before.mono);
        let shown = Duration::from_millis(now.unix_ms.saturating_sub(before.unix_ms));
        before != Now::default() && shown > passed.saturating_add(STEP)
    }

    /// The machine may have slept, or be somewhere else: a link has to prove that it is alive, and if there is none, now is
    /// a good time to try.
    pub(super) fn wake_up(&mut self) {
        match &self.dial {
            Dial::Linked(link) if link.is_open() => self.probe_now(),
            // It may have been dialled over a network that is gone.
            Dial::Linked(link) if self.cx.now.mono >= link.since + PROBE => {
                link.stop(&mut self.cx);
                self.timers.stop(Timer::Handshake);
                let join_by = Some(self.cx.after(self.config.connect_timeout));
                for namespace in &mut self.sockets {
                    namespace.join_by = namespace.join_by.and(join_by);
                }
                self.open_link();
            }
            Dial::Waiting | Dial::Held => match self.platform.holds() {
                Some(_) => self.hold(Reason::Offline),
                None => self.resume(),
            },
            Dial::Linked(_) | Dial::Preparing | Dial::Idle => {}
        }
    }

    /// Dials at once, unless the server has said when to come back.
    fn resume(&mut self) {
        let Some(left) = self.attempts.left(self.cx.now.mono) else {
            return self.begin_attempt();
        };
        self.dial = Dial::Waiting;
        self.timers.set(Timer::Redial, self.cx.after(left));
        for namespace in self.sockets.iter_mut().filter(|namespace| namespace.wanted) {
            if !matches!(namespace.state, State::Waiting { .. }) {
                namespace.set_state(&mut self.cx, State::Waiting { retry_in: left }, Why::NONE);
            }
        }
    }

    /// Makes no attempt until the platform says otherwise.
    fn hold(&mut self, reason: Reason) {
        let Some(state) = self.platform.holds() else { return };
        if !matches!(self.dial, Dial::Waiting | Dial::Held) {
            return;
        }
        if !broken!(DialsWhileHeld) {
            self.timers.stop(Timer::Redial);
            self.dial = Dial::Held;
        }
        for namespace in self.sockets.iter_mut().filter(|namespace| namespace.wanted) {
            if !matches!(namespace.phase, Phase::Later(_)) {
                namespace.set_state(&mut self.cx, state, Why::from(reason));
            }
        }
    }

    fn go_to_background(&mut self, grace: Duration) {
        self.platform.background = true;
        let bounds = self.bounds();
        for namespace in &mut self.sockets {
            namespace.stop_all_typing(&mut self.cx, bounds);
        }
        match &self.dial {
            Dial::Linked(link) if link.is_open() && !grace.is_zero() => {
                if !self.timers.is_set(Timer::Background) {
                    self.timers.set(Timer::Background, self.cx.after(grace));
                }
            }
            Dial::Linked(_) | Dial::Preparing => self.pause(),
            Dial::Waiting | Dial::Held => self.hold(Reason::Background),
            Dial::Idle => {}
        }
    }

    /// Closes the link so that the server's push takes over. No DISCONNECT is sent: a server that recovers sessions keeps
    /// this one for a while.
    pub(super) fn pause(&mut self) {
        for index in 0..self.sockets.len() {
            let socket = self.sockets[index].id;
            self.write_last(socket);
            self.sockets[index].lost(&mut self.cx, &Error::LinkLost);
        }
        self.timers.clear();
        self.cx.traffic.lost = true;
        self.let_go();
        self.dial = Dial::Waiting;
        self.hold(Reason::Background);
    }
}
