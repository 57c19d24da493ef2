//! What a chat app calls.

use std::fmt;

use super::time::iso8601;
use crate::builder::{self, Buildable, Builder};
use crate::client::Client;
use crate::core::scan::ObjectWriter;
use crate::core::{Core, Emission, EmitOptions, Now, Target, room_lane};
use crate::receipt::Receipt;
use crate::socket::Socket;
use crate::state::Hint;

/// A chat client: private and group messages, rooms, typing.
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

    fn from_client(client: Client) -> Self {
        let socket = client.socket("/");
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
    pub fn set_auth_json(&self, json: impl Into<String>) -> Result<(), crate::Error> {
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
    /// use rejoin::PrivateMessage;
    /// let messages = chat.on(|m: &PrivateMessage| println!("{}: {}", m.sender.username, m.content));
    /// # }
    /// ```
    ///
    /// An event whose payload does not fit the type is told as [`Notice::Error`](crate::Notice::Error).
    #[cfg(feature = "typed")]
    pub fn on<E: super::ChatEvent>(&self, mut handler: impl FnMut(&E) + crate::sys::Spawned) -> crate::Subscription {
        let registry = std::sync::Arc::downgrade(&self.socket.registry);
        self.socket.on(E::NAME, move |event| match event.get::<E>(0) {
            Ok(typed) => handler(&typed),
            Err(error) => {
                if let Some(registry) = registry.upgrade() {
                    let error = crate::Error::protocol([E::NAME, ": ", &error.to_string()].concat());
                    registry.dispatch_notice(&crate::Notice::Error(error));
                }
            }
        })
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
        let receipt = self.input(|core, now, socket| core.join_room(now, socket, room_id, None));
        self.socket.steered(receipt)
    }

    /// Joins a room that has a password. It is kept in memory, to join again after a reconnect, and never stored.
    pub fn join_room_with_password(&self, room_id: &str, password: &str) -> Receipt {
        let receipt = self.input(|core, now, socket| core.join_room(now, socket, room_id, Some(password.to_owned())));
        self.socket.steered(receipt)
    }

    /// Leaves a room and does not join it again.
    pub fn leave_room(&self, room_id: &str) -> Receipt {
        let receipt = self.input(|core, now, socket| core.leave_room(now, socket, room_id));
        self.socket.steered(receipt)
    }

    /// Creates a room. Its creator is in it; the reply `{ok, id}` names it.
    pub fn create_room(&self, room: NewRoom) -> Receipt {
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

    fn input<R>(&self, input: impl FnOnce(&mut Core, Now, crate::core::SocketId) -> R) -> R {
        self.socket.input(|core, now| input(core, now, self.socket.id))
    }
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
