//! A client of a few lines: Engine.IO 4 and Socket.IO 5 by hand. It acknowledges what it reads where
//! the server asks for that. Every wait has a deadline.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use rejoin_server::Server;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::HOUR;

const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    events: VecDeque<Event>,
    asked: u64,
    acknowledges: bool,
}

/// What a Socket.IO packet from the server says.
enum Packet {
    Event(Event),
    Ack(u64, Value),
}

struct Event {
    name: String,
    payload: Value,
    /// The id under which it is to be acknowledged.
    asks: Option<u64>,
}

impl Wire {
    /// Opens Engine.IO and sends CONNECT; what CONNECT_ERROR carries, if that is the answer.
    pub(crate) async fn connect(server: &Server, auth: Value, header: Option<&str>) -> Result<Self, Value> {
        Self::connect_to(server.addr(), auth, header).await
    }

    /// The same, to a server in another process.
    pub(crate) async fn connect_to(addr: SocketAddr, auth: Value, header: Option<&str>) -> Result<Self, Value> {
        let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request().expect("a valid request");
        if let Some(header) = header {
            let header = header.parse().expect("a valid header");
            request.headers_mut().insert("authorization", header);
        }
        let opened = timeout(DEADLINE, connect_async(request)).await;
        let (socket, _) = opened.expect("in time").expect("a WebSocket");
        let mut wire = Self {
            socket,
            events: VecDeque::new(),
            asked: 0,
            acknowledges: true,
        };
        assert!(wire.frame().await.starts_with('0'), "open comes first");
        wire.write(format!("40{auth}")).await;
        let answer = wire.frame().await;
        if let Some(error) = answer.strip_prefix("44") {
            return Err(serde_json::from_str(error).expect("JSON"));
        }
        assert!(answer.starts_with("40{\"sid\":"), "{answer}");
        Ok(wire)
    }

    /// Connects as a user, up to the greeting.
    pub(crate) async fn user(server: &Server, id: &str, name: &str) -> Self {
        let mut wire = Self::quiet(server, id, name).await;
        wire.event("connection_status").await;
        wire.barrier().await;
        wire
    }

    /// Connects as a user and reads nothing yet.
    pub(crate) async fn quiet(server: &Server, id: &str, name: &str) -> Self {
        let token = server.mint_token(id, name, HOUR);
        let connected = Self::connect(server, json!({ "token": token }), None).await;
        connected.expect("the token is good")
    }

    /// Acknowledges nothing from now on, as if the way back were cut off.
    pub(crate) fn forgetful(mut self) -> Self {
        self.acknowledges = false;
        self
    }

    /// Emits an event that asks for nothing.
    pub(crate) async fn emit(&mut self, event: &str, payload: Value) {
        self.write(format!("42{}", json!([event, payload]))).await;
    }

    /// Emits an event that asks for an acknowledgement, and does not wait for it.
    pub(crate) async fn ask(&mut self, event: &str, payload: Value) -> u64 {
        self.asked += 1;
        let asked = self.asked;
        self.write(format!("42{asked}{}", json!([event, payload]))).await;
        asked
    }

    /// The acknowledgement of [`ask`](Self::ask); events that come before it are kept.
    pub(crate) async fn answer(&mut self, asked: u64) -> Value {
        loop {
            match self.packet().await {
                Packet::Ack(id, answer) if id == asked => return answer,
                Packet::Ack(..) => {}
                Packet::Event(event) => self.events.push_back(event),
            }
        }
    }

    pub(crate) async fn request(&mut self, event: &str, payload: Value) -> Value {
        let asked = self.ask(event, payload).await;
        self.answer(asked).await
    }

    /// The next event, whatever it is.
    pub(crate) async fn next(&mut self) -> (String, Value) {
        let event = self.next_event().await;
        (event.name, event.payload)
    }

    /// The payload of the next event, which has this name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        let (is, payload) = self.next().await;
        assert_eq!(is, name, "{payload}");
        payload
    }

    /// The payload of the next event of this name, whatever comes before.
    pub(crate) async fn named(&mut self, name: &str) -> Value {
        loop {
            let (is, payload) = self.next().await;
            if is == name {
                return payload;
            }
        }
    }

    /// The payload of the next event, which has this name, and asks for an acknowledgement or not.
    pub(crate) async fn event_that(&mut self, asks: bool, name: &str) -> Value {
        let event = self.next_event().await;
        assert_eq!(event.name, name, "{}", event.payload);
        assert_eq!(event.asks.is_some(), asks, "{name}");
        event.payload
    }

    /// Acknowledges the next event with these arguments.
    pub(crate) async fn acknowledge(&mut self, arguments: &str) {
        let event = self.next_event().await;
        let id = event.asks.expect("an event that asks");
        self.write(format!("43{id}{arguments}")).await;
        self.barrier().await;
    }

    async fn next_event(&mut self) -> Event {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        loop {
            if let Packet::Event(event) = self.packet().await {
                return event;
            }
        }
    }

    /// Waits until the server has handled everything sent so far, so that what it wanted to say
    /// has come.
    pub(crate) async fn barrier(&mut self) {
        let answer = self.request("barrier", json!({})).await;
        assert_eq!(answer["error"]["code"], "unknown_event", "{answer}");
    }

    /// The events that came since, up to now.
    pub(crate) async fn rest(&mut self) -> Vec<(String, Value)> {
        self.barrier().await;
        let rest = self.events.drain(..);
        rest.map(|event| (event.name, event.payload)).collect()
    }

    /// Closes the connection, and returns when the server has taken note of it.
    pub(crate) async fn leave(mut self, server: &Server) {
        let before = server.stats().connections;
        self.socket.close(None).await.expect("closed");
        until(|| server.stats().connections < before).await;
    }

    /// The events that are still to come until the server disconnects, or the connection ends.
    pub(crate) async fn ends(&mut self) -> Vec<(String, Value)> {
        let rest = self.events.drain(..);
        let mut last: Vec<_> = rest.map(|event| (event.name, event.payload)).collect();
        loop {
            let read = timeout(DEADLINE, self.socket.next()).await;
            match read.expect("the connection ends in time") {
                Some(Ok(Message::Text(text))) if text == "41" => return last,
                Some(Ok(Message::Text(text))) => match parse(&text) {
                    Some(Packet::Event(event)) => last.push((event.name, event.payload)),
                    _ => continue,
                },
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return last,
            }
        }
    }

    async fn packet(&mut self) -> Packet {
        loop {
            let frame = self.frame().await;
            let Some(packet) = parse(&frame) else {
                continue;
            };
            if let Packet::Event(Event { asks: Some(id), .. }) = &packet
                && self.acknowledges
            {
                // The server may have closed the link behind it.
                let _ = self.socket.send(format!("43{id}[]").into()).await;
            }
            return packet;
        }
    }

    async fn frame(&mut self) -> String {
        loop {
            let read = timeout(DEADLINE, self.socket.next()).await;
            let message = read.expect("a frame in time").expect("the link is open");
            match message.expect("a frame") {
                Message::Text(text) if text == "2" => self.write("3".into()).await,
                Message::Text(text) => return text.as_str().to_owned(),
                other => panic!("not a text frame: {other:?}"),
            }
        }
    }

    async fn write(&mut self, frame: String) {
        self.socket.send(frame.into()).await.expect("written");
    }
}

/// Waits until something that no event tells of is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let waited = timeout(DEADLINE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    waited.await.expect("in time");
}

fn parse(frame: &str) -> Option<Packet> {
    let json = frame.find('[')?;
    let mut arguments: Vec<Value> = serde_json::from_str(&frame[json..]).expect("JSON");
    match &frame[..2] {
        "42" => {
            let name = arguments.remove(0);
            Some(Packet::Event(Event {
                name: name.as_str().expect("a name").to_owned(),
                payload: arguments.pop().unwrap_or_default(),
                asks: frame[2..json].parse().ok(),
            }))
        }
        "43" => {
            let id = frame[2..json].parse().expect("a number");
            Some(Packet::Ack(id, arguments.pop().unwrap_or_default()))
        }
        _ => None,
    }
}
