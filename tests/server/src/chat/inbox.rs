//! The events of one connection, kept in the order in which they came.
//!
//! socketioxide runs every event in a task of its own, which keeps no order. This handler is called
//! before that, by the task that reads the connection, and puts the event into a queue that the
//! connection's session works off one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, Event, TryData};
use socketioxide::handler::{FromMessageParts, MessageHandler, Value as Raw};
use socketioxide::socket::Socket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::answer::{Answer, Refusal};
use super::life::{Events, Received};
use super::outlet::Reply;

/// The end that the connection's reader puts events into.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    queue: UnboundedSender<Item>,
    waiting: Arc<AtomicUsize>,
}

/// The end that the session takes events from.
#[derive(Debug)]
pub(crate) struct Incoming {
    queue: UnboundedReceiver<Item>,
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug)]
enum Item {
    Event(Arc<Socket>, Raw, Option<i64>),
    Gone,
}

/// Marks [`Inbox`] as its own kind of handler.
pub(crate) enum InOrder {}

/// How many bytes may wait in one inbox; beyond it events are refused, to be sent again.
const MAX_WAITING: usize = 16 * 1024 * 1024;

/// What an event costs beside its text.
const OVERHEAD: usize = 128;

/// When to try again after the inbox was full.
const FULL_RETRY: Duration = Duration::from_secs(1);

impl Inbox {
    pub(crate) fn new() -> (Self, Incoming) {
        let (sender, receiver) = unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let inbox = Self {
            queue: sender,
            waiting: waiting.clone(),
        };
        let incoming = Incoming {
            queue: receiver,
            waiting,
        };
        (inbox, incoming)
    }

    /// Notes that the connection has ended; what came before is still handled.
    pub(crate) fn gone(&self) {
        let _ = self.queue.send(Item::Gone);
    }
}

impl MessageHandler<LocalAdapter, InOrder> for Inbox {
    fn call(&self, socket: Arc<Socket>, mut raw: Raw, ack: Option<i64>) {
        let cost = cost(&raw);
        if self.waiting.fetch_add(cost, Ordering::Relaxed) > MAX_WAITING {
            self.waiting.fetch_sub(cost, Ordering::Relaxed);
            let answer = Answer::refused(Refusal::rate_limited(FULL_RETRY));
            let Ok(sender) = AckSender::from_message_parts(&socket, &mut raw, &ack);
            let _ = sender.send(&answer);
            return;
        }
        let _ = self.queue.send(Item::Event(socket, raw, ack));
    }
}

impl Events for Incoming {
    async fn next(&mut self) -> Option<Received> {
        match self.queue.recv().await? {
            Item::Event(socket, raw, ack) => {
                self.waiting.fetch_sub(cost(&raw), Ordering::Relaxed);
                Some(read(&socket, raw, ack))
            }
            Item::Gone => None,
        }
    }
}

fn cost(raw: &Raw) -> usize {
    raw.len() + OVERHEAD
}

fn read(socket: &Arc<Socket>, mut raw: Raw, ack: Option<i64>) -> Received {
    let name = Event::from_message_parts(socket, &mut raw, &ack);
    let Ok(sender) = AckSender::from_message_parts(socket, &mut raw, &ack);
    let Ok(TryData(payload)) = TryData::from_message_parts(socket, &mut raw, &ack);
    Received {
        name: name.map(|Event(name)| name).unwrap_or_default(),
        payload: payload.unwrap_or_default(),
        reply: ack.map_or(Reply::Nowhere, |_| Reply::SocketIo(sender)),
    }
}
