//! The measure of all things: tokio-tungstenite with TCP_NODELAY, and the Socket.IO frames written by hand.
//!
//! It does only what the workload needs: it never looks at an event's name beyond the one prefix it expects, has
//! no queue, no timer and no handler table.

use futures::{SinkExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message as Frame, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Subject;
use crate::workload::{BoxError, Message};

/// One connection: `BATCH` frames to one flush when emitting, and `BUFFER` bytes to read into.
pub(super) struct Socket<const BATCH: u64, const BUFFER: usize>(WebSocketStream<TcpStream>);

impl<const BATCH: u64, const BUFFER: usize> Subject for Socket<BATCH, BUFFER> {
    async fn connect(url: &str) -> Result<Self, BoxError> {
        let authority = url.strip_prefix("http://").ok_or("the URL begins with http://")?;
        let tcp = TcpStream::connect(authority).await?;
        tcp.set_nodelay(true)?;
        let request = format!("ws://{authority}/socket.io/?EIO=4&transport=websocket");
        let config = WebSocketConfig::default().read_buffer_size(BUFFER);
        let (ws, _) = client_async_with_config(request, tcp, Some(config)).await?;
        let mut socket = Self(ws);
        socket.expect("0{").await?;
        socket.0.send(Frame::text("40")).await?;
        socket.expect("40{").await?;
        Ok(socket)
    }

    async fn emit(&mut self, count: u64) -> Result<(), BoxError> {
        self.0.send(Frame::text(format!("42[\"expect\",{count}]"))).await?;
        let mut message = Message::new(0);
        for id in 0..count {
            message.id = id;
            let frame = encode("42[\"count\",", &message)?;
            if id % BATCH == BATCH - 1 || id == count - 1 {
                self.0.send(frame).await?;
            } else {
                self.0.feed(frame).await?;
            }
        }
        self.expect("42[\"counted\",").await?;
        Ok(())
    }

    async fn receive(&mut self, count: u64) -> Result<(), BoxError> {
        self.0.send(Frame::text(format!("42[\"flood\",{count}]"))).await?;
        for _ in 0..count {
            let message: Message = decode("42[\"news\",", &self.next().await?)?;
            check(&message)?;
        }
        Ok(())
    }

    async fn round_trips(&mut self, count: u64) -> Result<(), BoxError> {
        let mut message = Message::new(0);
        for id in 0..count {
            message.id = id;
            self.0.send(encode(&format!("42{id}[\"echo\","), &message)?).await?;
            let reply: Message = decode(&format!("43{id}["), &self.next().await?)?;
            if reply.id != id {
                return Err("another message's acknowledgement".into());
            }
        }
        Ok(())
    }
}

impl<const BATCH: u64, const BUFFER: usize> Socket<BATCH, BUFFER> {
    async fn expect(&mut self, prefix: &str) -> Result<(), BoxError> {
        let text = self.next().await?;
        if text.starts_with(prefix) {
            Ok(())
        } else {
            Err(format!("unexpected frame {text}").into())
        }
    }

    /// The next frame that is not the heartbeat, which it answers.
    async fn next(&mut self) -> Result<Utf8Bytes, BoxError> {
        loop {
            match self.0.next().await.ok_or("the server closed the link")?? {
                Frame::Text(text) if text == "2" => self.0.send(Frame::text("3")).await?,
                Frame::Text(text) => return Ok(text),
                _ => {}
            }
        }
    }
}

/// What every typed handler of the benchmark does with its message.
fn check(message: &Message) -> Result<(), BoxError> {
    if message.id == 123_456 {
        Ok(())
    } else {
        Err("a damaged message".into())
    }
}

fn encode(prefix: &str, value: &impl Serialize) -> Result<Frame, BoxError> {
    let mut text = Vec::with_capacity(160);
    text.extend_from_slice(prefix.as_bytes());
    serde_json::to_writer(&mut text, value)?;
    text.push(b']');
    Ok(Frame::text(String::from_utf8(text)?))
}

fn decode<T: DeserializeOwned>(prefix: &str, text: &str) -> Result<T, BoxError> {
    let body = text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(']'));
    Ok(serde_json::from_str(body.ok_or("an unexpected frame")?)?)
}
