//! A client: one server, one link, any number of sockets.

use std::fmt;
use std::sync::Arc;

use crate::builder::Builder;
use crate::core::NamespaceConfig;
use crate::registry::Registry;
use crate::shared::{AuthProvider, Shared, SocketParts, SocketRef};
use crate::socket::Socket;
use crate::state::Hint;
use crate::store::Record;

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
    pub(crate) namespace: NamespaceConfig,
    pub(crate) auth: Option<Arc<dyn AuthProvider>>,
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
        let name = if namespace.starts_with('/') {
            namespace.to_owned()
        } else {
            ["/", namespace].concat()
        };
        let mut inner = self.handle.shared.lock();
        if let Some(id) = inner.core.socket_named(&name) {
            let parts = inner.sockets[id.index()].clone();
            return self.socket_of(id, parts);
        }
        let id = inner.core.add_socket(NamespaceConfig {
            name: name.clone(),
            ..self.template.namespace.clone()
        });
        let parts = SocketParts {
            namespace: name.into(),
            registry: Arc::new(Registry::default()),
            auth: self.template.auth.clone(),
        };
        inner.sockets.push(parts.clone());
        self.socket_of(id, parts)
    }

    fn socket_of(&self, id: crate::core::SocketId, parts: SocketParts) -> Socket {
        Socket {
            handle: Arc::clone(&self.handle),
            id,
            namespace: parts.namespace,
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

    /// Ends the client for good: every message gets its outcome, handlers are removed, handles answer `Closed`.
    pub fn close(&self) {
        self.handle.shared.close();
    }

    /// Takes up what a store kept, before anything else is sent.
    pub(crate) fn restore(&self, records: Vec<Record>) {
        for record in &records {
            self.socket(&record.namespace);
        }
        self.handle.shared.input(|core, now| core.restore(now, records));
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
