//! A client of the WebSocket transport, of a few lines. Every wait has a deadline.

use futures::{SinkExt, StreamExt};
use rejoin_server::Server;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{DEADLINE, connect};

/// A WebSocket under Socket.IO's path.
pub(crate) struct Link(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Link {
    /// Opens one with this query, or returns the status that it is refused with.
    pub(crate) async fn open(server: &Server, query: &str) -> Result<Self, u16> {
        let url = format!("ws://{}/socket.io/?{query}", server.addr());
        match timeout(DEADLINE, connect_async(url)).await.expect("in time") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a session, up to its handshake.
    pub(crate) async fn session(server: &Server) -> Self {
        let link = Self::open(server, "EIO=4&transport=websocket").await;
        let mut link = link.expect("a WebSocket");
        assert!(link.next().await.starts_with('0'));
        link
    }

    /// Opens a session, and CONNECTs to the default namespace, up to the greeting.
    pub(crate) async fn connected(server: &Server) -> Self {
        let mut link = Self::session(server).await;
        link.say(&connect(server)).await;
        link.hears("connection_status").await;
        link
    }

    pub(crate) async fn say(&mut self, packet: &str) {
        self.0.send(Message::text(packet)).await.expect("written");
    }

    pub(crate) async fn say_binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.expect("written");
    }

    /// The next packet but heartbeats, which are answered.
    pub(crate) async fn next(&mut self) -> String {
        self.answered().await.expect("the link is open")
    }

    /// The next packet, whatever it is, or `None` once the server has closed.
    pub(crate) async fn raw(&mut self) -> Option<String> {
        loop {
            let read = timeout(DEADLINE, self.0.next()).await.expect("in time");
            match read {
                Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next packet that has this in it.
    pub(crate) async fn hears(&mut self, part: &str) -> String {
        loop {
            let packet = self.next().await;
            if packet.contains(part) {
                return packet;
            }
        }
    }

    /// The messages that are still to come until the server closes.
    pub(crate) async fn ends(&mut self) -> Vec<String> {
        let mut last = Vec::new();
        while let Some(packet) = self.raw().await {
            if packet.starts_with('4') {
                last.push(packet);
            }
        }
        last
    }

    /// Closes the WebSocket.
    pub(crate) async fn close(mut self) {
        self.0.close(None).await.expect("closed");
    }

    async fn answered(&mut self) -> Option<String> {
        loop {
            match self.raw().await {
                Some(ping) if ping == "2" => self.say("3").await,
                packet => return packet,
            }
        }
    }
}
