//! What a plain-JSON connection writes: frames from a queue, in a task of its own, so that a client
//! that is slow to read is still read from.

use futures::SinkExt;
use futures::stream::SplitSink;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::frames;
use super::upgrade::WebSocket;
use crate::chat::answer::Answer;

/// The way to a plain-JSON client.
#[derive(Clone, Debug)]
pub(crate) struct Outlet(Sender<Message>);

/// The other end of an [`Outlet`].
pub(super) type Queue = Receiver<Message>;

/// The half of a WebSocket that writes.
pub(super) type Writer = SplitSink<WebSocket, Message>;

impl Outlet {
    /// An outlet that holds so many frames.
    pub(super) fn new(max_waiting: usize) -> (Self, Queue) {
        let (sender, queue) = channel(max_waiting);
        (Self(sender), queue)
    }

    /// Says an event; false where the connection has ended or has no room.
    pub(crate) fn say(&self, event: &str, payload: &Value) -> bool {
        self.put(Message::text(frames::event(event, payload)))
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
        self.0.try_send(message).is_ok()
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
