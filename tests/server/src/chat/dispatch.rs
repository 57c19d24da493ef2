//! From an event to what it does, and to its answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::fields::{Fields, MAX_NAME, excerpt};
use super::hub::Hub;
use super::inbox::FULL_RETRY;
use super::life::Received;
use super::order::{self, Place};
use super::receipts::Answered;
use super::session::Session;
use super::{games, messages, notifications, rooms, typing};

/// Does what an event asks for, and answers.
pub(super) async fn handle(hub: &Hub, session: &Arc<Session>, event: Received) {
    let Received {
        name,
        payload,
        reply,
        is_too_many,
    } = event;
    let message_id = payload.get("messageId").cloned();
    let done = match Fields::read(payload) {
        Ok(fields) => {
            let place = Place::of(hub, session, &name, &fields, reply.is_wanted());
            let done = match is_too_many {
                true => Err(place.remember(Refusal::rate_limited(FULL_RETRY))),
                false => dispatch(hub, session, &name, &fields, &place).await,
            };
            if !done.as_ref().is_err_and(Refusal::is_rate_limit) {
                place.settle();
            }
            done
        }
        Err(refusal) => Err(refusal),
    };
    let (done, behind) = match done {
        Ok(Answered { answer, behind }) => (Ok(answer), behind),
        Err(refusal) => (Err(refusal), None),
    };
    if let Err(refusal) = &done
        && refusal.is_rate_limit()
    {
        hub.counters.rate_limited.add(1);
    }
    if hub.config.features.ack && reply.is_wanted() {
        reply.send(&done.unwrap_or_else(Answer::refused));
    } else if let Err(refusal) = done {
        complain(session, &name, message_id, &refusal);
    }
    if let Some(behind) = behind {
        behind.run(hub, session).await;
    }
}

async fn dispatch<'a>(
    hub: &'a Hub,
    session: &Arc<Session>,
    name: &str,
    fields: &Fields,
    place: &Place<'_>,
) -> Result<Answered<'a>, Refusal> {
    let done = match name {
        "join_room" => return rooms::join(hub, session, fields).await,
        "create_room" => return rooms::create(hub, session, fields).await,
        "private_message" => messages::to_user(hub, session, fields, place).await,
        "group_message" => messages::to_room(hub, session, fields, place).await,
        "typing_start" | "typing_stop" => typing::relay(hub, session, name, fields),
        "leave_room" => rooms::leave(hub, session, fields, place).await,
        "game_invite" => games::invite(hub, session, fields, place).await,
        "game_move" => games::make_move(hub, session, fields, place).await,
        "mark_notifications_read" => notifications::mark_read(hub, session, fields, place).await,
        "skip" if hub.config.features.order => order::skip(session, fields),
        _ => Err(Refusal::new(
            "unknown_event",
            format!("{}: this server does not know it", excerpt(name)),
        )),
    };
    done.map(Answered::from)
}

/// Tells a client that did not ask for an acknowledgement what was refused.
fn complain(session: &Session, event: &str, message_id: Option<Value>, refusal: &Refusal) {
    let name = match refusal.is_rate_limit() {
        true => "rate_limit_exceeded",
        false => "error",
    };
    let mut payload = json!(refusal);
    payload["event"] = json!(excerpt(event));
    if let Some(Value::String(id)) = message_id
        && id.len() <= MAX_NAME
    {
        payload["messageId"] = json!(id);
    }
    session.send(name, &payload);
}
