//! What a plain-JSON connection writes: frames from a queue, in a task of its own, so that a client
//! that is slow to read is still read from.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::SplitSink;
use futures::{FutureExt, SinkExt};
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::frames;
use super::upgrade::WebSocket;
use crate::chat::answer::Answer;
use crate::chat::receipts::Receipt;

/// The way to a plain-JSON client.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    queue: Sender<Message>,
    asked: Arc<Mutex<VecDeque<Asked>>>,
}

/// An event whose `id` is to be acknowledged.
#[derive(Debug)]
struct Asked {
    id: String,
    come: oneshot::Sender<()>,
}

/// The other end of an [`Outlet`].
pub(crate) type Queue = Receiver<Message>;

/// The half of a WebSocket that writes.
pub(super) type Writer = SplitSink<WebSocket, Message>;

impl Outlet {
    /// An outlet that holds so many frames.
    pub(crate) fn new(max_waiting: usize) -> (Self, Queue) {
        let (sender, queue) = channel(max_waiting);
        let outlet = Self {
            queue: sender,
            asked: Arc::default(),
        };
        (outlet, queue)
    }

    /// Says an event; false where the connection has ended or has no room.
    pub(crate) fn say(&self, event: &str, payload: &Value) -> bool {
        self.put(Message::text(frames::event(event, payload)))
    }

    /// Says an event that asks for an acknowledgement; `None` where it was not said. Of too many that
    /// are not acknowledged the oldest are waited for no more.
    pub(crate) fn ask(&self, event: &str, payload: &Value) -> Option<Receipt> {
        let (come, has_come) = oneshot::channel();
        let mut asked = self.lock();
        if !self.say(event, payload) {
            return None;
        }
        if asked.len() >= self.queue.max_capacity() {
            asked.pop_front();
        }
        let id = payload["id"].as_str().unwrap_or_default().to_owned();
        asked.push_back(Asked { id, come });
        Some(has_come.map(|come| come.is_ok()).boxed())
    }

    /// Notes that the client has acknowledged the event of this `id`, the oldest if there are several.
    pub(super) fn acknowledged(&self, id: &str) {
        let mut asked = self.lock();
        if let Some(place) = asked.iter().position(|asked| asked.id == id)
            && let Some(asked) = asked.remove(place)
        {
            let _ = asked.come.send(());
        }
    }

    /// Answers the frame with this `id`.
    pub(crate) fn acknowledge(&self, id: &str, answer: &Answer) -> bool {
        self.put(Message::text(frames::ack(id, answer)))
    }

    /// Closes the connection behind what was said.
    pub(crate) fn close(&self, code: u16, reason: &'static str) -> bool {
        let close = CloseFrame {
            code: code.into(),
            reason: Utf8Bytes::from_static(reason),
        };
        self.put(Message::Close(Some(close)))
    }

    fn put(&self, message: Message) -> bool {
        self.queue.try_send(message).is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what comes through the queue, up to a close, and hands the writer back.
pub(super) async fn write(mut writer: Writer, mut queue: Queue) -> Writer {
    while let Some(message) = queue.recv().await {
        let is_close = message.is_close();
        if writer.feed(message).await.is_err() {
            break;
        }
        // One flush for all that waits.
        let waits = !queue.is_empty() && !is_close;
        if !waits && writer.flush().await.is_err() || is_close {
            break;
        }
    }
    writer
}
