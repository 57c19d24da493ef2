//! Events by name, and by type.

use super::{RealtimeClient, wire_name};
use crate::event::Event;
use crate::own::{self, Own};
use crate::registry::{Subscription, Topic};
use crate::sys::Spawned;

#[cfg(feature = "typed")]
use super::ChatEvent;
#[cfg(feature = "typed")]
use crate::stream::{self, Events};

#[cfg(feature = "typed")]
impl RealtimeClient {
    /// Calls `handler` for each event of its type, until the subscription is dropped.
    ///
    /// ```no_run
    /// # fn show(chat: &rejoin::RealtimeClient) {
    /// use rejoin::{PrivateMessage, Reconnected};
    ///
    /// let messages = chat.on(|m: &PrivateMessage| println!("{}: {}", m.sender.username, m.content));
    /// let returns = chat.on(|_: &Reconnected| println!("connected again"));
    /// # }
    /// ```
    ///
    /// An event whose payload does not fit the type is told once, with the field, as
    /// [`Notice::HandlerError`](crate::Notice::HandlerError); handlers by name hear it all the same.
    pub fn on<E: ChatEvent>(&self, mut handler: impl FnMut(&E) + Spawned) -> Subscription {
        E::subscribe(&self.socket, false, move |event| handler(&event))
    }

    /// Calls `handler` for the next event of its type only. One that does not fit the type does not count.
    pub fn once<E: ChatEvent>(&self, mut handler: impl FnMut(&E) + Spawned) -> Subscription {
        E::subscribe(&self.socket, true, move |event| handler(&event))
    }

    /// Events of a type as a stream, up to 256 of which wait for the reader; see [`Events`].
    ///
    /// ```no_run
    /// # async fn show(chat: rejoin::RealtimeClient) {
    /// use futures::StreamExt;
    /// use rejoin::{Lagged, PrivateMessage};
    ///
    /// let mut messages = chat.stream::<PrivateMessage>();
    /// while let Some(item) = messages.next().await {
    ///     match item {
    ///         Ok(message) => println!("{}: {}", message.sender.username, message.content),
    ///         Err(Lagged(missed)) => println!("{missed} messages were missed"),
    ///     }
    /// }
    /// // The client was closed.
    /// # }
    /// ```
    pub fn stream<E: ChatEvent>(&self) -> Events<E> {
        self.stream_with_capacity(stream::CAPACITY)
    }

    /// As [`stream`](Self::stream), with up to `capacity` events waiting, at least one.
    pub fn stream_with_capacity<E: ChatEvent>(&self, capacity: usize) -> Events<E> {
        stream::events(capacity, |feeder| {
            E::subscribe(&self.socket, false, move |event| feeder.feed(event))
        })
    }
}

impl RealtimeClient {
    /// Calls `handler` for each event of this name, until the subscription is dropped.
    ///
    /// The name is the wire's or that of the other platforms: `private_message` or `privateMessage`. Events that the chat
    /// layer does not know come by the name that they have on the wire. The client's own events come by theirs, with one
    /// JSON object as their argument: `connectionStatusChange`, `connectionFailed`, `reconnected`.
    ///
    /// ```no_run
    /// # fn show(chat: &rejoin::RealtimeClient) {
    /// let moves = chat.on_name("gameMove", |event| println!("{}", event.payload().raw(0).unwrap_or_default()));
    /// # }
    /// ```
    pub fn on_name(&self, name: &str, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        self.listen(name, false, handler)
    }

    /// Calls `handler` for the next event of this name only; see [`on_name`](Self::on_name).
    pub fn once_name(&self, name: &str, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        self.listen(name, true, handler)
    }

    /// Calls `handler` for every event from the server, known to the chat layer or not, before the event's own handlers.
    pub fn on_any(&self, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        self.socket.on_any(handler)
    }

    /// Removes all handlers of one event, those by its type too, and ends its streams. The name is one of
    /// [`on_name`](Self::on_name)'s.
    pub fn off(&self, name: &str) {
        self.socket.off(wire_name(name));
        self.socket.registry.off_own(name);
    }

    fn listen(&self, name: &str, once: bool, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        let registry = &self.socket.registry;
        let Some(own) = own::named(name) else {
            let topic = Topic::Event(wire_name(name).into());
            return registry.on_event(topic, once, handler);
        };
        let (socket, mut handler) = (self.socket.own.clone(), handler);
        registry.on_own(own, once, move |event: &Own| {
            handler(&Event::of_own(socket.clone(), own, event));
        })
    }
}
