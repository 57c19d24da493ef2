//! A client of HTTP long-polling, of a few lines. Every wait has a deadline.

use rejoin_server::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{DEADLINE, body, connect};

/// What the server answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A request that was written and not answered yet.
pub(crate) struct Pending(TcpStream);

/// One request for a query under Socket.IO's path.
pub(crate) async fn request(server: &Server, method: &str, query: &str, body: &str) -> Response {
    Pending::write(server, method, query, body).await.response().await
}

impl Pending {
    async fn write(server: &Server, method: &str, query: &str, body: &str) -> Self {
        let mut stream = TcpStream::connect(server.addr()).await.expect("connected");
        let head = format!(
            "{method} /socket.io/?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
             content-type: text/plain;charset=UTF-8\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("written");
        Self(stream)
    }

    /// What it is answered with.
    pub(crate) async fn response(mut self) -> Response {
        let mut response = String::new();
        let read = timeout(DEADLINE, self.0.read_to_string(&mut response)).await;
        read.expect("in time").expect("read");
        let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).expect("a status");
        Response {
            status: status.parse().expect("a number"),
            body: body.to_owned(),
        }
    }
}

/// A session over long-polling.
#[derive(Clone)]
pub(crate) struct Session<'a> {
    server: &'a Server,
    pub(crate) sid: String,
}

impl<'a> Session<'a> {
    /// Opens one.
    pub(crate) async fn open(server: &'a Server) -> Self {
        let opened = request(server, "GET", "EIO=4&transport=polling", "").await;
        let sid = body(&opened.body, "0")["sid"].as_str().expect("a sid").to_owned();
        Self { server, sid }
    }

    /// Opens one, CONNECTs to the default namespace, and reads until nothing is to come.
    pub(crate) async fn connected(server: &'a Server) -> Self {
        let session = Self::open(server).await;
        assert_eq!(session.post(&connect(server)).await.body, "ok");
        session.hears("connection_status").await;
        session.post(r#"420["barrier",{}]"#).await;
        session.hears("430[").await;
        session
    }

    pub(crate) async fn post(&self, packets: &str) -> Response {
        request(self.server, "POST", &self.query(), packets).await
    }

    /// A poll that waits for what the server will say.
    pub(crate) async fn pending(&self) -> Pending {
        Pending::write(self.server, "GET", &self.query(), "").await
    }

    pub(crate) async fn poll(&self) -> Response {
        request(self.server, "GET", &self.query(), "").await
    }

    /// Polls until a packet has this in it, and returns that packet.
    pub(crate) async fn hears(&self, part: &str) -> String {
        loop {
            let polled = self.poll().await;
            assert_eq!(polled.status, 200, "{polled:?}");
            let mut packets = polled.body.split('\u{1e}');
            if let Some(packet) = packets.find(|packet| packet.contains(part)) {
                return packet.to_owned();
            }
        }
    }

    /// Polls until the session is no more.
    pub(crate) async fn is_gone(&self) {
        let gone = async {
            loop {
                let polled = self.poll().await;
                match polled.status {
                    200 => {}
                    _ => return polled,
                }
            }
        };
        let polled = timeout(DEADLINE, gone).await.expect("in time");
        assert_eq!(polled.status, 400);
        assert!(polled.body.contains("Session ID unknown"), "{polled:?}");
    }

    fn query(&self) -> String {
        format!("EIO=4&transport=polling&sid={}", self.sid)
    }
}
