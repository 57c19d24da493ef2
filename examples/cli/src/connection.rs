//! What `listen` and `emit` share: whom to connect to, and how changes of state read.

use std::time::Duration;

use clap::{Args, ValueEnum};
use futures::StreamExt;
use rejoin::{Client, Error, Protocol, Socket, State, StateChange, Transport};
use tokio::time::timeout;

/// How long an orderly end may take.
const CLOSING: Duration = Duration::from_secs(3);

/// Whom to connect to.
#[derive(Args)]
pub(crate) struct Connection {
    /// The server's address, e.g. https://chat.example.com or http://127.0.0.1:3000
    url: String,

    /// The namespace
    #[arg(long, value_name = "NAME", default_value = "/")]
    namespace: String,

    /// The path that the server listens on; /socket.io/ where it is not given, and for plain JSON that of the address, or /ws
    #[arg(long)]
    path: Option<String>,

    /// What is spoken with the server
    #[arg(long, value_enum, default_value_t = Language::Socketio)]
    protocol: Language,

    /// A token, sent as {"token": …} when connecting. On a shared machine give it in the environment: others can see
    /// the command line
    #[arg(long, env = "REJOIN_TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// How bytes travel: the first that works, where it is given several times. By default a WebSocket, then polling
    #[arg(long = "transport", value_enum, value_name = "TRANSPORT")]
    transports: Vec<Carrier>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// Socket.IO
    Socketio,
    /// One JSON object per WebSocket message
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum Carrier {
    /// A WebSocket
    Websocket,
    /// HTTP long-polling
    Polling,
}

impl Connection {
    /// A client for it, not connected yet, and the socket of the namespace.
    pub(crate) fn open(&self) -> Result<(Client, Socket), Error> {
        let mut builder = Client::builder(&self.url).protocol(match self.protocol {
            Language::Socketio => Protocol::SocketIo,
            Language::Json => Protocol::Json,
        });
        if !self.transports.is_empty() {
            builder = builder.transports(self.transports.iter().map(|transport| match transport {
                Carrier::Websocket => Transport::WebSocket,
                Carrier::Polling => Transport::Polling,
            }));
        }
        if let Some(path) = &self.path {
            builder = builder.path(path);
        }
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        let client = builder.build()?;
        let socket = client.socket(&self.namespace);
        Ok((client, socket))
    }
}

/// Ends a client in good order: what was sent goes out, and the server is told.
pub(crate) async fn close(client: &Client, socket: &Socket) {
    let states = socket.states();
    client.close();
    // The stream ends with the client. A server that does not take what is left can't hold it up.
    let _ = timeout(CLOSING, states.for_each(|_| async {})).await;
}

/// A change of state, for people.
pub(crate) fn describe(change: &StateChange) -> String {
    let mut text = change.state.name().to_owned();
    match change.state {
        State::Connected => {
            if let Some(transport) = change.transport {
                text += &format!(" over {}", transport.as_str());
            }
            if change.recovered {
                text += ", and nothing was missed";
            }
        }
        State::Waiting { retry_in } => text += &format!(", next attempt in {:.1} s", retry_in.as_secs_f64()),
        _ => {}
    }
    if let Some(reason) = change.reason {
        text += &format!(" ({})", reason.as_str());
    }
    if let Some(error) = &change.error {
        text += &format!(": {error}");
    }
    text
}
