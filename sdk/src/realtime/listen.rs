//! Events by their type: from the wire, or the client's own.

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::event::Event;
use crate::registry::Subscription;
use crate::socket::Socket;
use crate::state::{Notice, StateChange};
use crate::sys::Spawned;

/// An event that has a type: handlers are registered for it with [`RealtimeClient::on`](super::RealtimeClient::on), and
/// [`RealtimeClient::stream`](super::RealtimeClient::stream) gives it as a stream.
///
/// An app's own events take part with a few lines:
///
/// ```
/// use rejoin::{ChatEvent, Error, Told};
///
/// #[derive(serde::Deserialize)]
/// struct Weather {
///     degrees: i32,
/// }
///
/// impl ChatEvent for Weather {
///     const NAME: &'static str = "weather";
///
///     fn read(told: Told<'_>) -> Option<Result<Self, Error>> {
///         told.decode()
///     }
/// }
/// ```
pub trait ChatEvent: Sized + Spawned {
    /// The event's name: on the wire, or the client's own.
    const NAME: &'static str;

    /// Where it comes from.
    #[doc(hidden)]
    const SOURCE: Source = Source::Wire;

    /// Reads it; `None` where this is another event.
    fn read(told: Told<'_>) -> Option<Result<Self, Error>>;
}

/// Where an event comes from.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "no part of the interface")]
pub enum Source {
    Wire,
    State,
    Notice,
}

/// What a [`ChatEvent`] is read from.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Told<'a> {
    /// An event of the server.
    Event(&'a Event),
    /// A change of the connection's state.
    State(&'a StateChange),
    /// What the client has to tell about itself.
    Notice(&'a Notice),
}

impl Told<'_> {
    /// Reads the first argument of a server's event; `None` for what is none.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] where it does not fit the type.
    pub fn decode<T: DeserializeOwned>(&self) -> Option<Result<T, Error>> {
        match self {
            Self::Event(event) => Some(event.get(0)),
            Self::State(_) | Self::Notice(_) => None,
        }
    }
}

/// Calls `take` for each event of its type. With `once` only for the first.
pub(super) fn listen<E: ChatEvent>(socket: &Socket, once: bool, take: impl FnMut(E) + Spawned) -> Subscription {
    let mut take = Some(take);
    let registry = std::sync::Arc::downgrade(&socket.registry);
    let mut deliver = move |told: Told<'_>| match (E::read(told), &mut take) {
        (Some(Ok(event)), Some(call)) => {
            call(event);
            if once {
                take = None;
            }
        }
        (Some(Err(error)), Some(_)) => {
            if let Some(registry) = registry.upgrade() {
                let error = Error::protocol([E::NAME, ": ", &error.to_string()].concat());
                registry.dispatch_notice(&Notice::Error(error));
            }
        }
        _ => {}
    };
    match E::SOURCE {
        Source::Wire if once => socket.once(E::NAME, move |event| deliver(Told::Event(event))),
        Source::Wire => socket.on(E::NAME, move |event| deliver(Told::Event(event))),
        Source::State => socket.on_state(move |change| deliver(Told::State(change))),
        Source::Notice => socket.on_notice(move |notice| deliver(Told::Notice(notice))),
    }
}

impl ChatEvent for StateChange {
    const NAME: &'static str = "connectionStatusChange";
    const SOURCE: Source = Source::State;

    fn read(told: Told<'_>) -> Option<Result<Self, Error>> {
        match told {
            Told::State(change) => Some(Ok(change.clone())),
            _ => None,
        }
    }
}

/// Five attempts in a row failed. Raised once per outage; attempts go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionFailed {
    /// How many attempts failed so far.
    pub attempts: u32,
    /// Why the last one did.
    pub error: Error,
}

impl ChatEvent for ConnectionFailed {
    const NAME: &'static str = "connectionFailed";
    const SOURCE: Source = Source::Notice;

    fn read(told: Told<'_>) -> Option<Result<Self, Error>> {
        match told {
            Told::Notice(Notice::ConnectionFailed { attempts, error }) => Some(Ok(Self {
                attempts: *attempts,
                error: error.clone(),
            })),
            _ => None,
        }
    }
}

/// Connected again after the connection was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconnected {
    /// Whether the server took up the session where it was lost, so that nothing was missed.
    pub recovered: bool,
}

impl ChatEvent for Reconnected {
    const NAME: &'static str = "reconnected";
    const SOURCE: Source = Source::Notice;

    fn read(told: Told<'_>) -> Option<Result<Self, Error>> {
        match told {
            Told::Notice(Notice::Reconnected { recovered }) => Some(Ok(Self { recovered: *recovered })),
            _ => None,
        }
    }
}
