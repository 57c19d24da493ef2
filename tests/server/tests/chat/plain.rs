//! A client of a few lines for plain JSON at `/ws`. It acknowledges messages and notifications
//! where the server keeps receipts. Every wait has a deadline.

use std::collections::VecDeque;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use rejoin_server::Server;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::HOUR;
use super::wire::until;

const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct Plain {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: VecDeque<Value>,
    asked: u64,
    acknowledges: bool,
}

impl Plain {
    /// Opens the WebSocket; the server's `connection` is the first event.
    pub(crate) async fn open(server: &Server) -> Self {
        let opened = timeout(DEADLINE, connect_async(format!("ws://{}/ws", server.addr()))).await;
        let (socket, _) = opened.expect("in time").expect("a WebSocket");
        Self {
            socket,
            events: VecDeque::new(),
            asked: 0,
            acknowledges: false,
        }
    }

    /// Connects as a user, up to `authenticated`.
    pub(crate) async fn user(server: &Server, id: &str, name: &str) -> Self {
        let mut plain = Self::open(server).await;
        plain.event("connection").await;
        let token = server.mint_token(id, name, HOUR);
        plain
            .say(json!({ "type": "authenticate", "data": { "token": token } }))
            .await;
        plain.event("authenticated").await;
        plain
    }

    /// Acknowledges nothing from now on, as if the way back were cut off.
    pub(crate) fn forgetful(mut self) -> Self {
        self.acknowledges = false;
        self
    }

    /// Writes a frame.
    pub(crate) async fn say(&mut self, frame: Value) {
        self.write(Message::text(frame.to_string())).await;
    }

    /// Writes a frame to a server that may have closed the connection.
    pub(crate) async fn try_say(&mut self, frame: &Value) {
        let _ = self.socket.send(Message::text(frame.to_string())).await;
    }

    pub(crate) async fn write(&mut self, message: Message) {
        self.socket.send(message).await.expect("written");
    }

    /// Writes a frame with an `id` of its own, and waits for its acknowledgement.
    pub(crate) async fn request(&mut self, name: &str, data: Value) -> Value {
        self.asked += 1;
        let id = format!("r{}", self.asked);
        self.say(json!({ "type": name, "id": id, "data": data })).await;
        self.answer(&id).await
    }

    /// The acknowledgement of the frame with this `id`; events before it are kept.
    pub(crate) async fn answer(&mut self, id: &str) -> Value {
        loop {
            let frame = self.frame().await.expect("the link is open");
            match frame["type"] == "ack" && frame["id"] == id {
                true => return frame,
                false => self.events.push_back(frame),
            }
        }
    }

    /// The next frame, which has this type.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        let event = match self.events.pop_front() {
            Some(event) => event,
            None => self.frame().await.expect("the link is open"),
        };
        assert_eq!(event["type"], name, "{event}");
        event
    }

    /// The events that came since, up to now.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        let answer = self.request("barrier", json!({})).await;
        assert_eq!(answer["error"]["code"], "unknown_event", "{answer}");
        self.events.drain(..).collect()
    }

    /// The events that are still to come, and the code with which the server closes.
    pub(crate) async fn ends(&mut self) -> (Vec<Value>, u16) {
        let mut last = Vec::from(std::mem::take(&mut self.events));
        loop {
            match self.frame().await {
                Ok(event) => last.push(event),
                Err(code) => return (last, code),
            }
        }
    }

    /// Closes the connection, and returns when the server has taken note of it.
    pub(crate) async fn leave(mut self, server: &Server) {
        let before = server.stats().connections;
        self.socket.close(None).await.expect("closed");
        until(|| server.stats().connections < before).await;
    }

    /// The next frame, or the code with which the server closes.
    async fn frame(&mut self) -> Result<Value, u16> {
        loop {
            let read = timeout(DEADLINE, self.socket.next()).await;
            let message = read.expect("a frame in time").expect("a goodbye before the end");
            match message.expect("a frame") {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    if frame["type"] == "connection" {
                        let features = frame["features"].as_array().expect("a list");
                        self.acknowledges = features.iter().any(|feature| feature == "receipts");
                    }
                    let asks = ["private_message", "chat_message", "notification"];
                    if self.acknowledges && asks.iter().any(|name| frame["type"] == **name) {
                        self.try_say(&json!({ "type": "ack", "id": frame["id"] })).await;
                    }
                    return Ok(frame);
                }
                Message::Close(Some(close)) => return Err(close.code.into()),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text frame: {other:?}"),
            }
        }
    }
}
