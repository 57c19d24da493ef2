//! The driver, the dispatch task and the registry over real sockets: ends, panics, full queues.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use rejoin::store::{Contents, Store, StoreFuture, Transaction};
use rejoin::{Client, EmitOptions, Error, Limits, Notice, Outcome, Reason, State};
use support::{accept, backoff, listen, until, within};

#[tokio::test]
async fn an_auth_provider_that_panics_is_a_failed_attempt_and_is_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let socket = Client::builder("http://127.0.0.1:9")
        .backoff(backoff())
        .auth_provider(move || {
            let first = count.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                assert!(!first, "deliberate");
                Ok("{}".to_owned())
            }
        })
        .build()
        .unwrap()
        .socket("/");
    let mut states = socket.states();
    socket.connect();
    let change = until(&mut states, "waiting").await;
    assert!(matches!(change.error, Some(Error::AuthFailed(_))), "{change:?}");
    until(&mut states, "connecting").await;
    within(async {
        while asked.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[test]
fn a_runtime_that_ends_first_leaves_no_receipt_and_no_writer_waiting() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut queue = rejoin::QueueConfig::default();
    queue.capacity = 1;
    queue.overflow = rejoin::Overflow::Reject;
    let socket = {
        let _guard = runtime.enter();
        let client = Client::builder("http://127.0.0.1:9").queue(queue).build().unwrap();
        client.socket("/")
    };
    let receipt = socket.emit("m", ());
    let (waiting, waited) = std::sync::mpsc::channel();
    let (ended, end) = std::sync::mpsc::channel();
    let writer = socket.clone();
    std::thread::spawn(move || {
        let mut writable = Box::pin(writer.writable());
        let ready = futures::FutureExt::now_or_never(&mut writable);
        waiting.send(ready.is_none()).unwrap();
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(writable);
        let _ = ended.send(());
    });
    assert!(waited.recv().unwrap(), "the queue is full");
    runtime.shutdown_timeout(support::DEADLINE);
    assert_eq!(receipt.outcome(), Some(Outcome::Rejected(Error::Closed)));
    assert_eq!(socket.state(), State::Closed);
    end.recv_timeout(support::DEADLINE).expect("the writer was woken");
}

#[test]
fn a_runtime_that_ends_first_ends_the_streams_behind_the_last_change() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let guard = runtime.enter();
    let socket = Client::builder("http://127.0.0.1:9").build().unwrap().socket("/");
    drop(guard);
    let states = socket.states();
    socket.connect();
    drop(runtime);
    let told: Vec<State> = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(states.map(|change| change.state).collect());
    assert_eq!(told.last(), Some(&State::Closed));
}

#[tokio::test]
async fn two_writers_of_one_task_are_both_told() {
    let mut queue = rejoin::QueueConfig::default();
    queue.capacity = 1;
    queue.overflow = rejoin::Overflow::Reject;
    let socket = Client::builder("http://127.0.0.1:9")
        .queue(queue)
        .build()
        .unwrap()
        .socket("/");
    let waiting = socket.emit("m", ());
    let both = futures::future::join(socket.writable(), socket.writable());
    futures::pin_mut!(both);
    assert!(futures::poll!(both.as_mut()).is_pending());
    assert!(waiting.cancel());
    within(both).await;
}

#[tokio::test]
async fn reading_goes_on_when_handlers_have_caught_up_and_nothing_is_lost() {
    for bytes in [false, true] {
        let (listener, address) = listen().await;
        let mut limits = Limits::default();
        if bytes {
            limits.dispatch_bytes = 40;
        } else {
            limits.dispatch_events = 4;
        }
        let client = Client::builder(format!("http://{address}"))
            .limits(limits)
            .build()
            .unwrap();
        let socket = client.socket("/");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&heard);
        let _x = socket.on("x", move |event| {
            writer.lock().unwrap().push(event.get::<u32>(0).unwrap());
        });
        socket.connect();
        let mut peer = accept(&listener).await;
        for n in 0..2000 {
            peer.say(&format!(r#"42["x",{n}]"#)).await;
        }
        within(async {
            while heard.lock().unwrap().len() < 2000 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert!(heard.lock().unwrap().iter().copied().eq(0..2000));
        assert_eq!(socket.state(), State::Connected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_handlers_do_not_keep_up_with_stop_the_reading_too() {
    let (listener, address) = listen().await;
    let mut limits = Limits::default();
    limits.dispatch_bytes = 1000;
    let socket = Client::builder(format!("http://{address}"))
        .limits(limits)
        .backoff(backoff())
        .build()
        .unwrap()
        .socket("/");
    let (release, blocked) = std::sync::mpsc::channel::<()>();
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
    let large = format!(r#"42["x","{}"]"#, "x".repeat(600));
    for _ in 0..3 {
        peer.say(&large).await;
    }
    let change = until(&mut states, "waiting").await;
    assert_eq!(change.reason, Some(Reason::SlowConsumer));
    drop(release);
}

#[tokio::test]
async fn a_store_that_fails_refuses_the_message_and_says_so() {
    struct Full;
    impl Store for Full {
        fn load(&mut self) -> StoreFuture<'_, Contents> {
            Box::pin(async { Ok(Contents::default()) })
        }
        fn apply(&mut self, _: Transaction) -> StoreFuture<'_, ()> {
            Box::pin(async { Err(Error::Store("disk full".into())) })
        }
    }
    let socket = Client::builder("http://127.0.0.1:9")
        .store(Full)
        .build()
        .unwrap()
        .socket("/");
    let receipt = socket.emit_with("m", serde_json::json!({}), EmitOptions::new().reliable());
    assert_eq!(
        within(receipt).await,
        Outcome::Rejected(Error::Store("disk full".into()))
    );
}

#[tokio::test]
async fn the_last_change_reaches_handlers_and_streams_end_behind_it() {
    let client = Client::builder("http://127.0.0.1:9").build().unwrap();
    let socket = client.socket("/");
    let told = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&told);
    let _states = socket.on_state(move |change| writer.lock().unwrap().push(change.state));
    let mut states = socket.states();
    client.close();
    assert_eq!(until(&mut states, "closed").await.state, State::Closed);
    assert!(within(states.next()).await.is_none());
    assert_eq!(*told.lock().unwrap(), [State::Closed]);
}

#[tokio::test]
async fn closing_a_client_that_has_nothing_more_to_tell_ends_its_streams() {
    let client = Client::builder("http://127.0.0.1:9").build().unwrap();
    let socket = client.socket("/");
    let mut states = socket.states();
    socket.connect();
    until(&mut states, "connecting").await;
    socket.disconnect();
    until(&mut states, "closed").await;
    tokio::task::yield_now().await;
    client.close();
    assert!(within(states.next()).await.is_none());
    assert!(within(socket.states().next()).await.is_none(), "and later ones at once");
}

#[tokio::test]
async fn a_handler_registered_after_the_end_is_let_go_at_once() {
    let client = Client::builder("http://127.0.0.1:9").build().unwrap();
    let socket = client.socket("/");
    client.close();
    let held = Arc::new(());
    let own = Arc::clone(&held);
    socket.on("x", move |_| drop(Arc::clone(&own))).detach();
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test]
async fn panics_in_handlers_of_states_and_of_notices_stop_nobody_else() {
    let client = Client::builder("http://127.0.0.1:9").build().unwrap();
    let socket = client.socket("/");
    let told = Arc::new(Mutex::new(Vec::new()));
    let (one, two) = (Arc::clone(&told), Arc::clone(&told));
    let _panics = socket.on_notice(|_| panic!("deliberate"));
    let _notices = socket.on_notice(move |notice| {
        assert!(matches!(notice, Notice::HandlerError(_)));
        one.lock().unwrap().push("notice");
    });
    let _bad = socket.on_state(|_| panic!("deliberate"));
    let _good = socket.on_state(move |_| two.lock().unwrap().push("state"));
    socket.connect();
    within(async {
        while told.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(told.lock().unwrap()[..2], ["notice", "state"]);
}

#[tokio::test]
async fn off_any_and_a_once_that_was_removed_in_the_same_round_are_not_called() {
    let (listener, address) = listen().await;
    let client = Client::builder(format!("http://{address}")).build().unwrap();
    let socket = client.socket("/");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tell = |what: &'static str| {
        let heard = Arc::clone(&heard);
        move |_: &rejoin::Event| heard.lock().unwrap().push(what)
    };
    socket.on_any(tell("any")).detach();
    socket.off_any();
    let slot = Arc::new(Mutex::new(None));
    let first = Arc::clone(&slot);
    socket.on("x", move |_| drop(first.lock().unwrap().take())).detach();
    *slot.lock().unwrap() = Some(socket.once("x", tell("once")));
    socket.on("x", tell("end")).detach();
    socket.connect();
    let mut peer = accept(&listener).await;
    peer.say(r#"42["x"]"#).await;
    within(async {
        while !heard.lock().unwrap().contains(&"end") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(*heard.lock().unwrap(), ["end"]);
}
