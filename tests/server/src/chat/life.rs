//! The life of one connection: greeting, what was kept, then its events one by one.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use socketioxide::extract::{SocketRef, State};
use tokio::time::{Instant, sleep_until};

use super::answer::Refusal;
use super::closing::Closing;
use super::dispatch::handle;
use super::gate::Admitted;
use super::hub::Hub;
use super::order::Lanes;
use super::outlet::{Outlet, Reply};
use super::receipts::{absence, settle};
use super::session::Session;
use super::{friends, messages, notifications, rooms};
use crate::auth::User;

/// One event, read.
pub(crate) struct Received {
    pub(crate) name: String,
    /// The first argument, or null.
    pub(crate) payload: serde_json::Value,
    pub(crate) reply: Reply,
    /// Too much waited before it: it is refused when its turn comes.
    pub(crate) is_too_many: bool,
}

/// The events of one connection, in the order in which they came.
pub(crate) trait Events {
    /// The next one; `None` once the connection has ended. Nothing is lost where this is dropped
    /// before it is ready.
    fn next(&mut self) -> impl Future<Output = Option<Received>> + Send;
}

/// Runs a Socket.IO connection from its CONNECT to its end.
pub(crate) async fn run(socket: SocketRef, State(hub): State<Arc<Hub>>) {
    if let Some((user, mut incoming)) = Admitted::take(&socket) {
        live(&hub, user, Outlet::SocketIo(socket), &mut incoming).await;
    }
}

/// Runs a connection from when its user is known to its end.
pub(crate) async fn live(hub: &Hub, user: User, outlet: Outlet, events: &mut impl Events) {
    let (session, mut receipts) = Session::new(user, outlet, hub.max_waiting(), Lanes::new(hub.config.order_patience));
    let session = Arc::new(session);
    hub.counters.connections_total.add(1);
    if let Err(refusal) = begin(hub, &session).await {
        session.send("error", &json!(refusal));
    }
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            // What was acknowledged before an event is settled before it.
            biased;
            owed = receipts.next() => settle(hub, &session, Some(owed), &mut receipts).await,
            event = events.next() => match event {
                Some(event) if !session.is_closed() => {
                    handle(hub, &session, event).await;
                    heard = Instant::now();
                }
                _ => break,
            },
            () = idle(heard, hub.config.idle_timeout) => {
                session.close(hub, Closing::Idle);
                heard = Instant::now();
            }
        }
    }
    settle(hub, &session, None, &mut receipts).await;
    end(hub, &session).await;
}

/// Greets, makes the connection known, and hands over what was kept for its user, in one step: what
/// is new comes behind all that.
async fn begin(hub: &Hub, session: &Arc<Session>) -> Result<(), Refusal> {
    let mut store = hub.store.lock().await;
    let friends = friends::meet(&mut store, &session.user).await;
    let known = friends.as_deref().unwrap_or_default();
    session.greet(&hub.config.features.announced(), &friends::listed(hub, known));
    let is_first = hub.presence.add(session);
    make_room(hub, session);
    if is_first {
        friends::tell(hub, known, session, "online");
    }
    friends?;
    messages::hand_over_kept(hub, &mut store, session).await?;
    notifications::hand_over(hub, &mut store, session).await
}

/// Waits until nothing was heard for too long; heartbeats and acknowledgements are nothing.
async fn idle(heard: Instant, max: Option<Duration>) {
    match max.and_then(|max| heard.checked_add(max)) {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Leaves everything.
async fn end(hub: &Hub, session: &Session) {
    let mut store = hub.store.lock().await;
    let left = hub.presence.remove(session);
    rooms::tell_left_all(hub, session, &left.rooms);
    if hub.config.features.receipts {
        let (now, _) = absence(hub.config.max_absence);
        if let Err(error) = store.away(&session.user.id, &left.rooms, now).await {
            tracing::error!(%error, "it could not be noted who is away");
        }
    }
    if left.was_last {
        match store.friends(&session.user.id).await {
            Ok(known) => friends::tell(hub, &known, session, "offline"),
            Err(error) => tracing::error!(%error, "friends could not be told"),
        }
    }
}

/// Ends a connection that should not be, or the oldest of too many.
fn make_room(hub: &Hub, session: &Arc<Session>) {
    if hub.is_banned(&session.user.id) {
        session.close(hub, Closing::Banned);
    }
    let Some(max) = hub.config.max_connections else {
        return;
    };
    let mut open = hub.presence.of(&session.user.id);
    open.retain(|connection| connection.is_reachable());
    let over = open.len().saturating_sub(max);
    for oldest in &open[..over] {
        oldest.close(hub, Closing::Replaced);
    }
}
