//! The native client over real sockets.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rejoin::{Binary, Client, EmitOptions, Error, Event, Limits, Notice, Outcome, Reason, State};
use support::{accept, backoff, listen, until, within};

type Heard = Arc<Mutex<Vec<String>>>;
type Handler = Box<dyn FnMut(&Event) + Send>;

/// A place for handlers to write to, and a handler that does.
fn recorder() -> (Heard, impl Fn(&str) -> Handler) {
    let heard: Heard = Heard::default();
    let writer = Arc::clone(&heard);
    let handler = move |tag: &str| {
        let (tag, heard) = (tag.to_owned(), Arc::clone(&writer));
        let handler: Handler = Box::new(move |event| heard.lock().unwrap().push(format!("{tag}:{}", event.name())));
        handler
    };
    (heard, handler)
}

#[tokio::test]
async fn handlers_run_in_order_of_registration_and_a_panic_stops_nobody_else() {
    let (listener, address) = listen().await;
    let socket = Client::builder(format!("http://{address}"))
        .build()
        .unwrap()
        .socket("/");
    let (heard, handler) = recorder();
    let (done, finished) = futures::channel::oneshot::channel::<()>();
    let (notices, noticed) = mpsc::channel();
    let _notices = socket.on_notice(move |notice| notices.send(notice.clone()).unwrap());
    let _one = socket.on("x", handler("one"));
    let _panics = socket.on("x", |_| panic!("deliberate"));
    let _once = socket.once("x", handler("once"));
    let _two = socket.on("x", handler("two"));
    let dropped = socket.on("x", handler("dropped"));
    drop(dropped);
    let _any = socket.on_any(handler("any"));
    let mut done = Some(done);
    let _end = socket.on("end", move |_| drop(done.take()));
    socket.connect();
    let mut peer = accept(&listener).await;
    for frame in [r#"42["x"]"#, r#"42["x"]"#, r#"42["end"]"#] {
        peer.say(frame).await;
    }
    assert!(within(finished).await.is_err());
    let round = ["any:x", "one:x", "once:x", "two:x"];
    let mut expected = round.to_vec();
    expected.extend(round.into_iter().filter(|entry| *entry != "once:x"));
    expected.push("any:end");
    assert_eq!(*heard.lock().unwrap(), expected);
    let told: Vec<Notice> = noticed.try_iter().collect();
    assert_eq!(told.len(), 2);
    assert!(
        matches!(&told[0], Notice::HandlerError(Error::Handler { event, message }) if event == "x" && message == "deliberate")
    );
}

#[tokio::test]
async fn a_handler_may_register_and_remove_and_emit() {
    let (listener, address) = listen().await;
    let socket = Client::builder(format!("http://{address}"))
        .build()
        .unwrap()
        .socket("/");
    let inner = socket.clone();
    socket
        .on("x", move |event| {
            inner.on("y", |event| event.reply(("late",)).unwrap()).detach();
            inner.off("x");
            drop(inner.emit("echo", event.get::<u32>(0).unwrap()));
        })
        .detach();
    socket.connect();
    let mut peer = accept(&listener).await;
    peer.say(r#"42["x",7]"#).await;
    assert_eq!(peer.hear().await, r#"42["echo",7]"#);
    peer.say(r#"42["x",8]"#).await;
    peer.say(r#"423["y"]"#).await;
    assert_eq!(peer.hear().await, r#"433["late"]"#, "the second x is handled by nobody");
    socket.off("y");
}

#[tokio::test]
async fn binary_goes_and_comes_at_any_depth() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Upload {
        parts: Vec<Binary>,
    }
    let (listener, address) = listen().await;
    let socket = Client::builder(format!("http://{address}"))
        .build()
        .unwrap()
        .socket("/");
    socket.connect();
    let peer = tokio::spawn(async move {
        let mut peer = accept(&listener).await;
        assert_eq!(
            peer.hear().await,
            r#"451-0["up",{"parts":[{"_placeholder":true,"num":0}]}]"#
        );
        use futures::StreamExt;
        assert_eq!(
            within(peer.0.next()).await.unwrap().unwrap().into_data().to_vec(),
            [1, 2, 3]
        );
        peer.say(r#"461-0[{"parts":[{"_placeholder":true,"num":0}]}]"#).await;
        use futures::SinkExt;
        peer.0
            .send(tokio_tungstenite::tungstenite::Message::binary(vec![9]))
            .await
            .unwrap();
        peer
    });
    let upload = Upload {
        parts: vec![Binary::from(vec![1, 2, 3])],
    };
    let answer: Upload = within(socket.request("up", &upload)).await.unwrap();
    assert_eq!(answer.parts, [Binary::from(vec![9])]);
    peer.await.unwrap();
}

#[tokio::test]
async fn a_cut_is_mended_and_handlers_are_still_registered_once() {
    let (listener, address) = listen().await;
    let socket = Client::builder(format!("http://{address}"))
        .backoff(backoff())
        .build()
        .unwrap()
        .socket("/");
    let (heard, handler) = recorder();
    let _x = socket.on("x", handler("one"));
    let mut states = socket.states();
    socket.connect();
    for _ in 0..3 {
        let peer = accept(&listener).await;
        until(&mut states, "connected").await;
        drop(peer);
        let change = until(&mut states, "waiting").await;
        assert!(
            matches!(change.reason, Some(Reason::TransportError | Reason::TransportClose)),
            "{change:?}"
        );
    }
    let mut peer = accept(&listener).await;
    peer.say(r#"42["x"]"#).await;
    peer.say(r#"421["x"]"#).await;
    let question = socket.emit_with("q", (), EmitOptions::new().ack());
    assert!(peer.hear().await.starts_with("42"));
    peer.say("430[]").await;
    assert!(matches!(within(question).await, Outcome::Delivered(_)));
    while heard.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*heard.lock().unwrap(), ["one:x", "one:x"]);
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_link() {
    let (listener, address) = listen().await;
    let client = Client::builder(format!("http://{address}")).build().unwrap();
    let socket = client.socket("/");
    let mut states = socket.states();
    socket.connect();
    let mut peer = accept(&listener).await;
    until(&mut states, "connected").await;
    let receipt = socket.emit("last", ());
    drop(client);
    drop(socket);
    assert_eq!(peer.hear().await, r#"42["last"]"#);
    assert_eq!(peer.hear().await, "41");
    use futures::StreamExt;
    assert!(matches!(
        within(peer.0.next()).await,
        Some(Ok(tokio_tungstenite::tungstenite::Message::Close(_)))
    ));
    assert_eq!(within(receipt).await, Outcome::Sent);
}

#[tokio::test]
async fn a_client_that_nobody_can_reach_says_why() {
    let (listener, address) = listen().await;
    drop(listener);
    let socket = Client::builder(format!("http://{address}"))
        .max_attempts(0)
        .build()
        .unwrap()
        .socket("/");
    let mut states = socket.states();
    socket.connect();
    let change = until(&mut states, "failed").await;
    assert!(matches!(change.error, Some(Error::Unreachable(_))), "{change:?}");
}

#[tokio::test]
async fn something_that_is_no_socket_io_server_is_told_apart() {
    use tokio::io::AsyncWriteExt;
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        // By WebSocket first, then by polling, in each attempt.
        for answer in [
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhi!\n",
            "garbage\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhi!\n",
        ] {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            tokio::io::AsyncReadExt::read(&mut tcp, &mut request).await.unwrap();
            tcp.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let socket = Client::builder(format!("http://{address}"))
        .backoff(backoff())
        .build()
        .unwrap()
        .socket("/");
    let mut states = socket.states();
    socket.connect();
    // In the second attempt polling is left out.
    for word in ["502", "200", "no session"] {
        let change = until(&mut states, "waiting").await;
        let error = change.error.unwrap();
        assert!(
            error.to_string().contains(word) && error.code() == 2004,
            "{word}: {error}"
        );
    }
    server.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_that_do_not_keep_up_stop_the_reading_and_then_the_link() {
    let (listener, address) = listen().await;
    let mut limits = Limits::default();
    limits.dispatch_events = 4;
    let socket = Client::builder(format!("http://{address}"))
        .limits(limits)
        .backoff(backoff())
        .build()
        .unwrap()
        .socket("/");
    let (release, blocked) = mpsc::channel::<()>();
    let _slow = socket.on("x", move |_| assert!(blocked.recv().is_err()));
    let mut states = socket.states();
    socket.connect();
    let (tcp, _) = within(listener.accept()).await.unwrap();
    let mut peer = support::Peer(tokio_tungstenite::accept_async(tcp).await.unwrap());
    peer.say(r#"0{"sid":"e","upgrades":[],"pingInterval":100,"pingTimeout":100}"#)
        .await;
    peer.hear().await;
    peer.say(support::CONNECT).await;
    until(&mut states, "connected").await;
    for _ in 0..300 {
        peer.say(r#"42["x"]"#).await;
    }
    let change = until(&mut states, "waiting").await;
    assert_eq!(
        (change.reason, change.error),
        (Some(Reason::SlowConsumer), Some(Error::SlowConsumer))
    );
    drop(release);
}

#[tokio::test]
async fn a_provider_is_asked_at_every_attempt_without_a_lock_being_held() {
    let (listener, address) = listen().await;
    let count = Arc::new(Mutex::new(0));
    let slot: Arc<Mutex<Option<rejoin::Socket>>> = Arc::default();
    let (counter, asked) = (Arc::clone(&count), Arc::clone(&slot));
    let client = Client::builder(format!("http://{address}"))
        .backoff(backoff())
        .token_provider(move || {
            // Looking at the client from in here would deadlock under a lock.
            let state = asked.lock().unwrap().as_ref().map(rejoin::Socket::state);
            assert_eq!(state, Some(State::Connecting));
            *counter.lock().unwrap() += 1;
            let token = format!("t{}", counter.lock().unwrap());
            async move { Ok(token) }
        })
        .build()
        .unwrap();
    let socket = client.socket("/");
    *slot.lock().unwrap() = Some(socket.clone());
    let mut states = socket.states();
    socket.connect();
    for attempt in 1..=2 {
        let (tcp, _) = within(listener.accept()).await.unwrap();
        let mut peer = support::Peer(tokio_tungstenite::accept_async(tcp).await.unwrap());
        peer.say(support::OPEN).await;
        assert_eq!(peer.hear().await, format!(r#"40{{"token":"t{attempt}"}}"#));
        peer.say(support::CONNECT).await;
        until(&mut states, "connected").await;
    }
    slot.lock().unwrap().take();
}

#[tokio::test]
async fn path_query_and_headers_are_those_of_the_handshake() {
    use tokio::io::AsyncReadExt;
    let (listener, address) = listen().await;
    let socket = Client::builder(format!("http://{address}?from=url"))
        .path("chat")
        .query("a b", "ü&=")
        .header("x-app", "tea")
        .build()
        .unwrap()
        .socket("/");
    socket.connect();
    let (mut tcp, _) = within(listener.accept()).await.unwrap();
    let mut request = vec![0; 2048];
    let length = within(tcp.read(&mut request)).await.unwrap();
    let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
    let line = "get /chat/?eio=4&transport=websocket&from=url&a%20b=%c3%bc%26%3d http/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
    assert!(request.contains("x-app: tea\r\n"), "{request}");
    assert!(request.contains(&format!("host: {address}\r\n")), "{request}");
}

#[test]
fn outside_of_a_runtime_the_client_says_what_is_missing() {
    let error = Client::builder("http://localhost").build().unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[tokio::test]
async fn wrong_options_are_told_with_their_names() {
    let refused = |built: Result<Client, Error>, code: u16, word: &str| {
        let error = built.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    };
    let builder = || Client::builder("http://example.com");
    refused(Client::builder("nonsense").build(), 1001, "scheme");
    refused(builder().require_tls(true).build(), 2002, "require_tls");
    refused(builder().path("/a b").build(), 1002, "path");
    refused(builder().auth_json("[]").build(), 1002, "auth");
    refused(builder().auth(5).build(), 1002, "auth");
    refused(builder().header("a b", "c").build(), 1002, "headers");
    refused(builder().header("a", "c\n").build(), 1002, "headers");
    refused(builder().ca_pem("no certificate").build(), 1002, "ca_pem");
    refused(builder().ack_timeout(Duration::ZERO).build(), 1002, "ack_timeout");
    let mut backoff = rejoin::BackoffConfig::default();
    backoff.multiplier = 0.5;
    refused(builder().backoff(backoff).build(), 1002, "multiplier");
    let mut limits = Limits::default();
    limits.outgoing = 0;
    refused(builder().limits(limits).build(), 1002, "outgoing");
    let mut typing = rejoin::TypingConfig::default();
    typing.auto_stop = Duration::ZERO;
    let chat = rejoin::RealtimeClient::builder("http://example.com").typing(typing);
    assert_eq!(chat.build().unwrap_err().code(), 1002);
    let mut queue = rejoin::QueueConfig::default();
    queue.capacity = 0;
    refused(builder().queue(queue).build(), 1002, "capacity");
}

#[tokio::test]
async fn what_a_memory_store_holds_is_sent_by_the_next_client_with_the_same_id() {
    let (listener, address) = listen().await;
    let store = rejoin::store::MemoryStore::new();
    let client = || {
        Client::builder(format!("http://{address}"))
            .store(store.clone())
            .delivery(rejoin::Delivery::AtLeastOnce)
    };
    let first = client().build().unwrap();
    let receipt = first
        .socket("/")
        .emit_with("m", serde_json::json!({"n": 1}), EmitOptions::new().reliable());
    within(receipt.accepted()).await.unwrap();
    assert_eq!(store.len(), 1);
    first.close();
    assert_eq!(within(receipt).await, Outcome::Unconfirmed(Error::Closed));
    assert_eq!(store.len(), 1, "closing is not forgetting");

    let socket = client().build().unwrap().socket("/");
    assert_eq!(socket.pending().len(), 1);
    socket.connect();
    let mut peer = accept(&listener).await;
    let frame = peer.hear().await;
    assert!(frame.starts_with(r#"420["m",{"messageId":""#), "{frame}");
    peer.say(r#"430[{"ok":true}]"#).await;
    within(async {
        while !store.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
