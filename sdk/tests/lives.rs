//! Locks and lives: what the app's own code may do while the client runs it, drops it or ends.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]
mod support;
use rejoin::{Client, Event, State};
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
fn an_auth_provider_that_panics_ends_no_driver() {
    let runtime = runtime();
    let _guard = runtime.enter();
    let client = Client::builder("http://127.0.0.1:9")
        .auth_provider(|| async {
            if true {
                panic!("deliberate")
            }
            Ok("{}".to_owned())
        })
        .build()
        .unwrap();
    let socket = client.socket("/");
    socket.connect();
    let ok = (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        !matches!(socket.state(), State::Connecting)
    });
    let receipt = socket.emit("m", ());
    client.close();
    let ended = (0..20).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        receipt.outcome().is_some()
    });
    let state = socket.state();
    std::mem::forget(runtime);
    assert!(ok && ended, "{state:?} {:?}", receipt.outcome());
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
        tokio::time::sleep(Duration::from_millis(300)).await;
        let later = socket.emit("n", ());
        let answered = tokio::time::timeout(Duration::from_secs(5), later).await;
        let _ = (&mut peer, receipt);
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
        let waiting = tokio::spawn({
            let socket = socket.clone();
            async move { socket.writable().await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
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
    let client = Client::builder("http://127.0.0.1:9")
        .auth_provider(move || {
            let uses = Uses(Arc::clone(&given));
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
    std::thread::sleep(Duration::from_millis(200));
    let again = socket.clone();
    assert!(ends(move || {
        again.disconnect();
        std::thread::sleep(Duration::from_millis(200));
        again.connect();
        std::thread::sleep(Duration::from_millis(300));
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
