//! The server: as little Socket.IO as the workloads need, so that it is never what is measured.
//!
//! One process, one thread. It answers on any path and in the main namespace only:
//!
//! | from the client | answer |
//! |---|---|
//! | `["expect", n]` | none; the next `n` "count" events are one batch |
//! | `["count", …]` | `["counted", n]` when the batch is complete |
//! | `["flood", n]` | `n` times `["news", {…}]`, from a block framed beforehand |
//! | `["echo", x]` with an id | `x` as the acknowledgement |

use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::interval;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

use crate::workload::{BoxError, Message};

const PING_INTERVAL: Duration = Duration::from_secs(25);
/// Frames in the block that a flood repeats: 64 KiB or so in one write.
const BLOCK: u64 = 500;

/// Listens on a free port of the loopback interface (or on `port`), prints its address as one line, and serves
/// until the process is killed.
pub(crate) async fn run(port: u16) -> Result<(), BoxError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("http://{}", listener.local_addr()?);
    io::stdout().flush()?;

    let mut connections = JoinSet::new();
    let mut served = 0_u64;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                served += 1;
                connections.spawn(serve(accepted?.0, served));
            }
            // A client that has finished simply goes away: its reset is no news.
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(tcp: TcpStream, number: u64) -> Result<(), BoxError> {
    tcp.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(32 * 1024);
    let ws = accept_async_with_config(tcp, Some(config)).await?;
    let mut connection = Connection {
        ws,
        number,
        expected: 0,
        counted: 0,
    };
    connection
        .send(format!(
            r#"0{{"sid":"engine{number:08}","upgrades":[],"pingInterval":{},"pingTimeout":20000,"maxPayload":1000000}}"#,
            PING_INTERVAL.as_millis()
        ))
        .await?;

    let mut pings = interval(PING_INTERVAL);
    // The first comes at once.
    pings.tick().await;
    loop {
        tokio::select! {
            frame = connection.ws.next() => match frame {
                Some(Ok(Frame::Text(text))) => connection.handle(&text).await?,
                Some(Ok(Frame::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            },
            _ = pings.tick() => connection.send("2".into()).await?,
        }
    }
}

struct Connection {
    ws: WebSocketStream<TcpStream>,
    number: u64,
    expected: u64,
    counted: u64,
}

impl Connection {
    async fn handle(&mut self, text: &str) -> Result<(), BoxError> {
        if text.starts_with("42[\"count\",") {
            self.counted += 1;
            if self.counted == self.expected {
                let answer = format!("42[\"counted\",{}]", self.counted);
                self.counted = 0;
                self.send(answer).await?;
            }
        } else if let Some((id, value)) = split_echo(text) {
            self.send(format!("43{id}[{value}")).await?;
        } else if let Some(count) = argument(text, "42[\"expect\",") {
            self.expected = count;
        } else if let Some(count) = argument(text, "42[\"flood\",") {
            self.flood(count).await?;
        } else if text == "40" || text.starts_with("40{") {
            self.send(format!(r#"40{{"sid":"socket{:08}"}}"#, self.number)).await?;
        } else if text == "41" || text == "1" {
            self.ws.close(None).await?;
        } else if text != "3" {
            // A client that misspells a frame would otherwise wait in silence.
            eprintln!("server: unexpected frame {text:?}");
            return Err("unexpected frame".into());
        }
        Ok(())
    }

    /// Writes past the WebSocket layer, which has nothing buffered here: the server's share per message is a copy.
    async fn flood(&mut self, count: u64) -> Result<(), BoxError> {
        let frame = news_frame()?;
        let block = frame.repeat(usize::try_from(BLOCK)?);
        let tcp = self.ws.get_mut();
        for _ in 0..count / BLOCK {
            tcp.write_all(&block).await?;
        }
        tcp.write_all(&block[..frame.len() * usize::try_from(count % BLOCK)?])
            .await?;
        Ok(())
    }

    async fn send(&mut self, text: String) -> Result<(), BoxError> {
        Ok(self.ws.send(Frame::text(text)).await?)
    }
}

/// The id and the rest after `"echo",` of `42<id>["echo",…]`.
fn split_echo(text: &str) -> Option<(&str, &str)> {
    let (id, value) = text.strip_prefix("42")?.split_once("[\"echo\",")?;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some((id, value))
}

/// The one number of an event.
fn argument(text: &str, prefix: &str) -> Option<u64> {
    text.strip_prefix(prefix)?.strip_suffix(']')?.parse().ok()
}

/// `42["news",{…}]` as one unmasked text frame (RFC 6455, section 5.2).
fn news_frame() -> Result<Vec<u8>, BoxError> {
    let text = format!("42[\"news\",{}]", serde_json::to_string(&Message::new(123_456))?);
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(short @ ..=125) => frame.push(short),
        _ => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(text.len())?.to_be_bytes());
        }
    }
    frame.extend_from_slice(text.as_bytes());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::{argument, news_frame, split_echo};

    #[test]
    fn only_an_echo_with_an_id_is_acknowledged() {
        assert_eq!(split_echo(r#"4217["echo",{"a":1}]"#), Some(("17", r#"{"a":1}]"#)));
        assert_eq!(split_echo(r#"42["echo",1]"#), None);
        assert_eq!(split_echo(r#"42["count","[\"echo\",1]"]"#), None);
    }

    #[test]
    fn a_count_is_the_one_argument() {
        assert_eq!(argument(r#"42["flood",500]"#, r#"42["flood","#), Some(500));
        assert_eq!(argument(r#"42["flood","500"]"#, r#"42["flood","#), None);
    }

    #[test]
    fn the_news_frame_announces_its_own_length() {
        let frame = news_frame().expect("a small message");
        let (header, text) = frame.split_at(if frame[1] == 126 { 4 } else { 2 });
        let length = if header.len() == 4 {
            u16::from_be_bytes([header[2], header[3]])
        } else {
            header[1].into()
        };
        assert_eq!((header[0], usize::from(length)), (0x81, text.len()));
    }
}
