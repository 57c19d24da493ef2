//! What became of one message: its [`Receipt`] and the one [`Outcome`] it ends in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::Error;
use crate::payload::Payload;

/// How one message ended. Every message ends in exactly one of these, and the name says what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server acknowledged it; the payload is its answer.
    Delivered(Payload),
    /// It was handed to the system. No more is known: nobody was asked to acknowledge it.
    Sent,
    /// It was refused, here or by the server, and will not be sent again.
    Rejected(Error),
    /// It was written, and no answer can come any more: the server may or may not have it.
    Unconfirmed(Error),
    /// Its time to live passed before it was sent.
    Expired,
    /// It was never written: the queue was full, or it was volatile and there was no connection.
    Dropped,
    /// It was cancelled before it was written.
    Cancelled,
}

impl Outcome {
    /// The stable name that every platform uses, for example `delivered`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Sent => "sent",
            Self::Rejected(_) => "rejected",
            Self::Unconfirmed(_) => "unconfirmed",
            Self::Expired => "expired",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
        }
    }

    /// The error, where the outcome has one.
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Rejected(error) | Self::Unconfirmed(error) => Some(error),
            _ => None,
        }
    }

    /// The server's answer, or the error that says why there is none.
    ///
    /// `Sent` is [`Error::Unsupported`] here: the message asked for no acknowledgement.
    pub fn into_reply(self) -> Result<Payload, Error> {
        match self {
            Self::Delivered(payload) => Ok(payload),
            Self::Rejected(error) | Self::Unconfirmed(error) => Err(error),
            Self::Sent => Err(Error::Unsupported("the message asked for no acknowledgement".into())),
            Self::Expired => Err(Error::payload("its time to live passed before it was sent")),
            Self::Dropped => Err(Error::Overloaded),
            Self::Cancelled => Err(Error::payload("it was cancelled")),
        }
    }
}

/// The sender's half of one message: await it for the [`Outcome`], or let it go and the message is sent all the same.
///
/// Dropping a receipt, or whoever awaits it, never cancels the message; [`cancel`](Self::cancel) does.
#[must_use = "the message is sent without it, but its outcome is only told here; `let _ = …` says that you don't need it"]
pub struct Receipt {
    slot: Arc<Slot>,
    steer: Option<Steer>,
}

/// How a receipt reaches the client that it belongs to, for `cancel`.
type Steer = crate::shared::SocketRef;

/// The client's half: consumed by the one outcome.
pub struct Completer {
    slot: Arc<Slot>,
}

struct Slot {
    id: u64,
    message_id: Option<Box<str>>,
    state: Mutex<SlotState>,
}

#[derive(Default)]
struct SlotState {
    accepted: bool,
    /// Boxed: most receipts are let go, and thousands may wait.
    outcome: Option<Box<Outcome>>,
    wakers: Vec<Waker>,
}

/// Makes the two halves of a message's outcome.
pub fn pair(id: u64, message_id: Option<Box<str>>) -> (Receipt, Completer) {
    let slot = Arc::new(Slot {
        id,
        message_id,
        state: Mutex::default(),
    });
    let receipt = Receipt {
        slot: Arc::clone(&slot),
        steer: None,
    };
    (receipt, Completer { slot })
}

impl Receipt {
    /// A number that names this message within its socket.
    pub fn id(&self) -> u64 {
        self.slot.id
    }

    /// The UUIDv7 under which a server removes duplicates; `None` for a message that is not reliable.
    pub fn message_id(&self) -> Option<&str> {
        self.slot.message_id.as_deref()
    }

    /// The outcome, if there is one yet.
    pub fn outcome(&self) -> Option<Outcome> {
        self.slot.lock().outcome.as_deref().cloned()
    }

    /// Waits until the message is in the client's care: on disk where there is a store, at once otherwise.
    ///
    /// # Errors
    /// The reason for which the message was refused.
    pub fn accepted(&self) -> Accepted {
        Accepted {
            slot: Arc::clone(&self.slot),
        }
    }

    /// Takes the message back if it was not written yet. Says whether it did.
    ///
    /// What was written can't be taken back, unless it waits to be sent again: it then ends `Unconfirmed`.
    pub fn cancel(&self) -> bool {
        self.steer.as_ref().is_some_and(|steer| steer.cancel(self.slot.id))
    }

    pub(crate) fn steered(mut self, steer: Steer) -> Self {
        self.steer = Some(steer);
        self
    }
}

impl Future for Receipt {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.slot.lock();
        match &state.outcome {
            Some(outcome) => Poll::Ready((**outcome).clone()),
            None => {
                state.wait(cx);
                Poll::Pending
            }
        }
    }
}

/// Resolves when a message is in the client's care. Made by [`Receipt::accepted`].
#[must_use = "futures do nothing unless awaited"]
pub struct Accepted {
    slot: Arc<Slot>,
}

impl Future for Accepted {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let mut state = self.slot.lock();
        if state.accepted {
            return Poll::Ready(Ok(()));
        }
        match state.outcome.as_deref() {
            Some(Outcome::Rejected(error)) => Poll::Ready(Err(error.clone())),
            Some(_) => Poll::Ready(Ok(())),
            None => {
                state.wait(cx);
                Poll::Pending
            }
        }
    }
}

impl Completer {
    /// Ends the message. Taking `self` is what makes the outcome the only one.
    pub fn complete(self, outcome: Outcome) {
        // Nobody holds the other half, and nobody can get it any more.
        if Arc::strong_count(&self.slot) == 1 {
            return;
        }
        self.slot.update(|state| state.outcome = Some(Box::new(outcome)));
    }

    /// Something that says "accepted" later, while this half goes on waiting for the outcome.
    pub fn acceptor(&self) -> Acceptor {
        Acceptor {
            slot: Arc::clone(&self.slot),
        }
    }

    /// Marks the message as accepted before anyone can be waiting for it.
    pub fn accept_now(&self) {
        self.slot.lock().accepted = true;
    }

    /// The message's number.
    pub fn id(&self) -> u64 {
        self.slot.id
    }

    /// The id under which a server removes duplicates.
    pub fn message_id(&self) -> Option<&str> {
        self.slot.message_id.as_deref()
    }
}

/// Marks a message as accepted. Made by [`Completer::acceptor`].
pub struct Acceptor {
    slot: Arc<Slot>,
}

impl Acceptor {
    /// The message's number.
    pub fn id(&self) -> u64 {
        self.slot.id
    }

    /// Tells whoever waits that the message is in the client's care.
    pub fn accept(self) {
        self.slot.update(|state| state.accepted = true);
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then wakes with the lock released.
    fn update(&self, change: impl FnOnce(&mut SlotState)) {
        let mut state = self.lock();
        change(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        for waker in wakers {
            waker.wake();
        }
    }
}

impl SlotState {
    fn wait(&mut self, cx: &Context<'_>) {
        if !self.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
    }
}

macro_rules! debug_by_slot {
    ($($name:ident)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.slot.id).finish_non_exhaustive()
            }
        }
    )*};
}

debug_by_slot!(Receipt Accepted Completer Acceptor);
