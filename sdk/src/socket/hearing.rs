//! How an app hears what happens to a socket.

use futures::Stream;

use super::Socket;
use crate::event::Event;
use crate::registry::{Subscription, Topic};
use crate::state::{Notice, StateChange};
use crate::stream::{self, EventStream};
use crate::sys::Spawned;

impl Socket {
    /// Every change of state from this call on, in order, none left out.
    pub fn states(&self) -> impl Stream<Item = StateChange> + Unpin + use<> {
        self.registry.states()
    }

    /// Calls `handler` for each event of this name, until the subscription is dropped.
    ///
    /// Handlers run one after the other on one task of the client, in order of registration. A handler that panics is
    /// told as [`Notice::HandlerError`] and the next one runs. Socket.IO's own words `connect`, `disconnect` and
    /// `connect_error` are no events here: they are states.
    pub fn on(&self, event: &str, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        self.registry.on_event(Topic::Event(event.into()), false, handler)
    }

    /// Calls `handler` for the next event of this name only.
    pub fn once(&self, event: &str, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        self.registry.on_event(Topic::Event(event.into()), true, handler)
    }

    /// The events of this name from now on, as a stream of at most 256 that wait; with [`Lagged`](crate::Lagged) in the
    /// place of those that a slow reader missed. It ends when the client is closed, and with [`off`](Self::off).
    pub fn stream(&self, event: &str) -> EventStream {
        self.stream_with_capacity(event, stream::CAPACITY)
    }

    /// As [`stream`](Self::stream), with room for so many events.
    pub fn stream_with_capacity(&self, event: &str, capacity: usize) -> EventStream {
        stream::events(capacity, |feeder| {
            self.on(event, move |event| feeder.feed(event.clone()))
        })
    }

    /// Calls `handler` for every event, before the event's own handlers.
    pub fn on_any(&self, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        self.registry.on_event(Topic::Any, false, handler)
    }

    /// Removes all handlers of one event.
    pub fn off(&self, event: &str) {
        self.registry.off(event);
    }

    /// Removes all handlers of every event.
    pub fn off_any(&self) {
        self.registry.off_any();
    }

    /// Calls `handler` for each change of state, in its place among the events: behind those that came before it, and so
    /// behind slow handlers. [`states`](Self::states) and [`state`](Self::state) do not wait for handlers.
    pub fn on_state(&self, handler: impl FnMut(&StateChange) + Spawned) -> Subscription {
        self.registry.on_state(handler)
    }

    /// Calls `handler` for each [`Notice`]: overflow of the queue, repeated failure, handlers that panic.
    pub fn on_notice(&self, handler: impl FnMut(&Notice) + Spawned) -> Subscription {
        self.registry.on_notice(handler)
    }
}
