//! Receipts: a message is kept for its user until one of their connections acknowledges it.
//!
//! Every `private_message`, `group_message` and `notification` asks for an acknowledgement: over
//! Socket.IO with an ack id, in plain JSON by its `id`, which is answered with
//! `{"type": "ack", "id": …}`. What the acknowledgement says beside that does not matter.
//!
//! - A receipt is the user's, not a connection's: with several connections each is sent the message,
//!   and the first that acknowledges it does so for all. A device that was in a tunnel meanwhile does
//!   not get it again.
//! - Nothing is sent again by a timer. A private message that is not acknowledged comes again on the
//!   user's next connection, before all that is newer. One to a room comes again when a connection
//!   joins that room, behind the answer: until then the client does not count itself in it. The id is
//!   the same each time.
//! - What is said in a room is owed to all who joined it and did not leave, for `max_absence` after
//!   their last connection in it ended, however it ended; the sender is owed nothing.
//! - At most `max_kept` private messages and `max_kept` of rooms are kept for one user. Beyond it
//!   those that were handed over give way, the oldest first: a client that never acknowledges gets
//!   all that is new, and the last ones once more on return.
//! - Notifications are told on each connection until they are marked read, which says more than an
//!   acknowledgement; theirs changes nothing.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::answer::Answer;
use super::hub::Hub;
use super::messages::hand_over_owed;
use super::session::Session;
use crate::clock::unix_ms;
use crate::store::{Owed, Store};

/// Ends with whether the client has acknowledged; with false, or never, where it will not any more.
pub(super) type Receipt = BoxFuture<'static, bool>;

/// The end of a connection's receipts that is told what to wait for.
#[derive(Clone, Debug)]
pub(super) struct Awaiting(UnboundedSender<(Receipt, Owed)>);

/// The receipts that one connection waits for.
#[derive(Debug)]
pub(super) struct Receipts {
    asked: UnboundedReceiver<(Receipt, Owed)>,
    waiting: FuturesUnordered<BoxFuture<'static, Option<Owed>>>,
    /// A connection that is sent more than waits for it, and acknowledges none of it, never will.
    max: usize,
}

impl Receipts {
    pub(super) fn new(max: usize) -> (Awaiting, Self) {
        let (sender, asked) = unbounded_channel();
        let receipts = Self {
            asked,
            waiting: FuturesUnordered::new(),
            max,
        };
        (Awaiting(sender), receipts)
    }

    /// The next receipt. Nothing is lost where this is dropped before it is ready.
    pub(super) async fn next(&mut self) -> Owed {
        loop {
            tokio::select! {
                asked = self.asked.recv() => match asked {
                    Some((receipt, owed)) => self.wait_for(receipt, owed),
                    None => pending().await,
                },
                Some(ended) = self.waiting.next() => if let Some(owed) = ended {
                    return owed;
                },
            }
        }
    }

    fn wait_for(&mut self, receipt: Receipt, owed: Owed) {
        if self.waiting.len() < self.max {
            let receipt = receipt.map(move |has_come| has_come.then_some(owed));
            self.waiting.push(receipt.boxed());
        }
    }
}

impl Awaiting {
    pub(super) fn wait_for(&self, receipt: Receipt, owed: Owed) {
        let _ = self.0.send((receipt, owed));
    }
}

/// Keeps no longer what was acknowledged: `first`, and what else has come.
pub(super) async fn settle(hub: &Hub, session: &Session, first: Option<Owed>, receipts: &mut Receipts) {
    let mut all: Vec<Owed> = first.into_iter().collect();
    while let Some(owed) = receipts.next().now_or_never() {
        all.push(owed);
    }
    if all.is_empty() {
        return;
    }
    let mut store = hub.store.lock().await;
    if let Err(error) = store.acknowledged(&session.user.id, &all).await {
        tracing::error!(%error, "receipts could not be noted; what they are for will be sent again");
    }
}

/// Sends to all, asking for a receipt where this server keeps them; whether one of them got it.
pub(super) fn deliver(hub: &Hub, receivers: &[Arc<Session>], event: &str, payload: &Value, owed: Option<Owed>) -> bool {
    let sent = receivers.iter().map(|to| send(hub, to, event, payload, owed));
    sent.fold(false, |any, sent| any | sent)
}

/// The same, to one.
pub(super) fn send(hub: &Hub, to: &Session, event: &str, payload: &Value, owed: Option<Owed>) -> bool {
    match hub.config.features.receipts {
        true => to.ask(event, payload, owed),
        false => to.send(event, payload),
    }
}

/// What comes behind the answer to whoever has come into a room. Until then nobody says anything there.
pub(super) struct HandOver<'a> {
    pub(super) turn: MutexGuard<'a, Store>,
    /// The room of which something may be owed.
    pub(super) room: Option<String>,
}

/// What was answered, and what comes behind the answer.
pub(super) struct Answered<'a> {
    pub(super) answer: Answer,
    pub(super) behind: Option<HandOver<'a>>,
}

impl From<Answer> for Answered<'_> {
    fn from(answer: Answer) -> Self {
        Self { answer, behind: None }
    }
}

impl HandOver<'_> {
    pub(super) async fn run(mut self, hub: &Hub, session: &Session) {
        if let Some(room) = self.room
            && let Err(refusal) = hand_over_owed(hub, &mut self.turn, session, &room).await
        {
            session.send("error", &json!(refusal));
        }
    }
}

/// Now, and since when a member has been away for too long.
pub(crate) fn absence(max: Duration) -> (i64, i64) {
    let signed = |ms: u128| i64::try_from(ms).unwrap_or(i64::MAX);
    let now = signed(unix_ms().into());
    (now, now.saturating_sub(signed(max.as_millis())))
}
