//! A Socket.IO server of a few lines, with frames written by hand, so that a test decides every one.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses a part of it")]

use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt, Stream, StreamExt};
use rejoin::StateChange;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

pub(crate) const OPEN: &str =
    r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
pub(crate) const CONNECT: &str = r#"40{"sid":"s"}"#;

/// No test waits longer than this for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A listener on a free port of this machine.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Accepts one client and brings it to connected.
pub(crate) async fn accept(listener: &TcpListener) -> Peer<tokio::net::TcpStream> {
    let (tcp, _) = within(listener.accept()).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    Peer::connected(tcp).await
}

/// The server's end of one link.
pub(crate) struct Peer<S>(pub WebSocketStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Upgrades, opens the session, waits for CONNECT and answers it.
    pub(crate) async fn connected(stream: S) -> Self {
        let mut peer = Self(within(tokio_tungstenite::accept_async(stream)).await.unwrap());
        peer.say(OPEN).await;
        let connect = peer.hear().await;
        assert!(connect.starts_with("40"), "{connect}");
        peer.say(CONNECT).await;
        peer
    }

    pub(crate) async fn say(&mut self, text: &str) {
        within(self.0.send(Message::text(text))).await.unwrap();
    }

    /// The next text frame.
    pub(crate) async fn hear(&mut self) -> String {
        loop {
            if let Message::Text(text) = within(self.0.next()).await.expect("a frame").expect("a link") {
                return text.to_string();
            }
        }
    }
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it did not happen in time")
}

/// Waits for a state.
pub(crate) async fn until(states: &mut (impl Stream<Item = StateChange> + Unpin), name: &str) -> StateChange {
    within(async {
        loop {
            let change = states.next().await.expect("a change of state");
            if change.state.name() == name {
                return change;
            }
        }
    })
    .await
}

/// Short delays.
pub(crate) fn backoff() -> rejoin::BackoffConfig {
    let mut backoff = rejoin::BackoffConfig::default();
    backoff.initial = Duration::from_millis(5);
    backoff.max = Duration::from_millis(20);
    backoff
}
