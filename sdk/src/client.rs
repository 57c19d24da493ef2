//! A client: one server, one link, any number of sockets.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::builder::Builder;
use crate::core::NamespaceConfig;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::registry::Registry;
use crate::shared::{Shared, SocketParts, SocketRef};
use crate::socket::Socket;
use crate::socket_options::SocketOptions;
use crate::state::Hint;
use crate::store::Contents;

/// A client of one server. Clones are handles to the same client.
///
/// Its sockets share one link. The client ends when its last handle, [`Client`] or [`Socket`], is dropped, or with
/// [`close`](Self::close); a handler that holds a handle keeps it alive until then.
#[derive(Clone)]
pub struct Client {
    pub(crate) handle: Arc<Handle>,
    /// What its sockets are made with.
    pub(crate) template: Arc<Template>,
}

/// What every socket of a client starts from.
pub(crate) struct Template {
    namespace: NamespaceConfig,
    credentials: Mutex<Credentials>,
}

impl Template {
    pub(crate) fn new(namespace: NamespaceConfig, credentials: Credentials) -> Self {
        Self {
            namespace,
            credentials: Mutex::new(credentials),
        }
    }

    fn credentials(&self) -> MutexGuard<'_, Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim on the client's life.
pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Client {
    /// Starts to configure a client for `url`: `http`, `https`, `ws` or `wss`, a host, and a port where it is not the
    /// scheme's own.
    pub fn builder(url: impl Into<String>) -> Builder<Self> {
        Builder::new(url.into())
    }

    /// The socket of a namespace, made at the first call: `/` or `/name`, the slash may be left out.
    ///
    /// It is not connected yet. Its credentials and queue are as the builder says. A name with a comma cannot be written
    /// in Socket.IO: such a socket ends `Failed` when it is connected.
    pub fn socket(&self, namespace: &str) -> Socket {
        self.socket_made(namespace, self.template.namespace.clone(), &None)
    }

    /// The socket of a namespace with settings of its own. The first call for a namespace decides: where there is a socket
    /// already, that one comes back as it is.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] with the option's name.
    pub fn socket_with(&self, namespace: &str, options: SocketOptions) -> Result<Socket, Error> {
        let mut config = self.template.namespace.clone();
        let own = options.apply(&mut config)?;
        Ok(self.socket_made(namespace, config, &own))
    }

    fn socket_made(&self, namespace: &str, mut config: NamespaceConfig, own: &Option<Credentials>) -> Socket {
        config.name = if namespace.starts_with('/') {
            namespace.to_owned()
        } else {
            ["/", namespace].concat()
        };
        let mut inner = self.handle.shared.lock();
        if let Some(id) = inner.core.socket_named(&config.name) {
            let parts = inner.sockets[id.index()].clone();
            return self.socket_of(id, parts);
        }
        // Looked at under the core's lock, so that credentials which change meanwhile reach this socket too.
        let Credentials { source, provider } = own.clone().unwrap_or_else(|| self.template.credentials().clone());
        let parts = SocketParts {
            namespace: config.name.as_str().into(),
            registry: Arc::new(Registry::default()),
            provider,
            own_credentials: own.is_some(),
        };
        config.auth = source;
        let id = inner.core.add_socket(config);
        inner.sockets.push(parts.clone());
        self.socket_of(id, parts)
    }

    /// Has another token from now on, instead of the value or provider that it had.
    ///
    /// A socket that is connected leaves its namespace and joins it again over the same link: it goes through
    /// [`Connecting`](crate::State::Connecting) to [`Connected`](crate::State::Connected), and what is queued stays. One
    /// that the server refused connects again. Others use it when they connect next. It is for all sockets of this client,
    /// also those made later, but for those with credentials of their own. Messages that were accepted before any greeting
    /// are of the user whom the next one names.
    pub fn set_token(&self, token: &str) {
        self.set_credentials(&Credentials::token(token));
    }

    /// Has other credentials from now on, given as the text of a JSON object, as [`set_token`](Self::set_token) does.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] where it is no JSON object; nothing has changed then.
    pub fn set_auth_json(&self, json: impl Into<String>) -> Result<(), Error> {
        self.set_credentials(&Credentials::json(json.into())?);
        Ok(())
    }

    fn set_credentials(&self, credentials: &Credentials) {
        let replaced = std::mem::replace(&mut *self.template.credentials(), credentials.clone());
        let parts = self.handle.shared.lock().sockets.clone();
        for (id, parts) in (0..).map(crate::core::SocketId).zip(parts) {
            if !parts.own_credentials {
                self.handle.shared.set_credentials(id, credentials.clone(), false);
            }
        }
        // The app's code may be in it, and may call the client when it is dropped.
        drop(replaced);
    }

    fn socket_of(&self, id: crate::core::SocketId, parts: SocketParts) -> Socket {
        Socket {
            handle: Arc::clone(&self.handle),
            id,
            namespace: parts.namespace,
            #[cfg(feature = "handlers")]
            registry: parts.registry,
            own: SocketRef {
                shared: Arc::downgrade(&self.handle.shared),
                socket: id,
            },
        }
    }

    /// Connects every socket made so far; the default namespace's, if there is none.
    pub fn connect(&self) {
        let mut sockets = self.sockets();
        if sockets.is_empty() {
            sockets.push(self.socket("/"));
        }
        for socket in sockets {
            socket.connect();
        }
    }

    /// Disconnects every socket. `connect` works again.
    pub fn disconnect(&self) {
        for socket in self.sockets() {
            socket.disconnect();
        }
    }

    /// Tells what the platform knows about the network and the app. The packages for web, Swift and Kotlin do so by
    /// themselves.
    pub fn hint(&self, hint: Hint) {
        self.handle.shared.input(|core, now| core.hint(now, hint));
    }

    /// Disconnects and keeps nothing of the user who was signed in: what waits ends `Cancelled`, what was written and not
    /// answered `Unconfirmed`, rooms are not joined again, and a store is emptied. `connect` works again, for the next user.
    pub fn forget(&self) {
        self.handle.shared.input(|core, now| core.forget(now));
    }

    /// Ends the client for good: every message gets its outcome, handlers and providers of credentials are dropped, handles
    /// answer `Closed`. What a store holds stays there, for the next client.
    ///
    /// It returns at once. A stream of [`states`](Socket::states) ends when all is done, also in the store: a program that
    /// waits for that before it ends leaves nothing in the store that was answered.
    pub fn close(&self) {
        self.handle.shared.close();
        let credentials = std::mem::take(&mut *self.template.credentials());
        drop(credentials);
    }

    /// Takes up what a store kept, before anything else is sent.
    pub(crate) fn restore(&self, contents: Contents) {
        self.handle.shared.input(|core, now| core.restore(now, contents));
    }

    fn sockets(&self) -> Vec<Socket> {
        let parts = self.handle.shared.lock().sockets.clone();
        let ids = (0..).map(crate::core::SocketId);
        ids.zip(parts).map(|(id, parts)| self.socket_of(id, parts)).collect()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
