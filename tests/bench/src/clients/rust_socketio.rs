//! `rust_socketio`'s asynchronous client, over WebSocket from the start.
//!
//! It leaves Nagle's algorithm on and offers no way to change that: writes behind one another are gathered by the
//! kernel, which makes emitting cheap, and CONNECT waits some 40 ms for the server's delayed TCP acknowledgement. Its acknowledgement ids are random below 999, which one
//! acknowledgement at a time does not mind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures::FutureExt;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use serde_json::{Value, from_value, to_value};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Subject;
use crate::workload::{BoxError, Message};

const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// What handlers tell the workload.
enum Signal {
    Connected,
    Counted,
    Received,
    Replied(u64),
    Failed(String),
}

pub(super) struct Session {
    client: Client,
    signals: UnboundedReceiver<Signal>,
    signal: UnboundedSender<Signal>,
    /// "news" still to come until [`Signal::Received`].
    outstanding: Arc<AtomicU64>,
}

impl Subject for Session {
    async fn connect(url: &str) -> Result<Self, BoxError> {
        let (signal, signals) = unbounded_channel();
        let outstanding = Arc::new(AtomicU64::new(0));
        let tell = |what: fn() -> Signal| {
            let signal = signal.clone();
            move |_: Payload, _: Client| {
                let _ = signal.send(what());
                async {}.boxed()
            }
        };
        let failed = signal.clone();
        let received = signal.clone();
        let remaining = Arc::clone(&outstanding);
        let client = ClientBuilder::new(url)
            .transport_type(TransportType::Websocket)
            .reconnect(false)
            .on(Event::Connect, tell(|| Signal::Connected))
            .on("counted", tell(|| Signal::Counted))
            .on(Event::Error, move |payload, _| {
                let _ = failed.send(Signal::Failed(format!("{payload:?}")));
                async {}.boxed()
            })
            .on("news", move |payload, _| {
                match first(payload) {
                    Ok(message) if message.id == 123_456 => {}
                    _ => drop(received.send(Signal::Failed("a damaged message".into()))),
                }
                if remaining.fetch_sub(1, Relaxed) == 1 {
                    let _ = received.send(Signal::Received);
                }
                async {}.boxed()
            })
            .connect()
            .await?;
        let mut session = Self {
            client,
            signals,
            signal,
            outstanding,
        };
        match session.next().await? {
            Signal::Connected => Ok(session),
            _ => Err("not connected".into()),
        }
    }

    async fn emit(&mut self, count: u64) -> Result<(), BoxError> {
        self.client.emit("expect", to_value(count)?).await?;
        let mut message = Message::new(0);
        for id in 0..count {
            message.id = id;
            self.client.emit("count", to_value(&message)?).await?;
        }
        match self.next().await? {
            Signal::Counted => Ok(()),
            _ => Err("not counted".into()),
        }
    }

    async fn receive(&mut self, count: u64) -> Result<(), BoxError> {
        self.outstanding.store(count, Relaxed);
        self.client.emit("flood", to_value(count)?).await?;
        match self.next().await? {
            Signal::Received => Ok(()),
            _ => Err("not received".into()),
        }
    }

    async fn round_trips(&mut self, count: u64) -> Result<(), BoxError> {
        let mut message = Message::new(0);
        for id in 0..count {
            message.id = id;
            let signal = self.signal.clone();
            let replied = move |payload: Payload, _: Client| {
                let _ = signal.send(match first(payload) {
                    Ok(message) => Signal::Replied(message.id),
                    Err(error) => Signal::Failed(error.to_string()),
                });
                async {}.boxed()
            };
            self.client
                .emit_with_ack("echo", to_value(&message)?, ACK_TIMEOUT, replied)
                .await?;
            match self.next().await? {
                Signal::Replied(reply) if reply == id => {}
                _ => return Err("another message's acknowledgement".into()),
            }
        }
        Ok(())
    }
}

impl Session {
    async fn next(&mut self) -> Result<Signal, BoxError> {
        match self.signals.recv().await {
            Some(Signal::Failed(error)) => Err(error.into()),
            Some(signal) => Ok(signal),
            None => Err("the client ended".into()),
        }
    }
}

/// The first argument as the benchmark's message.
fn first(payload: Payload) -> Result<Message, BoxError> {
    let Payload::Text(values) = payload else {
        return Err("not text".into());
    };
    match values.into_iter().next() {
        // An acknowledgement's arguments come as one array, an event's one by one.
        Some(Value::Array(arguments)) => first(Payload::Text(arguments)),
        Some(value) => Ok(from_value(value)?),
        None => Err("no argument".into()),
    }
}
