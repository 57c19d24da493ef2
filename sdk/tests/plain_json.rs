//! The plain-JSON protocol over real sockets.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use futures::StreamExt;
use futures::channel::mpsc;
use rejoin::{Client, GroupMessage, Outcome, Protocol, RealtimeClient, Transport};
use serde_json::{Value, json};
use support::{Peer, backoff, listen, until, within};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

const CONNECTION: &str = r#"{"type":"connection","clientId":"c1","message":"hi","features":["ack","dedupe"]}"#;

/// Accepts a client, which has to ask for what the test expects.
async fn accept(listener: &TcpListener) -> Peer<TcpStream> {
    let (tcp, _) = within(listener.accept()).await.unwrap();
    #[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
    let check = |request: &Request, response: Response| {
        assert_eq!(request.uri(), "/ws?v=1");
        assert_eq!(request.headers()["x-app"], "test");
        Ok(response)
    };
    let mut peer = Peer(within(tokio_tungstenite::accept_hdr_async(tcp, check)).await.unwrap());
    peer.say(CONNECTION).await;
    peer
}

async fn hear(peer: &mut Peer<TcpStream>) -> Value {
    serde_json::from_str(&peer.hear().await).unwrap()
}

#[tokio::test]
async fn a_message_survives_a_cut_and_is_delivered_once_with_the_same_id() {
    let (listener, address) = listen().await;
    let chat = RealtimeClient::builder(format!("http://{address}"))
        .protocol(Protocol::Json)
        .query("v", "1")
        .header("X-App", "test")
        .token("t1")
        .backoff(backoff())
        .build()
        .unwrap();
    let (heard, mut messages) = mpsc::unbounded();
    let _messages = chat.on(move |message: &GroupMessage| heard.unbounded_send(message.clone()).unwrap());
    let mut states = chat.socket().states();
    let sent = chat.send_group_message("r1", "hello");
    chat.connect();

    let mut ids = Vec::new();
    let mut peer = loop {
        let mut peer = accept(&listener).await;
        assert_eq!(
            hear(&mut peer).await,
            json!({"type": "authenticate", "data": {"token": "t1"}})
        );
        peer.say(r#"{"type":"authenticated","user":{"id":"u1","username":"A"}}"#)
            .await;
        let frame = hear(&mut peer).await;
        assert_eq!(frame["type"], "message");
        assert_eq!(frame["data"], json!({"room": "r1", "content": "hello"}));
        ids.push(frame["id"].clone());
        if ids.len() == 2 {
            break peer;
        }
    };
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0].as_str(), sent.message_id());
    until(&mut states, "connected").await;
    let answer = json!({"type": "ack", "id": ids[0], "ok": true, "data": {"id": "m1"}});
    peer.say(&answer.to_string()).await;
    let outcome = within(sent).await;
    let Outcome::Delivered(reply) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(reply.get::<Value>(0).unwrap(), json!({"ok": true, "id": "m1"}));

    peer.say(r#"{"type":"chat_message","id":7,"room":"r1","user":"Ann","content":"hi","timestamp":17}"#)
        .await;
    let message = within(messages.next()).await.unwrap();
    assert_eq!((&*message.id, &*message.room, &*message.timestamp), ("7", "r1", "17"));
    assert_eq!((&*message.sender.id, &*message.content), ("Ann", "hi"));
}

#[tokio::test]
async fn any_event_goes_both_ways_and_a_request_has_its_answer() {
    let (listener, address) = listen().await;
    let socket = Client::builder(format!("ws://{address}/?v=1"))
        .protocol(Protocol::Json)
        .header("X-App", "test")
        .build()
        .unwrap()
        .socket("/");
    let (heard, mut events) = mpsc::unbounded();
    let _news = socket.on("news", move |event| {
        let frame: Value = event.get(0).unwrap();
        heard.unbounded_send(frame).unwrap();
    });
    socket.connect();
    let server = async {
        let mut peer = accept(&listener).await;
        let frame = hear(&mut peer).await;
        assert_eq!((&frame["type"], &frame["data"]), (&json!("add"), &json!([1, 2])));
        peer.say(&json!({"type": "ack", "id": frame["id"], "ok": true, "data": {"sum": 3}}).to_string())
            .await;
        peer.say(r#"{"type":"news","n":1}"#).await;
        peer
    };
    let (reply, _peer) = futures::join!(within(socket.request::<Value>("add", vec![1, 2])), server);
    assert_eq!(reply.unwrap(), json!({"ok": true, "sum": 3}));
    assert_eq!(within(events.next()).await.unwrap(), json!({"type": "news", "n": 1}));
}

#[tokio::test]
async fn a_client_that_may_only_poll_cannot_be_built() {
    let built = Client::builder("http://127.0.0.1:9")
        .protocol(Protocol::Json)
        .transports([Transport::Polling])
        .build();
    assert_eq!(built.unwrap_err().code(), 1002);
}

#[tokio::test]
async fn the_path_of_the_address_is_the_servers_unless_another_is_given() {
    for (in_address, given, asked) in [
        ("", None, "/ws"),
        ("/", None, "/ws"),
        ("/realtime/v2", None, "/realtime/v2"),
        ("", Some("chat"), "/chat"),
    ] {
        let (listener, address) = listen().await;
        let mut builder = Client::builder(format!("ws://{address}{in_address}")).protocol(Protocol::Json);
        if let Some(path) = given {
            builder = builder.path(path);
        }
        let client = builder.build().unwrap();
        client.connect();
        let (tcp, _) = within(listener.accept()).await.unwrap();
        #[expect(clippy::result_large_err, reason = "the type is tungstenite's")]
        let check = |request: &Request, response: Response| {
            assert_eq!(request.uri().path(), asked);
            Ok(response)
        };
        within(tokio_tungstenite::accept_hdr_async(tcp, check)).await.unwrap();
    }
    let both = Client::builder("ws://127.0.0.1/a")
        .protocol(Protocol::Json)
        .path("/b")
        .build();
    assert_eq!(both.unwrap_err().code(), 1001);
}
