//! The events of one connection, kept in the order in which they came.
//!
//! socketioxide runs every event in a task of its own, which keeps no order. This handler is called
//! before that, by the task that reads the connection, and puts the event into a queue that the
//! connection's session works off one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use socketioxide::adapter::LocalAdapter;
use socketioxide::extract::{AckSender, Event, TryData};
use socketioxide::handler::{FromMessageParts, MessageHandler, Value as Raw};
use socketioxide::socket::Socket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::fields::{MAX_NAME, excerpt};
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

enum Item {
    Event(Arc<Socket>, Raw, Option<i64>),
    TooMany(Box<Received>),
    Gone,
}

/// Marks [`Inbox`] as its own kind of handler.
pub(crate) enum InOrder {}

/// How many bytes may wait in one inbox. Beyond it events are refused, to be sent again, each when
/// its turn comes: one before it in its lane may be refused as well, and has to be the first. Beyond
/// twice as many the connection ends.
const MAX_WAITING: usize = 16 * 1024 * 1024;

/// What an event costs beside its text.
const OVERHEAD: usize = 128;

/// What an event costs of which little is kept: a name and [`PLACE`].
const OUTLINE: usize = 1024;

/// The fields that tell an event's place in its lane.
const PLACE: [&str; 4] = ["messageId", "recipientId", "roomId", "gameId"];

/// When to try again after the inbox was full.
pub(super) const FULL_RETRY: Duration = Duration::from_secs(1);

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
    fn call(&self, socket: Arc<Socket>, raw: Raw, ack: Option<i64>) {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let (cost, item) = match waiting {
            ..=MAX_WAITING => (cost(&raw), Item::Event(socket, raw, ack)),
            _ if waiting > 2 * MAX_WAITING => {
                let _ = socket.disconnect();
                return;
            }
            _ => (OUTLINE, Item::TooMany(Box::new(outline(read(&socket, raw, ack))))),
        };
        // Only the connection's reader adds to it.
        self.waiting.fetch_add(cost, Ordering::Relaxed);
        let _ = self.queue.send(item);
    }
}

impl Events for Incoming {
    async fn next(&mut self) -> Option<Received> {
        match self.queue.recv().await? {
            Item::Event(socket, raw, ack) => {
                self.waiting.fetch_sub(cost(&raw), Ordering::Relaxed);
                Some(read(&socket, raw, ack))
            }
            Item::TooMany(event) => {
                self.waiting.fetch_sub(OUTLINE, Ordering::Relaxed);
                Some(*event)
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
        is_too_many: false,
    }
}

/// What is needed of an event in order to refuse it.
fn outline(event: Received) -> Received {
    let place = PLACE.into_iter().filter_map(|field| match event.payload.get(field)? {
        Value::String(id) if id.len() <= MAX_NAME => Some((field.to_owned(), Value::from(id.as_str()))),
        _ => None,
    });
    Received {
        name: excerpt(&event.name).to_owned(),
        payload: Value::Object(place.collect::<Map<_, _>>()),
        reply: event.reply,
        is_too_many: true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::User;
    use crate::chat::dispatch::handle;
    use crate::chat::hub::Hub;
    use crate::chat::json;
    use crate::chat::outlet::Outlet;
    use crate::chat::session::Session;
    use crate::config::ServerConfig;

    #[tokio::test]
    async fn what_there_was_no_room_for_is_small_and_its_lane_waits_for_it_in_its_place() {
        let hub = Hub::open(ServerConfig::default()).await.expect("a database");
        let user = User {
            id: "u1".to_owned(),
            username: "Alice".to_owned(),
        };
        let (outlet, mut queue) = json::Outlet::new(100);
        let (session, _receipts) = Session::new(
            user,
            Outlet::Json(outlet.clone()),
            100,
            crate::chat::order::Lanes::new(Duration::ZERO),
        );
        let session = Arc::new(session);
        let message = |id: &str| Received {
            name: "private_message".to_owned(),
            payload: json!({ "recipientId": "u2", "content": "x".repeat(10_000), "messageId": id }),
            reply: Reply::Json(outlet.clone(), id.to_owned()),
            is_too_many: false,
        };
        let small = outline(message("m2"));
        assert!(small.payload.to_string().len() < OUTLINE);
        let mut refused = Vec::new();
        for event in [message("m1"), small, message("m3"), message("m2"), message("m3")] {
            handle(&hub, &session, event).await;
            while let Ok(frame) = queue.try_recv() {
                let frame: Value = serde_json::from_str(frame.to_text().expect("text")).expect("JSON");
                if frame["type"] == "ack" {
                    refused.push(frame["error"].clone());
                }
            }
        }
        assert_eq!(
            (&refused[0], &refused[3], &refused[4]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!(
            (&refused[1]["retryAfterMs"], &refused[1]["behind"]),
            (&json!(1000), &Value::Null)
        );
        assert_eq!(refused[2]["behind"], "m2");
    }
}
