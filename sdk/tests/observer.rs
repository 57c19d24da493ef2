//! What a binding to another language is told.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]

mod support;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use rejoin::core::{Happening, SocketId};
use rejoin::observer::Observer;
use rejoin::receipt::{Acceptor, Completer};
use rejoin::{Client, EmitOptions, Outcome, RawArgs};
use support::{Peer, accept, backoff, listen, within};

/// Writes down what it is told, each batch in brackets.
struct Notes(UnboundedSender<String>);

impl Observer for Notes {
    fn happened(&self, batch: &[(SocketId, Happening)]) {
        let told = batch.iter().map(|(socket, happening)| match happening {
            Happening::Message { name, payload, .. } => format!("{} {name} {}", socket.0, payload.to_json()),
            Happening::State(change) => format!("{} {}", socket.0, change.state.name()),
            other => format!("{} {other:?}", socket.0),
        });
        self.0
            .unbounded_send(format!("[{}]", told.collect::<Vec<_>>().join(", ")))
            .unwrap();
    }

    fn settled(&self, _: &[Acceptor], ended: &[(Completer, Outcome)]) {
        for (completer, outcome) in ended {
            self.0
                .unbounded_send(format!("{} {}", completer.id(), outcome.name()))
                .unwrap();
        }
    }
}

async fn observed() -> (Client, Peer<tokio::net::TcpStream>, UnboundedReceiver<String>) {
    let (listener, address) = listen().await;
    let (notes, mut told) = unbounded();
    let client = Client::builder(format!("http://{address}"))
        .backoff(backoff())
        .observer(Notes(notes))
        .build()
        .unwrap();
    client.connect();
    let peer = accept(&listener).await;
    while within(told.next()).await.unwrap() != "[0 connected]" {}
    (client, peer, told)
}

#[tokio::test]
async fn an_observer_hears_events_in_order_and_no_handler_is_called() {
    let (client, mut peer, mut told) = observed().await;
    let socket = client.socket("/");
    socket.on("a", |_| panic!("an observer stands in its place")).detach();
    peer.say(r#"42["a",1]"#).await;
    peer.say(r#"42["b"]"#).await;
    peer.say("41").await;
    let mut all = String::new();
    while !all.contains("waiting") {
        all += &within(told.next()).await.unwrap();
    }
    assert_eq!(all.replace("][", ", "), "[0 a [1], 0 b [], 0 waiting]");
}

#[tokio::test]
async fn an_observer_hears_outcomes_of_which_nobody_holds_the_receipt() {
    let (client, mut peer, mut told) = observed().await;
    let socket = client.socket("/");
    let asked = socket
        .emit_raw("ask", RawArgs::json("[]"), EmitOptions::new().ack())
        .id();
    let refused = socket.emit_raw("connect", RawArgs::json("[]"), EmitOptions::new());
    assert!(
        refused.outcome().is_some(),
        "known at once, and told by the receipt alone"
    );
    let said = socket.emit_raw("say", RawArgs::json("[]"), EmitOptions::new()).id();
    let ask = peer.hear().await;
    let id = ask.strip_prefix("42").unwrap().split('[').next().unwrap();
    peer.say(&format!("43{id}[1]")).await;
    let mut outcomes = Vec::new();
    while outcomes.len() < 2 {
        outcomes.push(within(told.next()).await.unwrap());
    }
    assert_eq!(outcomes, [format!("{said} sent"), format!("{asked} delivered"),]);
}
