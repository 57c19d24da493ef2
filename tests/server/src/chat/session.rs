//! The life of one connection: greeting, kept messages, then its events one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde_json::{Value, json};
use socketioxide::extract::{SocketRef, State};

use super::answer::{Answer, Refusal};
use super::fields::Fields;
use super::gate::Admitted;
use super::hub::Hub;
use super::inbox::Received;
use super::{messages, rooms, typing};
use crate::auth::User;

/// One connection of one user.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) user: User,
    socket: SocketRef,
    /// Set when something could not be sent. From then on it counts as away, or a later message
    /// would overtake the one that is missing.
    stuck: AtomicBool,
}

/// Runs a connection from its CONNECT to its end.
pub(crate) async fn run(socket: SocketRef, State(hub): State<Arc<Hub>>) {
    let Some((user, mut incoming)) = Admitted::take(&socket) else {
        return;
    };
    let session = Arc::new(Session {
        user,
        socket,
        stuck: AtomicBool::new(false),
    });
    hub.counters.connections_total.add(1);
    session.greet(&hub);
    if let Err(refusal) = messages::hand_over_kept(&hub, &session).await {
        session.send("error", &json!(refusal));
    }
    while let Some(event) = incoming.next().await {
        handle(&hub, &session, event).await;
    }
    rooms::leave_all(&hub, &session).await;
}

impl Session {
    /// Sends an event; whether it was handed to the connection.
    pub(crate) fn send(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> bool {
        let sent = self.is_reachable() && self.socket.emit(event, payload).is_ok();
        if !sent {
            self.stuck.store(true, Ordering::Relaxed);
        }
        sent
    }

    /// Whether it has taken all that was sent so far. One that has not is disconnected, as soon as
    /// there is room for the packet that says so.
    pub(crate) fn is_reachable(&self) -> bool {
        let is_stuck = self.stuck.load(Ordering::Relaxed);
        if is_stuck {
            let _ = self.socket.clone().disconnect();
        }
        !is_stuck
    }

    /// Whether both are the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.socket.id == other.socket.id
    }

    fn greet(&self, hub: &Hub) {
        let greeting = json!({
            "connected": true,
            "userId": self.user.id,
            "username": self.user.username,
            "features": json!(hub.config.features.announced()),
        });
        self.send("connection_status", &greeting);
    }
}

/// Does what an event asks for, and answers.
async fn handle(hub: &Hub, session: &Arc<Session>, event: Received) {
    let Received { name, payload, ack } = event;
    let message_id = payload.get("messageId").cloned();
    let done = match Fields::read(payload) {
        Ok(fields) => dispatch(hub, session, &name, &fields).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &done
        && refusal.is_rate_limit()
    {
        hub.counters.rate_limited.add(1);
    }
    match (ack, done) {
        (Some(ack), done) if hub.config.features.ack => {
            let answer = done.unwrap_or_else(Answer::refused);
            if let Err(error) = ack.send(&answer) {
                tracing::debug!(%error, "an acknowledgement could not be sent");
            }
        }
        (_, Err(refusal)) => complain(session, &name, message_id, &refusal),
        (_, Ok(_)) => {}
    }
}

async fn dispatch(hub: &Hub, session: &Arc<Session>, name: &str, fields: &Fields) -> Result<Answer, Refusal> {
    match name {
        "private_message" => messages::to_user(hub, session, fields).await,
        "group_message" => messages::to_room(hub, session, fields).await,
        "typing_start" | "typing_stop" => typing::relay(hub, session, name, fields),
        "join_room" => rooms::join(hub, session, fields).await,
        "leave_room" => rooms::leave(hub, session, fields).await,
        "create_room" => rooms::create(hub, session, fields).await,
        _ => Err(Refusal::new(
            "unknown_event",
            format!("{name}: this server does not know it"),
        )),
    }
}

/// Tells a client that did not ask for an acknowledgement what was refused.
fn complain(session: &Session, event: &str, message_id: Option<Value>, refusal: &Refusal) {
    let name = match refusal.is_rate_limit() {
        true => "rate_limit_exceeded",
        false => "error",
    };
    let mut payload = json!(refusal);
    payload["event"] = json!(event);
    if let Some(id) = message_id {
        payload["messageId"] = id;
    }
    session.send(name, &payload);
}
