//! A server that keeps to a script in each session, whatever the client says, over a WebSocket or long-polling.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::gate::{Behaviour, behaviour};
use crate::{POLLING, WEBSOCKET};

/// One thing that the server does. Behind the last step it breaks the connection off.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Says an Engine.IO packet.
    Say(String),
    /// Says binary.
    SayBytes(Vec<u8>),
    /// Writes bytes that stand where a WebSocket's frame or a response should.
    Write(Vec<u8>),
    /// Waits for a packet that begins so.
    Hear(&'static str),
    /// Says nothing more, and holds the connection.
    Stay,
}

impl Step {
    pub(crate) fn say(packet: &str) -> Self {
        Self::Say(packet.to_owned())
    }
}

/// A behaviour that plays these steps.
pub(crate) fn play(transport: &str, steps: &[Step]) -> Behaviour {
    match transport {
        WEBSOCKET => {
            let steps = steps.to_vec();
            behaviour(move |stream| websocket(stream, steps.clone()))
        }
        POLLING => {
            let session = Arc::new(Session {
                script: steps.to_vec(),
                left: Mutex::default(),
                heard: Notify::new(),
            });
            behaviour(move |stream| polling(stream, session.clone()))
        }
        _ => panic!("no transport: {transport}"),
    }
}

async fn websocket(stream: TcpStream, steps: Vec<Step>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    for step in steps {
        let done = match step {
            Step::Say(packet) => socket.send(Message::text(packet)).await.is_ok(),
            Step::SayBytes(bytes) => socket.send(Message::binary(bytes)).await.is_ok(),
            Step::Write(bytes) => socket.get_mut().write_all(&bytes).await.is_ok(),
            Step::Hear(start) => hear(&mut socket, |text| text.starts_with(start)).await,
            Step::Stay => hear(&mut socket, |_| false).await,
        };
        if !done {
            return;
        }
    }
}

async fn hear(socket: &mut WebSocketStream<TcpStream>, wanted: impl Fn(&str) -> bool) -> bool {
    while let Some(Ok(message)) = socket.next().await {
        if message.to_text().is_ok_and(&wanted) {
            return true;
        }
    }
    false
}

/// What all connections of one session share.
struct Session {
    script: Vec<Step>,
    left: Mutex<VecDeque<Step>>,
    heard: Notify,
}

/// How a GET is answered.
enum Answer {
    Body(String),
    Bytes(Vec<u8>),
    /// Not before something was heard.
    Later,
    Never,
    BreakOff,
}

impl Session {
    fn left(&self) -> std::sync::MutexGuard<'_, VecDeque<Step>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self) -> Answer {
        let mut left = self.left();
        let mut packets = Vec::new();
        loop {
            match left.front() {
                Some(Step::Say(packet)) => packets.push(packet.clone()),
                Some(Step::SayBytes(bytes)) => packets.push(format!("b{}", STANDARD.encode(bytes))),
                _ if !packets.is_empty() => return Answer::Body(packets.join("\u{1e}")),
                Some(Step::Write(bytes)) => {
                    let bytes = bytes.clone();
                    left.pop_front();
                    return Answer::Bytes(bytes);
                }
                Some(Step::Hear(_)) => return Answer::Later,
                Some(Step::Stay) => return Answer::Never,
                None => return Answer::BreakOff,
            }
            left.pop_front();
        }
    }

    fn hear(&self, body: &str) {
        let mut left = self.left();
        for packet in body.split('\u{1e}') {
            if matches!(left.front(), Some(Step::Hear(start)) if packet.starts_with(start)) {
                left.pop_front();
                self.heard.notify_waiters();
            }
        }
    }
}

async fn polling(mut stream: TcpStream, session: Arc<Session>) {
    while let Some((head, body)) = request(&mut stream).await {
        if head.starts_with("POST") {
            session.hear(&body);
            respond(&mut stream, "ok").await;
            continue;
        }
        if !head.lines().next().is_some_and(|line| line.contains("sid=")) {
            *session.left() = session.script.clone().into();
        }
        loop {
            let heard = session.heard.notified();
            tokio::pin!(heard);
            heard.as_mut().enable();
            match session.answer() {
                Answer::Body(body) => respond(&mut stream, &body).await,
                Answer::Bytes(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                    continue;
                }
                Answer::Later => {
                    heard.await;
                    continue;
                }
                Answer::Never => std::future::pending().await,
                Answer::BreakOff => return,
            }
            break;
        }
    }
}

/// Reads one request: its head, and its body.
pub(crate) async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end])
        .to_ascii_lowercase()
        .replacen("get", "GET", 1);
    let head = head.replacen("post", "POST", 1);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&bytes[end..end + length]).into_owned();
    Some((head, body))
}

async fn respond(stream: &mut TcpStream, body: &str) {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=UTF-8\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await;
}
