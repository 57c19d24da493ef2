//! One connection of one user, as the others see it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::closing::Closing;
use super::hub::Hub;
use super::order::Lanes;
use super::outlet::Outlet;
use super::receipts::{Awaiting, Receipts};
use crate::auth::User;
use crate::store::Owed;

/// One connection of one user.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) user: User,
    outlet: Outlet,
    awaiting: Awaiting,
    /// What it has to send again before anything else in the same lane.
    pub(super) lanes: Lanes,
    state: Mutex<State>,
    /// It was told to end: nothing more is taken from it.
    closed: AtomicBool,
}

/// What still goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Everything so far.
    Open,
    /// Nothing: something could not be sent, and a later message would overtake the one that is
    /// missing. It ends as soon as there is room to say so.
    Stuck,
    /// Nothing: it was told to end.
    Ended,
}

/// The WebSocket close code of a connection that does not read: "try again later".
const STUCK: u16 = 1013;

impl Session {
    /// A connection, and the receipts of what it will be sent, of which so many can be waited for.
    pub(super) fn new(user: User, outlet: Outlet, max_waiting: usize, lanes: Lanes) -> (Self, Receipts) {
        let (awaiting, receipts) = Receipts::new(max_waiting);
        let session = Self {
            user,
            outlet,
            awaiting,
            lanes,
            state: Mutex::new(State::Open),
            closed: AtomicBool::new(false),
        };
        (session, receipts)
    }

    /// Sends an event; whether it was handed to the connection.
    pub(crate) fn send(&self, event: &str, payload: &Value) -> bool {
        self.hand_over(|outlet| outlet.send(event, payload))
    }

    /// Sends an event that asks for an acknowledgement; `owed` is kept no longer once it comes.
    pub(super) fn ask(&self, event: &str, payload: &Value, owed: Option<Owed>) -> bool {
        self.hand_over(|outlet| {
            let receipt = outlet.ask(event, payload);
            let is_sent = receipt.is_some();
            if let (Some(receipt), Some(owed)) = (receipt, owed) {
                self.awaiting.wait_for(receipt, owed);
            }
            is_sent
        })
    }

    /// Sends the greeting.
    pub(super) fn greet(&self, features: &[&str], friends: &Value) -> bool {
        self.hand_over(|outlet| outlet.greet(&self.user, features, friends))
    }

    /// Whether it has taken all that was sent so far, and was not told to end.
    pub(crate) fn is_reachable(&self) -> bool {
        self.hand_over(|_| true)
    }

    /// Says why, and ends the connection.
    pub(crate) fn close(&self, hub: &Hub, why: Closing) {
        self.closed.store(true, Ordering::Release);
        self.say_why(hub, why);
        let mut state = self.lock();
        if *state != State::Ended {
            *state = match self.outlet.end(why.close_code(), why.message()) {
                true => State::Ended,
                false => State::Stuck,
            };
        }
    }

    /// Whether it was told to end. What it still says does not count: a client that does not read
    /// would otherwise stay for as long as it writes.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Says that the server ends. A Socket.IO connection is then left to the end of its link: after
    /// a DISCONNECT npm's client does not come back by itself.
    pub(crate) fn shut_down(&self, hub: &Hub) {
        match self.outlet {
            Outlet::SocketIo(_) => {
                self.say_why(hub, Closing::Shutdown);
                *self.lock() = State::Ended;
            }
            Outlet::Json(_) => self.close(hub, Closing::Shutdown),
        }
    }

    /// Whether it hears only what it asks for.
    pub(crate) fn is_polling(&self) -> bool {
        self.outlet.is_polling()
    }

    /// Whether both are the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }

    fn say_why(&self, hub: &Hub, why: Closing) {
        self.send("closing", &why.payload(hub.config.retry_after));
    }

    fn hand_over(&self, send: impl FnOnce(&Outlet) -> bool) -> bool {
        let mut state = self.lock();
        if *state == State::Open && !send(&self.outlet) {
            *state = State::Stuck;
        }
        if *state == State::Stuck && self.outlet.end(STUCK, "the connection does not keep up") {
            *state = State::Ended;
        }
        *state == State::Open
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
