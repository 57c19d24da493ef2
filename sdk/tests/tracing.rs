//! What the client tells a subscriber of `tracing`, and what it keeps to itself.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use rejoin::{EmitOptions, NewRoom, RealtimeClient, Target};
use support::{OPEN, Peer, accept, backoff, listen, until, within};
use tracing_subscriber::fmt::format::FmtSpan;

/// Everything that was told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Accepts a client and waits for its CONNECT.
async fn greeted(listener: &tokio::net::TcpListener) -> Peer<tokio::net::TcpStream> {
    let (tcp, _) = within(listener.accept()).await.unwrap();
    let mut peer = Peer(within(tokio_tungstenite::accept_async(tcp)).await.unwrap());
    peer.say(OPEN).await;
    peer.hear().await;
    peer
}

/// One thread, so that the subscriber of this thread hears all of it.
#[tokio::test(flavor = "current_thread")]
async fn what_happens_is_told_and_no_secret_is() {
    let told = Told::default();
    let writer = told.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let (listener, address) = listen().await;
    let chat = RealtimeClient::builder(format!("http://{address}/?key=secret-query"))
        .query("more", "secret-parameter")
        .header("authorization", "secret-header")
        .token("secret-token")
        .backoff(backoff())
        .build()
        .unwrap();
    let mut states = chat.socket().states();
    let _panics = chat.socket().on_any(|event| panic!("{}", event.payload().to_json()));
    let _queued = chat.send_private_message("secret-recipient", "secret-content");
    let _room = chat.join_room_with_password("general", "secret-password");
    let _created = chat.create_room(NewRoom {
        name: "secret-name".to_owned(),
        password: Some("secret-password".to_owned()),
        ..NewRoom::default()
    });
    chat.connect();
    let mut peer = accept(&listener).await;
    peer.say(r#"42["private_message",{"id":"1","content":"secret-incoming"}]"#)
        .await;
    peer.say(r#"42["connection_status",{"userId":"u1","features":[]}]"#)
        .await;
    peer.say(r#"42["room_joined",{"room":"general"}]"#).await;
    until(&mut states, "connected").await;
    chat.start_typing(Target::user("secret-recipient"));
    let volatile = EmitOptions::new().volatile();
    let _emitted = chat.socket().emit_with("news", "secret-payload", volatile);
    peer.say("garbage with secret-garbage").await;
    until(&mut states, "waiting").await;
    let mut peer = greeted(&listener).await;
    peer.say(r#"44{"message":"secret-refusal","data":{"why":"secret-data"}}"#)
        .await;
    until(&mut states, "failed").await;
    chat.close();

    let told = String::from_utf8(told.0.lock().unwrap().clone()).unwrap();
    for word in [
        "rejoin",
        "127.0.0.1",
        "connected",
        "parse error",
        "opening a link",
        "a handler panicked",
    ] {
        assert!(told.contains(word), "`{word}` is not told in:\n{told}");
    }
    let secrets: Vec<_> = told.lines().filter(|line| line.contains("secret")).collect();
    assert!(secrets.is_empty(), "{secrets:#?}");
}
