//! A chat client: what it is made of, and its connection.

use std::fmt;

use crate::builder::{self, Buildable, Builder};
use crate::client::Client;
use crate::core::{Core, Now};
use crate::socket::Socket;
use crate::state::{Hint, State};

/// A chat client: private and group messages, rooms, typing, games, notifications.
///
/// Messages are reliable: each carries a message id and is acknowledged, and is sent again after a lost link, wherever
/// the server says in its greeting that it acknowledges and removes duplicates. Against other servers they are sent at
/// most once. While offline they wait in the queue; typing does not.
///
/// A message that no server would take, such as one to an empty id, is not sent: it ends
/// [`Rejected`](crate::Outcome::Rejected) with [`Error::InvalidPayload`](crate::Error::InvalidPayload), at once.
///
/// Clones are handles to the same client.
#[derive(Clone)]
pub struct RealtimeClient {
    client: Client,
    pub(super) socket: Socket,
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

    pub(super) fn input<R>(&self, input: impl FnOnce(&mut Core, Now, crate::core::SocketId) -> R) -> R {
        self.socket.input(|core, now| input(core, now, self.socket.id))
    }
}

impl fmt::Debug for RealtimeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealtimeClient").finish_non_exhaustive()
    }
}
