//! What a chat app calls.

use std::fmt;

#[cfg(feature = "typed")]
use super::listen::{ChatEvent, listen};
use super::time::iso8601;
use crate::builder::{self, Buildable, Builder};
use crate::client::Client;
use crate::core::scan::{self, ObjectWriter};
use crate::core::{Core, Emission, EmitOptions, Now, Target, room_lane};
use crate::error::Error;
use crate::event::Event;
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::registry::Subscription;
use crate::socket::Socket;
use crate::state::{Hint, State};
#[cfg(feature = "typed")]
use crate::stream::Events;
use crate::sys::Spawned;

/// A chat client: private and group messages, rooms, typing, presence, notifications, games.
///
/// Messages are reliable: each carries a message id and is acknowledged, and is sent again after a lost link, wherever
/// the server says in its greeting that it acknowledges and removes duplicates. Against other servers they are sent at
/// most once. While offline they wait in the queue; typing does not.
///
/// Clones are handles to the same client.
#[derive(Clone)]
pub struct RealtimeClient {
    client: Client,
    socket: Socket,
}

/// A room to create.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NewRoom {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Whether it is hidden from those who are not in it.
    pub is_private: bool,
    /// What has to be known to join it. Kept in memory, to join again after a reconnect; never stored.
    pub password: Option<String>,
}

impl fmt::Debug for NewRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the password: it is not for logs.
        f.debug_struct("NewRoom")
            .field("name", &self.name)
            .field("is_private", &self.is_private)
            .finish_non_exhaustive()
    }
}

impl builder::private::Sealed for RealtimeClient {}
impl Buildable for RealtimeClient {
    const CHAT: bool = true;

    fn from_client(client: Client, namespace: &str) -> Self {
        let socket = client.socket(namespace);
        Self { client, socket }
    }
}

impl RealtimeClient {
    /// Starts to configure a chat client for `url`: `http`, `https`, `ws` or `wss`, a host, and a port where it is not
    /// the scheme's own.
    pub fn builder(url: impl Into<String>) -> Builder<Self> {
        Builder::new(url.into())
    }

    /// Connects, and stays connected until [`disconnect`](Self::disconnect).
    pub fn connect(&self) {
        self.socket.connect();
    }

    /// Disconnects. What waits in the queue stays for the next `connect`.
    pub fn disconnect(&self) {
        self.socket.disconnect();
    }

    /// Has another token from now on, as [`Client::set_token`] does.
    pub fn set_token(&self, token: &str) {
        self.client.set_token(token);
    }

    /// Has other credentials from now on, as [`Client::set_auth_json`] does.
    ///
    /// # Errors
    /// [`Error::InvalidOption`](crate::Error::InvalidOption) where it is no JSON object; nothing has changed then.
    pub fn set_auth_json(&self, json: impl Into<String>) -> Result<(), Error> {
        self.client.set_auth_json(json)
    }

    /// Tells what the platform knows about the network and the app.
    pub fn hint(&self, hint: Hint) {
        self.client.hint(hint);
    }

    /// Disconnects and keeps nothing of the user who was signed in; see [`Client::forget`].
    pub fn forget(&self) {
        self.client.forget();
    }

    /// Ends the client for good.
    pub fn close(&self) {
        self.client.close();
    }

    /// Where the connection stands now.
    pub fn state(&self) -> State {
        self.socket.state()
    }

    /// The client underneath, for sockets of other namespaces over the same link.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The socket underneath: state, notices, pending messages, and events that the chat layer does not know.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Calls `handler` for each event of its type, until the subscription is dropped.
    ///
    /// ```no_run
    /// # fn show(chat: &rejoin::RealtimeClient) {
    /// use rejoin::{PrivateMessage, StateChange};
    /// let messages = chat.on(|m: &PrivateMessage| println!("{}: {}", m.sender.username, m.content));
    /// let states = chat.on(|change: &StateChange| println!("{}", change.state.name()));
    /// # }
    /// ```
    ///
    /// An event whose payload does not fit the type is told as [`Notice::Error`](crate::Notice::Error).
    #[cfg(feature = "typed")]
    pub fn on<E: ChatEvent>(&self, mut handler: impl FnMut(&E) + Spawned) -> Subscription {
        listen(&self.socket, false, move |event: E| handler(&event))
    }

    /// Calls `handler` for the next event of its type only.
    #[cfg(feature = "typed")]
    pub fn once<E: ChatEvent>(&self, mut handler: impl FnMut(&E) + Spawned) -> Subscription {
        listen(&self.socket, true, move |event: E| handler(&event))
    }

    /// The events of a type from now on, as a stream of at most 256 that wait, with [`Lagged`](crate::Lagged) in the place
    /// of those that a slow reader missed. It ends when the client is closed.
    ///
    /// ```no_run
    /// # async fn read(chat: &rejoin::RealtimeClient) {
    /// use futures::StreamExt;
    /// use rejoin::PrivateMessage;
    /// let mut messages = chat.stream::<PrivateMessage>();
    /// while let Some(message) = messages.next().await {
    ///     match message {
    ///         Ok(message) => println!("{}: {}", message.sender.username, message.content),
    ///         Err(lagged) => println!("{lagged}"),
    ///     }
    /// }
    /// # }
    /// ```
    #[cfg(feature = "typed")]
    pub fn stream<E: ChatEvent>(&self) -> Events<E> {
        self.stream_with_capacity(crate::stream::CAPACITY)
    }

    /// As [`stream`](Self::stream), with room for so many events.
    #[cfg(feature = "typed")]
    pub fn stream_with_capacity<E: ChatEvent>(&self, capacity: usize) -> Events<E> {
        crate::stream::events(capacity, |feeder| {
            listen(&self.socket, false, move |event| feeder.feed(event))
        })
    }

    /// Calls `handler` for each event of a name, until the subscription is dropped.
    ///
    /// Events of the chat protocol have two names, the wire's and the one in camelCase: `private_message` is
    /// `privateMessage`. The client's own are `connectionStatusChange`, `connectionFailed` and `reconnected`. Any other name is
    /// the server's.
    pub fn on_name(&self, name: &str, mut handler: impl FnMut(&Event) + Spawned) -> Subscription {
        let state = name == "connectionStatusChange";
        let notice = ["connectionFailed", "reconnected"].into_iter().find(|own| *own == name);
        if !state && notice.is_none() {
            return self.socket.on(super::wire_name(name), handler);
        }
        let own = self.socket.own.clone();
        let mut tell = move |name: &'static str, json: String| {
            let mut event = Event::blank(own.clone());
            event.fill(name.into(), Payload::new(json.into(), Vec::new()), None);
            handler(&event);
        };
        match notice {
            None => self
                .socket
                .on_state(move |change| tell("connectionStatusChange", change.to_json())),
            Some(name) => self.socket.on_notice(move |notice| {
                if notice.name() == name {
                    tell(name, notice.to_json());
                }
            }),
        }
    }

    /// Calls `handler` for every event from the server, also those that the chat layer does not know.
    pub fn on_any(&self, handler: impl FnMut(&Event) + Spawned) -> Subscription {
        self.socket.on_any(handler)
    }

    /// Removes all handlers of an event from the server, by either of its names.
    pub fn off(&self, name: &str) {
        self.socket.off(super::wire_name(name));
    }

    /// Sends a message to a user.
    pub fn send_private_message(&self, recipient_id: &str, content: &str) -> Receipt {
        self.send_message("private_message", "recipientId", &Target::user(recipient_id), content)
    }

    /// Sends a message to a room. If the room is still being joined, it waits for that.
    pub fn send_group_message(&self, room_id: &str, content: &str) -> Receipt {
        self.send_message("group_message", "roomId", &Target::room(room_id), content)
    }

    fn send_message(&self, event: &str, key: &str, target: &Target, content: &str) -> Receipt {
        let (id, lane) = match target {
            Target::User(id) => (id, ["user:", id].concat()),
            Target::Room(id) => (id, room_lane(id)),
        };
        if id.is_empty() {
            return self.socket.send(Err(Error::payload([key, " is empty"].concat())));
        }
        let receipt = self.input(|core, now, socket| {
            let object = object(|object| {
                object.string(key, id);
                object.string("content", content);
                object.string("timestamp", &iso8601(now.unix_ms));
            });
            // What was typed is what is being sent.
            core.stop_typing(now, socket, target);
            core.emit(
                now,
                socket,
                Emission::of_object(event, &object, EmitOptions::new().reliable().lane(lane)),
            )
        });
        self.socket.steered(receipt)
    }

    /// Tells a user or a room that the user types. Call it at each keystroke: it is sent at most every 2 s, and
    /// `typing_stop` follows by itself 3 s after the last call. Nothing is sent while offline.
    pub fn start_typing(&self, target: Target) {
        self.input(|core, now, socket| core.start_typing(now, socket, target));
    }

    /// Tells that the user stopped typing. Sending a message to the target does so too.
    pub fn stop_typing(&self, target: Target) {
        self.input(|core, now, socket| core.stop_typing(now, socket, &target));
    }

    /// Joins a room, now and after every reconnect until it is left. While offline it is joined on connect; the receipt
    /// then ends when the server has answered.
    pub fn join_room(&self, room_id: &str) -> Receipt {
        if let Some(error) = missing(&[("roomId", room_id)]) {
            return self.socket.send(Err(error));
        }
        let receipt = self.input(|core, now, socket| core.join_room(now, socket, room_id, None));
        self.socket.steered(receipt)
    }

    /// Joins a room that has a password. It is kept in memory, to join again after a reconnect, and never stored.
    pub fn join_room_with_password(&self, room_id: &str, password: &str) -> Receipt {
        if let Some(error) = missing(&[("roomId", room_id)]) {
            return self.socket.send(Err(error));
        }
        let receipt = self.input(|core, now, socket| core.join_room(now, socket, room_id, Some(password.to_owned())));
        self.socket.steered(receipt)
    }

    /// Leaves a room and does not join it again.
    pub fn leave_room(&self, room_id: &str) -> Receipt {
        if let Some(error) = missing(&[("roomId", room_id)]) {
            return self.socket.send(Err(error));
        }
        let receipt = self.input(|core, now, socket| core.leave_room(now, socket, room_id));
        self.socket.steered(receipt)
    }

    /// Creates a room. Its creator is in it; the reply `{ok, id}` names it.
    pub fn create_room(&self, room: NewRoom) -> Receipt {
        if let Some(error) = missing(&[("name", &room.name)]) {
            return self.socket.send(Err(error));
        }
        let object = object(|object| {
            object.string("name", &room.name);
            if let Some(description) = &room.description {
                object.string("description", description);
            }
            if room.is_private {
                object.bool("isPrivate", true);
            }
            if let Some(password) = &room.password {
                object.string("password", password);
            }
        });
        let emission = Emission::of_object("create_room", &object, EmitOptions::new().reliable());
        let receipt = self.input(|core, now, socket| core.create_room(now, socket, emission, room.password));
        self.socket.steered(receipt)
    }

    /// Invites a user to a game. The reply's `id` is the game's, for [`send_game_move`](Self::send_game_move).
    pub fn invite_to_game(&self, user_id: &str, game_type: &str) -> Receipt {
        let lane = ["user:", user_id].concat();
        self.send_object(
            "game_invite",
            &[("recipientId", user_id), ("gameType", game_type)],
            lane,
            |object| {
                object.string("recipientId", user_id);
                object.string("gameType", game_type);
            },
        )
    }

    /// Makes a move in a game: anything that serialises.
    #[cfg(feature = "typed")]
    pub fn send_game_move(&self, game_id: &str, game_move: impl serde::Serialize) -> Receipt {
        match serde_json::to_string(&game_move) {
            Ok(json) => self.send_game_move_json(game_id, &json),
            Err(error) => self.socket.send(Err(Error::payload(error.to_string()))),
        }
    }

    /// Makes a move in a game; it is JSON text already.
    pub fn send_game_move_json(&self, game_id: &str, json: &str) -> Receipt {
        if scan::validate(json, scan::MAX_DEPTH).is_err() {
            return self.socket.send(Err(Error::payload("the move is not JSON")));
        }
        let lane = ["game:", game_id].concat();
        self.send_object("game_move", &[("gameId", game_id)], lane, |object| {
            object.string("gameId", game_id);
            object.raw("move", json);
        })
    }

    /// Tells the server that the user has read these notifications.
    pub fn mark_notifications_read<S: AsRef<str>>(&self, notification_ids: impl IntoIterator<Item = S>) -> Receipt {
        let mut ids = Vec::with_capacity(48);
        for id in notification_ids {
            ids.push(if ids.is_empty() { b'[' } else { b',' });
            scan::write_string(&mut ids, id.as_ref());
        }
        if ids.is_empty() {
            return self.socket.send(Err(Error::payload("it names no notification")));
        }
        ids.push(b']');
        let ids = String::from_utf8(ids).unwrap_or_default();
        self.send_object("mark_notifications_read", &[], "notifications".to_owned(), |object| {
            object.raw("notificationIds", &ids);
        })
    }

    /// Sends one reliable object; `needed` must not be empty.
    fn send_object(
        &self,
        event: &str,
        needed: &[(&'static str, &str)],
        lane: String,
        write: impl FnOnce(&mut ObjectWriter<'_, Vec<u8>>),
    ) -> Receipt {
        if let Some(error) = missing(needed) {
            return self.socket.send(Err(error));
        }
        let options = EmitOptions::new().reliable().lane(lane);
        self.socket
            .send(Ok(Emission::of_object(event, &object(write), options)))
    }

    fn input<R>(&self, input: impl FnOnce(&mut Core, Now, crate::core::SocketId) -> R) -> R {
        self.socket.input(|core, now| input(core, now, self.socket.id))
    }
}

/// What is wrong with fields that must not be empty.
fn missing(needed: &[(&'static str, &str)]) -> Option<Error> {
    let (name, _) = needed.iter().find(|(_, value)| value.is_empty())?;
    Some(Error::payload([name, " is empty"].concat()))
}

fn object(write: impl FnOnce(&mut ObjectWriter<'_, Vec<u8>>)) -> Vec<u8> {
    let mut json = Vec::with_capacity(160);
    let mut object = ObjectWriter::new(&mut json);
    write(&mut object);
    object.end();
    json
}

impl fmt::Debug for RealtimeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealtimeClient").finish_non_exhaustive()
    }
}
