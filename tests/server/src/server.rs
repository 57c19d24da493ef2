//! A running server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use axum::serve::ListenerExt;
use futures::future::join;
use socketioxide::SocketIo;
use socketioxide::handler::ConnectHandler;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::auth::User;
use crate::chat::{self, Closing, Hub};
use crate::config::{Database, ServerConfig};
use crate::http;
use crate::stats::Stats;
use crate::store::Notification;

/// A running server: it stops when this is dropped, or in good order with
/// [`shutdown`](Self::shutdown).
///
/// It has a runtime of its own. Whatever it does ends with that runtime, connections that hang
/// included, so one process can start and end many of them and nothing stays behind.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    hub: Arc<Hub>,
    io: SocketIo,
    workers: Workers,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It could not listen on the address, or start its threads.
    #[error("cannot listen on {bind}: {source}")]
    Listen {
        /// The address that was asked for.
        bind: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The database could not be opened, or written to.
    #[error("the database {database:?} failed: {message}")]
    Database {
        /// The database that was asked for.
        database: Database,
        /// What SQLite says.
        message: String,
    },
    /// Tokens for anyone who asks were wanted on an address that others can reach.
    #[error("tokens for development are minted on a loopback address only, not on {0}")]
    DevTokensOffLoopback(SocketAddr),
}

/// How long an orderly end may take, for what is still to be sent and for what still runs.
const GRACE: Duration = Duration::from_secs(1);

/// How long a client that polls is given to ask for what it was told last.
const LAST_POLL: Duration = Duration::from_millis(250);

impl Server {
    /// Starts a server and returns once it listens.
    ///
    /// # Errors
    ///
    /// When the address is taken, the database cannot be opened, or `dev_tokens` is wanted off
    /// loopback.
    pub async fn start(config: ServerConfig) -> Result<Self, ServerError> {
        let bind = config.bind;
        if config.dev_tokens && !bind.ip().is_loopback() {
            return Err(ServerError::DevTokensOffLoopback(bind));
        }
        let cannot_listen = |source| ServerError::Listen { bind, source };
        let workers = Workers::start().map_err(cannot_listen)?;
        let running = workers.spawn(open(config)).await;
        let (addr, hub, io) = running.map_err(|error| cannot_listen(error.into()))??;
        Ok(Self { addr, hub, io, workers })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address that clients are given, e.g. `http://127.0.0.1:3000`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A token for this user, good for `ttl` in whole seconds. With less than a second it has
    /// expired already.
    #[must_use]
    pub fn mint_token(&self, user_id: &str, username: &str, ttl: Duration) -> String {
        let user = User {
            id: user_id.to_owned(),
            username: username.to_owned(),
        };
        self.hub.tokens.mint(user, ttl)
    }

    /// Sends a user a notification, which is kept until it is marked read; its id.
    ///
    /// # Errors
    ///
    /// When the database does not take it.
    pub async fn notify(&self, user_id: &str, title: &str, message: &str) -> Result<String, ServerError> {
        let (hub, user) = (self.hub.clone(), user_id.to_owned());
        let notification = Notification::new(title, message);
        let id = notification.id.clone();
        let notified = self.workers.spawn(async move {
            let mut store = hub.store.lock().await;
            chat::notify(&hub, &mut store, &user, &notification).await
        });
        let failed = |message| ServerError::Database {
            database: self.hub.config.database.clone(),
            message,
        };
        match notified.await {
            Ok(Ok(())) => Ok(id),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Lets a user connect no more, until this server ends, and closes every connection of theirs
    /// (`banned`).
    pub async fn ban(&self, user_id: &str) {
        let (hub, user) = (self.hub.clone(), user_id.to_owned());
        let _ = self.workers.spawn(async move { hub.ban(&user).await }).await;
    }

    /// Closes every connection of a user that was greeted; nothing keeps them from coming back.
    pub async fn close_user(&self, user_id: &str, why: Closing) {
        let (hub, user) = (self.hub.clone(), user_id.to_owned());
        let closed = self.workers.spawn(async move { hub.close_user(&user, why).await });
        let _ = closed.await;
    }

    /// What it has seen so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.hub.stats()
    }

    /// Ends it in good order: every client is told (`closing` with code `shutdown`) and
    /// disconnected. On return the port is free again.
    pub async fn shutdown(mut self) {
        let (hub, io) = (self.hub.clone(), self.io.clone());
        hub.ending.store(true, Ordering::Release);
        let farewell = async move {
            let turn = hub.store.lock().await;
            let sessions = hub.presence.all();
            for session in &sessions {
                session.shut_down(&hub);
            }
            drop(turn);
            if sessions.iter().any(|session| session.is_polling()) {
                sleep(LAST_POLL).await;
            }
            // A client that does not read cannot hold this up.
            let ended = join(io.close(), hub.presence.emptied());
            let _ = timeout(GRACE, ended).await;
        };
        let _ = self.workers.spawn(farewell).await;
        if let Some(runtime) = self.workers.0.take() {
            let _ = spawn_blocking(move || runtime.shutdown_timeout(GRACE)).await;
        }
    }
}

/// Opens everything, on the runtime that will run it.
async fn open(config: ServerConfig) -> Result<(SocketAddr, Arc<Hub>, SocketIo), ServerError> {
    let (bind, database) = (config.bind, config.database.clone());
    let cannot_listen = |source| ServerError::Listen { bind, source };
    let listener = TcpListener::bind(bind).await.map_err(cannot_listen)?;
    let addr = listener.local_addr().map_err(cannot_listen)?;
    let hub = Hub::open(config).await.map_err(|error| {
        let message = error.to_string();
        ServerError::Database { database, message }
    })?;
    let hub = Arc::new(hub);
    let max_payload = usize::try_from(hub.config.max_payload).unwrap_or(usize::MAX);
    let (layer, io) = SocketIo::builder()
        .ping_interval(hub.config.ping_interval)
        .ping_timeout(hub.config.ping_timeout)
        .max_payload(hub.config.max_payload)
        .ws_max_message_size(max_payload)
        .ws_max_frame_size(max_payload)
        .max_buffer_size(hub.max_waiting())
        // A connection's receipts are waited for as long as it lives.
        .ack_timeout(Duration::MAX)
        .with_state(hub.clone())
        .build_layer();
    io.ns("/", chat::run.with(chat::authenticate));
    let doors = from_fn_with_state(hub.clone(), http::let_in);
    let pages = http::pages(hub.clone()).layer(layer).layer(doors);
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    tokio::spawn(async move { axum::serve(listener, pages).await });
    Ok((addr, hub, io))
}

/// The server's threads. Dropping a runtime waits for it, which async code must not; this does not
/// wait.
#[derive(Debug)]
struct Workers(Option<Runtime>);

impl Workers {
    fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(2).thread_name("rejoin-server");
        builder.enable_all().build().map(Some).map(Self)
    }

    async fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        match &self.0 {
            Some(runtime) => runtime.spawn(work).await,
            None => unreachable!("only `shutdown` and `drop` take the runtime"),
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
