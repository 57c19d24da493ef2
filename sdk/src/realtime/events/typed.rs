//! How a handler for a type hears its event.

use std::sync::{Arc, Weak};

use serde::de::DeserializeOwned;

use crate::event::Event;
use crate::own::{self, Own};
use crate::registry::{Handle, Registry, Subscription, Topic};
use crate::socket::Socket;
use crate::state::{Notice, StateChange};
use crate::sys::Spawned;

use super::{ConnectionFailed, Reconnected};

/// An event that handlers hear by its type: [`RealtimeClient::on`](crate::RealtimeClient::on),
/// [`once`](crate::RealtimeClient::once) and [`stream`](crate::RealtimeClient::stream).
///
/// It is what every [`WireEvent`] is, and the client's own [`StateChange`], [`ConnectionFailed`] and [`Reconnected`]:
///
/// | by type | by name | on the wire |
/// |---|---|---|
/// | [`ConnectionStatus`](crate::ConnectionStatus) | `connectionStatus` | `connection_status` |
/// | [`PrivateMessage`](crate::PrivateMessage) | `privateMessage` | `private_message` |
/// | [`GroupMessage`](crate::GroupMessage) | `groupMessage` | `group_message` |
/// | [`MessageSent`](crate::MessageSent) | `messageSent` | `message_sent` |
/// | [`TypingStart`](crate::TypingStart) | `typingStart` | `typing_start` |
/// | [`TypingStop`](crate::TypingStop) | `typingStop` | `typing_stop` |
/// | [`RoomJoined`](crate::RoomJoined) | `roomJoined` | `room_joined` |
/// | [`RoomJoinFailed`](crate::RoomJoinFailed) | `roomJoinFailed` | `join_room_failed` |
/// | [`UserJoinedRoom`](crate::UserJoinedRoom) | `userJoinedRoom` | `user_joined_room` |
/// | [`UserLeftRoom`](crate::UserLeftRoom) | `userLeftRoom` | `user_left_room` |
/// | [`RoomLeft`](crate::RoomLeft) | `roomLeft` | `room_left` |
/// | [`RoomCreated`](crate::RoomCreated) | `roomCreated` | `room_created` |
/// | [`GameInvite`](crate::GameInvite) | `gameInvite` | `game_invite` |
/// | [`GameMove`](crate::GameMove) | `gameMove` | `game_move` |
/// | [`Notification`](crate::Notification) | `notification` | `notification` |
/// | [`NotificationsMarkedRead`](crate::NotificationsMarkedRead) | `notificationsMarkedRead` | `notifications_marked_read` |
/// | [`FriendStatusChange`](crate::FriendStatusChange) | `friendStatusChange` | `friend_status_change` |
/// | [`RateLimitExceeded`](crate::RateLimitExceeded) | `rateLimitExceeded` | `rate_limit_exceeded` |
/// | [`Warning`](crate::Warning) | `warning` | `warning` |
/// | [`ServerError`](crate::ServerError) | `error` | `error` |
/// | [`Closing`](crate::Closing) | `closing` | `closing` |
/// | [`ConnectionStatusChange`](crate::ConnectionStatusChange) | `connectionStatusChange` | the client's own |
/// | [`ConnectionFailed`] | `connectionFailed` | the client's own |
/// | [`Reconnected`] | `reconnected` | the client's own |
pub trait ChatEvent: Sized + Spawned {
    /// Calls `handler` with each event, or with the next only.
    #[doc(hidden)]
    fn subscribe(socket: &Socket, once: bool, handler: impl FnMut(Self) + Spawned) -> Subscription;
}

/// An event of the server that has a type: that of its first argument.
///
/// An app's own events are heard by type as the chat protocol's are:
///
/// ```no_run
/// # fn show(chat: &rejoin::RealtimeClient) {
/// #[derive(serde::Deserialize)]
/// struct Score { player: String, points: u32 }
///
/// impl rejoin::WireEvent for Score {
///     const NAME: &'static str = "score";
/// }
///
/// let scores = chat.on(|score: &Score| println!("{}: {}", score.player, score.points));
/// # }
/// ```
pub trait WireEvent: DeserializeOwned + Spawned {
    /// The event's name on the wire.
    const NAME: &'static str;
}

impl<E: WireEvent> ChatEvent for E {
    fn subscribe(socket: &Socket, once: bool, handler: impl FnMut(Self) + Spawned) -> Subscription {
        let decoder = Decoder {
            registry: Arc::downgrade(&socket.registry),
            decoded: None,
            handler,
        };
        let topic = Topic::Event(E::NAME.into());
        socket.registry.on_event(topic, once, decoder)
    }
}

/// Calls a handler with what an event says, if it fits the type.
struct Decoder<E, F> {
    registry: Weak<Registry>,
    decoded: Option<E>,
    handler: F,
}

impl<E: WireEvent, F: FnMut(E) + Spawned> Handle<Event> for Decoder<E, F> {
    fn takes(&mut self, event: &Event) -> bool {
        match event.get(0) {
            Ok(decoded) => {
                self.decoded = Some(decoded);
                true
            }
            Err(error) => {
                if let Some(registry) = self.registry.upgrade() {
                    registry.tell_misfit(event.name(), error);
                }
                false
            }
        }
    }

    fn call(&mut self, _: &Event) {
        if let Some(decoded) = self.decoded.take() {
            (self.handler)(decoded);
        }
    }
}

impl ChatEvent for StateChange {
    fn subscribe(socket: &Socket, once: bool, handler: impl FnMut(Self) + Spawned) -> Subscription {
        on_own(socket, own::STATE_CHANGE, once, handler, |event| match event {
            Own::State(change) => Some(change.clone()),
            _ => None,
        })
    }
}

impl ChatEvent for ConnectionFailed {
    fn subscribe(socket: &Socket, once: bool, handler: impl FnMut(Self) + Spawned) -> Subscription {
        on_own(socket, own::CONNECTION_FAILED, once, handler, |event| match event {
            Own::Notice(Notice::ConnectionFailed { attempts, error }) => Some(Self {
                attempts: *attempts,
                error: error.clone(),
            }),
            _ => None,
        })
    }
}

impl ChatEvent for Reconnected {
    fn subscribe(socket: &Socket, once: bool, handler: impl FnMut(Self) + Spawned) -> Subscription {
        on_own(socket, own::RECONNECTED, once, handler, |event| match event {
            Own::Notice(Notice::Reconnected { recovered }) => Some(Self { recovered: *recovered }),
            _ => None,
        })
    }
}

fn on_own<E: 'static>(
    socket: &Socket,
    name: &'static str,
    once: bool,
    mut handler: impl FnMut(E) + Spawned,
    read: fn(&Own) -> Option<E>,
) -> Subscription {
    socket.registry.on_own(name, once, move |event: &Own| {
        if let Some(event) = read(event) {
            handler(event);
        }
    })
}
