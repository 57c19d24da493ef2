//! Locks and lives: what the app's own code may do while the client runs it, drops it or ends.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]
mod support;
use rejoin::{Client, Event};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use support::{accept, listen};

/// Runs `work` on a thread of its own; false if it hangs.
fn ends(work: impl FnOnce() + Send + 'static) -> bool {
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    wait.recv_timeout(Duration::from_secs(5)).is_ok()
}
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
fn client(runtime: &tokio::runtime::Runtime) -> Client {
    let _guard = runtime.enter();
    Client::builder("http://127.0.0.1:9").build().unwrap()
}

#[test]
fn dropping_the_subscription_of_a_handler_that_holds_the_last_socket() {
    assert!(ends(|| {
        let runtime = runtime();
        let client = client(&runtime);
        let socket = client.socket("/");
        let own = socket.clone();
        let subscription = socket.on("x", move |_: &Event| {
            let _ = own.state();
        });
        drop(client);
        drop(socket);
        drop(subscription);
        std::mem::forget(runtime);
    }));
}

#[test]
fn off_of_a_handler_that_owns_a_subscription() {
    assert!(ends(|| {
        let runtime = runtime();
        let socket = client(&runtime).socket("/");
        let other = socket.on("y", |_: &Event| {});
        socket
            .on("x", move |_: &Event| {
                let _ = &other;
            })
            .detach();
        socket.off("x");
        std::mem::forget(runtime);
    }));
}

#[test]
fn close_with_a_handler_that_owns_a_subscription() {
    assert!(ends(|| {
        let runtime = runtime();
        let client = client(&runtime);
        let socket = client.socket("/");
        let other = socket.on("y", |_: &Event| {});
        socket
            .on("x", move |_: &Event| {
                let _ = &other;
            })
            .detach();
        client.close();
        std::mem::forget(runtime);
    }));
}

#[test]
fn close_with_a_state_handler_that_holds_the_last_socket() {
    let (done, wait) = mpsc::channel();
    struct Tell(mpsc::Sender<()>);
    impl Drop for Tell {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let runtime = runtime();
    let client = client(&runtime);
    let socket = client.socket("/");
    let own = socket.clone();
    // Declared first: a closure's captures are dropped in order of use; the teller comes after the socket.
    let tell = Tell(done);
    socket
        .on_state(move |_| {
            let _ = own.state();
            let _ = &tell;
        })
        .detach();
    client.close();
    drop(client);
    drop(socket);
    let freed = wait.recv_timeout(Duration::from_secs(5)).is_ok();
    std::mem::forget(runtime);
    assert!(freed);
}

#[test]
fn the_longest_ack_timeout_ends_no_driver() {
    let runtime = runtime();
    runtime.block_on(async {
        let (listener, address) = listen().await;
        let socket = Client::builder(format!("http://{address}"))
            .build()
            .unwrap()
            .socket("/");
        socket.connect();
        let mut peer = accept(&listener).await;
        let receipt = socket.emit_with("m", (), rejoin::EmitOptions::new().timeout(Duration::MAX));
        assert!(peer.hear().await.contains("\"m\""));
        let later = socket.emit("n", ());
        let answered = tokio::time::timeout(Duration::from_secs(5), later).await;
        drop(receipt);
        assert!(answered.is_ok());
    });
}

#[test]
fn a_writable_that_is_waited_for_ends_with_the_client() {
    let runtime = runtime();
    runtime.block_on(async {
        let mut queue = rejoin::QueueConfig::default();
        queue.capacity = 1;
        queue.overflow = rejoin::Overflow::Reject;
        let client = Client::builder("http://127.0.0.1:9").queue(queue).build().unwrap();
        let socket = client.socket("/");
        let _r = socket.emit("m", ());
        let mut waiting = Box::pin(socket.writable());
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        client.close();
        assert!(tokio::time::timeout(Duration::from_secs(5), waiting).await.is_ok());
    });
}

#[test]
fn an_auth_future_that_is_replaced_may_use_the_socket_when_dropped() {
    struct Uses(Arc<Mutex<Option<rejoin::Socket>>>);
    impl Drop for Uses {
        fn drop(&mut self) {
            if let Some(s) = &*self.0.lock().unwrap() {
                let _ = s.state();
            }
        }
    }
    let runtime = runtime();
    let _guard = runtime.enter();
    let slot: Arc<Mutex<Option<rejoin::Socket>>> = Arc::default();
    let given = Arc::clone(&slot);
    let (asked, questions) = mpsc::channel();
    let asked = Mutex::new(asked);
    let client = Client::builder("http://127.0.0.1:9")
        .auth_provider(move || {
            let uses = Uses(Arc::clone(&given));
            asked.lock().unwrap().send(()).unwrap();
            async move {
                let _uses = uses;
                std::future::pending::<Result<String, String>>().await
            }
        })
        .build()
        .unwrap();
    let socket = client.socket("/");
    *slot.lock().unwrap() = Some(socket.clone());
    socket.connect();
    let again = socket.clone();
    assert!(ends(move || {
        questions.recv().unwrap();
        again.disconnect();
        again.connect();
        // The second question replaces the first, whose future is dropped by then.
        questions.recv().unwrap();
        let _ = again.state();
    }));
    std::mem::forget(runtime);
}

#[test]
fn every_writer_that_did_not_have_to_wait_is_forgotten() {
    let runtime = runtime();
    runtime.block_on(async {
        let client = Client::builder("http://127.0.0.1:9").build().unwrap();
        let socket = client.socket("/");
        let mut wakers = Vec::new();
        for _ in 0..100 {
            struct Nothing;
            impl std::task::Wake for Nothing {
                fn wake(self: Arc<Self>) {}
            }
            let nothing = Arc::new(Nothing);
            let waker = std::task::Waker::from(Arc::clone(&nothing));
            let mut writable = Box::pin(socket.writable());
            let ready = Future::poll(writable.as_mut(), &mut std::task::Context::from_waker(&waker));
            assert!(ready.is_ready());
            drop((waker, writable));
            wakers.push(nothing);
        }
        assert!(
            wakers.iter().all(|w| Arc::strong_count(w) == 1),
            "{} are kept",
            wakers.iter().filter(|w| Arc::strong_count(w) > 1).count()
        );
    });
}

/// A provider that owns a handle, and how to see whether it is still there.
fn owning_provider() -> (Arc<Mutex<Option<Client>>>, rejoin::Builder<Client>) {
    let slot: Arc<Mutex<Option<Client>>> = Arc::default();
    let owned = Arc::clone(&slot);
    let builder = Client::builder("http://127.0.0.1:9").auth_provider(move || {
        let _owned = Arc::clone(&owned);
        async { Ok("{}".to_owned()) }
    });
    (slot, builder)
}

/// Waits until nobody else holds it.
async fn let_go<T>(slot: &Arc<T>) -> bool {
    let alone = async {
        while Arc::strong_count(slot) > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), alone).await.is_ok()
}

#[test]
fn a_closed_client_lets_go_of_the_provider_that_holds_it() {
    let runtime = runtime();
    runtime.block_on(async {
        let (slot, builder) = owning_provider();
        let client = builder.build().unwrap();
        *slot.lock().unwrap() = Some(client.clone());
        let socket = client.socket("/");
        socket.connect();
        client.close();
        drop((client, socket));
        assert!(let_go(&slot).await);
    });
}

#[test]
fn a_provider_that_another_token_replaced_is_let_go_of() {
    let runtime = runtime();
    runtime.block_on(async {
        let (slot, builder) = owning_provider();
        let client = builder.build().unwrap();
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let socket = client.socket("/");
        let _states = socket.on_state(move |_| {
            let _ = told.send(());
        });
        socket.connect();
        // The task that runs handlers knows the socket by now.
        heard.recv().await.unwrap();
        client.set_token("another");
        assert!(let_go(&slot).await);
    });
}

#[test]
fn what_a_stream_of_states_wakes_may_use_the_socket() {
    struct Uses(Mutex<rejoin::Socket>, Mutex<mpsc::Sender<()>>);
    impl std::task::Wake for Uses {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().on("x", |_: &Event| {}).detach();
            let _ = self.1.lock().unwrap().send(());
        }
    }
    let runtime = runtime();
    let socket = client(&runtime).socket("/");
    let (used, wait) = mpsc::channel();
    let waker = Arc::new(Uses(Mutex::new(socket.clone()), Mutex::new(used))).into();
    let mut states = socket.states();
    let mut next = std::task::Context::from_waker(&waker);
    assert!(futures::StreamExt::poll_next_unpin(&mut states, &mut next).is_pending());
    socket.connect();
    let woken = wait.recv_timeout(Duration::from_secs(5)).is_ok();
    std::mem::forget(runtime);
    assert!(woken);
}
