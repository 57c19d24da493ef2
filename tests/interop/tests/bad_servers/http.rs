//! Something answers that is not a Socket.IO server, or not even HTTP.

use rejoin_interop::{NodeServer, in_browser};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::gate::{Behaviour, behaviour};
use crate::script::request;
use crate::{ALL, Bench, JSON, POLLING, WEBSOCKET, verdict};

/// Answers each request with these bytes, and holds the connection.
fn answering(bytes: impl Into<Vec<u8>>) -> Behaviour {
    let bytes = bytes.into();
    behaviour(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            while request(&mut stream).await.is_some() {
                let _ = stream.write_all(&bytes).await;
            }
        }
    })
}

fn page(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: text/html\r\n{headers}content-length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn what_is_not_http_is_a_handshake_error() {
    let bench = Bench::start().await;
    let garbage: Vec<u8> = (0..4096_u32).map(|i| (i * 37 % 256) as u8).collect();
    for transport in ALL {
        for (what, bytes) in [
            ("garbage", garbage.clone()),
            ("ssh", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
            ("a line too few", b"HTTP/1.1 200 OK\r\nx\r\n\r\n".to_vec()),
        ] {
            // Browsers pass over such a line, and wait for the body.
            if what == "a line too few" && transport == POLLING && in_browser() {
                continue;
            }
            let verdict = verdict("connect error", &[2004]);
            bench.outlives(transport, what, answering(bytes), &verdict).await;
        }
    }
}

#[tokio::test]
async fn a_web_page_is_a_handshake_error() {
    let bench = Bench::start().await;
    let html = "<!doctype html><html><title>Sign in to this network</title></html>";
    for transport in ALL {
        for (what, answer) in [
            ("a page", page("200 OK", "", html)),
            ("a bad gateway", page("502 Bad Gateway", "", html)),
            ("not found", page("404 Not Found", "", "")),
            (
                "engine.io's refusal",
                page(
                    "400 Bad Request",
                    "",
                    r#"{"code":5,"message":"Unsupported protocol version"}"#,
                ),
            ),
        ] {
            let verdict = verdict("connect error", &[2004]);
            bench.outlives(transport, what, answering(answer), &verdict).await;
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bench = Bench::start().await;
    let elsewhere = NodeServer::start(json!({})).await;
    for transport in ALL {
        for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"] {
            let location = format!(
                "location: {}/socket.io/?EIO=4&transport={transport}\r\n",
                elsewhere.url()
            );
            let answer = answering(page(status, &location, ""));
            bench
                .outlives(transport, status, answer, &verdict("connect error", &[2004]))
                .await;
        }
    }
    assert_eq!(elsewhere.links(), 0);
}

#[tokio::test]
async fn a_websocket_with_the_wrong_key_is_a_handshake_error() {
    let bench = Bench::start().await;
    let switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                     sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    let verdict = verdict("connect error", &[2004]);
    for transport in [WEBSOCKET, JSON] {
        bench
            .outlives(transport, "a wrong key", answering(switching), &verdict)
            .await;
    }
}

/// Answers with a start, and then the same piece again and again for as long as it is read.
fn endless(start: &'static str, piece: String) -> Behaviour {
    behaviour(move |mut stream| {
        let piece = piece.clone();
        async move {
            let _ = request(&mut stream).await;
            let _ = stream.write_all(start.as_bytes()).await;
            while stream.write_all(piece.as_bytes()).await.is_ok() {}
        }
    })
}

#[tokio::test]
async fn a_head_without_end_is_a_handshake_error() {
    let bench = Bench::start().await;
    for transport in ALL {
        for (what, piece) in [
            ("one header", "x".repeat(8192)),
            ("many headers", "x: y\r\n".repeat(1000)),
        ] {
            let head = endless("HTTP/1.1 200 OK\r\nx: ", piece);
            bench
                .outlives(transport, what, head, &verdict("connect error", &[2004]))
                .await;
        }
    }
}

#[tokio::test]
async fn a_body_without_end_is_over_the_limit() {
    let bench = Bench::start().await;
    let piece = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let body = endless("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", piece);
    let verdict = verdict("connect error", &[2005]);
    bench.outlives(POLLING, "an endless body", body, &verdict).await;
}

#[tokio::test]
async fn nothing_at_all_is_a_connect_timeout() {
    let bench = Bench::start().await;
    for transport in ALL {
        let silent = behaviour(|mut stream| async move { while request(&mut stream).await.is_some() {} });
        bench
            .outlives(transport, "silence", silent, &verdict("connect timeout", &[2003]))
            .await;
    }
}
