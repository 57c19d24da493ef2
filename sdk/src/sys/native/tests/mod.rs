//! Links over real sockets, against a server that answers byte by byte as a test says.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::super::{Dialer, LinkOptions, Wire};
use super::origin::Origin;
use super::{NativeDialer, http};
use crate::core::{LinkEvent, Method, Request, Response};
use crate::error::Error;

mod answers;
mod connections;
mod cookies;
mod threads;
#[cfg(feature = "tls")]
mod tls;

/// No test waits longer than this for anything.
const DEADLINE: Duration = Duration::from_secs(20);

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it did not happen in time")
}

fn options() -> LinkOptions {
    LinkOptions {
        max_message: 1 << 20,
        ..LinkOptions::default()
    }
}

/// A client's dialer and the server that it talks to.
struct Network {
    dialer: NativeDialer,
    listener: TcpListener,
    port: u16,
}

impl Network {
    async fn new(options: LinkOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            dialer: NativeDialer {
                origin: Arc::new(Origin::new(options).unwrap()),
            },
            port: listener.local_addr().unwrap().port(),
            listener,
        }
    }

    fn request(&self, method: Method) -> Request {
        Request {
            method,
            secure: false,
            host: "127.0.0.1".into(),
            port: self.port,
            authority: format!("127.0.0.1:{}", self.port),
            target: "/socket.io/?EIO=4".into(),
        }
    }

    fn open(&self, method: Method) -> Box<dyn Wire> {
        self.dialer.open(self.request(method))
    }

    fn get(&self) -> Box<dyn Wire> {
        self.open(Method::Get)
    }

    fn post(&self, body: &'static str) -> Box<dyn Wire> {
        self.open(Method::Post(Bytes::from_static(body.as_bytes())))
    }

    /// The next connection that the client makes.
    async fn accept(&self) -> Peer<TcpStream> {
        Peer(BufReader::new(within(self.listener.accept()).await.unwrap().0))
    }

    /// A GET and its outcome, where the server answers so and closes.
    async fn answer(&self, bytes: &[u8]) -> LinkEvent {
        let server = async {
            let mut peer = self.accept().await;
            peer.hear().await;
            // The client may have heard enough before all is written.
            let _ = peer.0.write_all(bytes).await;
            let _ = peer.0.shutdown().await;
            peer
        };
        let (_peer, event) = futures::join!(server, outcome(self.get()));
        event
    }
}

/// The server's end of a connection.
struct Peer<S>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// The next request: its head, and its body.
    async fn hear(&mut self) -> (String, String) {
        within(async {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                let read = self.0.read_line(&mut head).await.unwrap();
                assert_ne!(read, 0, "the client closed after {head:?}");
            }
            let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await.unwrap();
            (head, String::from_utf8(body).unwrap())
        })
        .await
    }

    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.0.write_all(bytes.as_ref())).await.unwrap();
        within(self.0.flush()).await.unwrap();
    }

    async fn say_ok(&mut self, body: &str) {
        self.say(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
    }

    /// Answers the request for a WebSocket whose head this is, with these headers beside the usual ones.
    async fn say_upgraded(&mut self, head: &str, headers: &str) {
        let key = header(head, "sec-websocket-key").unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        self.say(format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: {accept}\r\n{headers}\r\n"
        ))
        .await;
    }

    /// Waits until the client has closed.
    async fn closed(&mut self) {
        let mut rest = Vec::new();
        // A reset is a close too.
        let _ = within(self.0.read_to_end(&mut rest)).await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}

/// A header of a request's head.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The next event of a wire.
async fn next(wire: &mut Box<dyn Wire>) -> LinkEvent {
    within(poll_fn(|cx| wire.poll_event(cx, true))).await
}

async fn outcome(mut wire: Box<dyn Wire>) -> LinkEvent {
    next(&mut wire).await
}

fn response(event: LinkEvent) -> Response {
    match event {
        LinkEvent::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

fn error(event: LinkEvent) -> Error {
    match event {
        LinkEvent::Closed(Some(error)) => error,
        other => panic!("{other:?}"),
    }
}
