//! Credentials over real sockets: whose they are, and how often a provider is asked.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]
mod support;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rejoin::{Client, RealtimeClient, Socket, SocketOptions, State, Transport};
use support::{CONNECT, OPEN, Peer, listen, until, within};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

/// Accepts a client and opens the session; CONNECT is left to the test.
async fn opened(listener: &TcpListener) -> Peer<TcpStream> {
    let (tcp, _) = within(listener.accept()).await.unwrap();
    let mut peer = Peer(within(accept_async(tcp)).await.unwrap());
    peer.say(OPEN).await;
    peer
}

/// The next `count` frames, sorted: namespaces connect in no promised order.
async fn frames(peer: &mut Peer<TcpStream>, count: usize) -> Vec<String> {
    let mut frames = Vec::new();
    for _ in 0..count {
        frames.push(peer.hear().await);
    }
    frames.sort();
    frames
}

async fn builder() -> (TcpListener, rejoin::Builder<Client>) {
    let (listener, address) = listen().await;
    let builder = Client::builder(format!("http://{address}")).transports([Transport::WebSocket]);
    (listener, builder)
}

#[tokio::test]
async fn sockets_that_share_a_provider_share_its_answer() {
    let (listener, builder) = builder().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let client = builder
        .token_provider(move || {
            let nth = count.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                Ok(format!("t{nth}"))
            }
        })
        .build()
        .unwrap();
    let _sockets = [client.socket("/"), client.socket("/news")];
    client.connect();
    let mut peer = opened(&listener).await;
    assert_eq!(
        frames(&mut peer, 2).await,
        [r#"40/news,{"token":"t0"}"#, r#"40{"token":"t0"}"#]
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    // Each refusal is a reason to ask anew.
    peer.say(r#"44{"message":"expired"}"#).await;
    assert_eq!(peer.hear().await, r#"40{"token":"t1"}"#);
}

#[tokio::test]
async fn a_question_that_was_given_up_is_not_shared() {
    let (listener, builder) = builder().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let client = builder
        .connect_timeout(Duration::from_millis(500))
        .backoff(support::backoff())
        .token_provider(move || {
            let nth = count.fetch_add(1, Ordering::SeqCst);
            async move {
                if nth == 0 {
                    std::future::pending::<()>().await;
                }
                Ok(format!("t{nth}"))
            }
        })
        .build()
        .unwrap();
    let _sockets = [client.socket("/"), client.socket("/news")];
    client.connect();
    let mut peer = opened(&listener).await;
    let connects = frames(&mut peer, 2).await;
    assert_eq!(connects, [r#"40/news,{"token":"t1"}"#, r#"40{"token":"t1"}"#]);
}

#[tokio::test]
async fn a_socket_with_settings_of_its_own_keeps_them() {
    let (listener, builder) = builder().await;
    let client = builder.token("member").build().unwrap();
    let _home = client.socket("/");
    let admin = client
        .socket_with("admin", SocketOptions::new().token("admin"))
        .unwrap();
    let again = client
        .socket_with("/admin", SocketOptions::new().token("other"))
        .unwrap();
    assert_eq!(again.namespace(), admin.namespace(), "the first call decides");
    let mut states = admin.states();
    client.connect();
    let mut peer = opened(&listener).await;
    assert_eq!(
        frames(&mut peer, 2).await,
        [r#"40/admin,{"token":"admin"}"#, r#"40{"token":"member"}"#]
    );
    peer.say(CONNECT).await;
    peer.say(r#"40/admin,{"sid":"a"}"#).await;
    until(&mut states, "connected").await;

    client.set_token("newer");
    assert_eq!(frames(&mut peer, 2).await, [r#"40{"token":"newer"}"#, "41"]);
    assert_eq!(admin.state(), State::Connected);
    admin.set_auth_json(r#"{"key":1}"#).unwrap();
    assert_eq!(frames(&mut peer, 2).await, [r#"40/admin,{"key":1}"#, "41/admin,"]);
    client.socket("/later").connect();
    assert_eq!(
        peer.hear().await,
        r#"40/later,{"token":"newer"}"#,
        "also one made later"
    );
}

#[tokio::test]
async fn an_option_that_cannot_be_used_is_refused() {
    let (_listener, builder) = builder().await;
    let client = builder.build().unwrap();
    let mut queue = rejoin::QueueConfig::default();
    queue.capacity = 0;
    for (options, name) in [
        (SocketOptions::new().auth_json("[]"), "auth"),
        (SocketOptions::new().queue(queue), "queue"),
        (SocketOptions::new().ack_timeout(Duration::ZERO), "ack_timeout"),
    ] {
        let error = client.socket_with("/x", options).unwrap_err();
        assert_eq!(error.code(), 1002);
        assert!(error.to_string().contains(name), "{error}");
    }
    let error = client.set_auth_json("nothing").unwrap_err();
    assert_eq!(error.code(), 1002);
}

#[tokio::test]
async fn the_chat_client_joins_again_with_a_new_token() {
    let (listener, address) = listen().await;
    let chat = RealtimeClient::builder(format!("http://{address}"))
        .transports([Transport::WebSocket])
        .token("old")
        .build()
        .unwrap();
    let mut states = chat.socket().states();
    chat.connect();
    let mut peer = Peer::connected({
        let (tcp, _) = within(listener.accept()).await.unwrap();
        tcp
    })
    .await;
    until(&mut states, "connected").await;
    chat.set_token("new");
    assert_eq!(peer.hear().await, "41");
    assert_eq!(peer.hear().await, r#"40{"token":"new"}"#);
    until(&mut states, "connecting").await;
    peer.say(CONNECT).await;
    until(&mut states, "connected").await;
}

/// Looks at a socket when it is dropped.
struct Looks(Arc<Mutex<Option<Socket>>>, std::sync::mpsc::Sender<State>);

impl Drop for Looks {
    fn drop(&mut self) {
        let socket = self.0.lock().unwrap().clone().unwrap();
        let _ = self.1.send(socket.state());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_replaced_may_use_the_client_when_it_is_dropped() {
    let (_listener, builder) = builder().await;
    let slot = Arc::new(Mutex::new(None));
    let (sender, dropped) = std::sync::mpsc::channel();
    let looks = Looks(Arc::clone(&slot), sender);
    let client = builder
        .token_provider(move || {
            let _ = &looks;
            async { Ok("t".to_owned()) }
        })
        .build()
        .unwrap();
    *slot.lock().unwrap() = Some(client.socket("/"));
    let replacing = client.clone();
    std::thread::spawn(move || replacing.set_token("new"));
    let looked = tokio::task::spawn_blocking(move || dropped.recv_timeout(Duration::from_secs(5)));
    assert_eq!(looked.await.unwrap(), Ok(State::Idle), "it was dropped under a lock");
    slot.lock().unwrap().take();
}
