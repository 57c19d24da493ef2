//! Rooms: created once, joined by connections, left with them.
//!
//! A room's id is made of its name (`Tea Time` is `tea-time`), so names are unique and a person can
//! type an id. Rooms stay; who is in them does not outlive a connection. Joining and leaving may
//! be repeated without harm, so no copies of them are looked for.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::MutexGuard;
use tokio::task::spawn_blocking;

use super::answer::{Answer, Refusal};
use super::fields::{Fields, MAX_DESCRIPTION, MAX_NAME};
use super::hub::Hub;
use super::messages::take;
use super::order::Place;
use super::password::{self, MAX_PASSWORD};
use super::receipts::{Answered, HandOver, absence};
use super::session::Session;
use crate::clock::{iso8601, unix_ms};
use crate::limits::Action;
use crate::store::{Delivery, Entry, Room, Store};

/// `create_room`: its creator is in it. A copy gets the first answer, and puts the creator's
/// connection into the room where the first one's has gone meanwhile.
pub(super) async fn create<'a>(hub: &'a Hub, session: &Arc<Session>, fields: &Fields) -> Result<Answered<'a>, Refusal> {
    let user = &session.user;
    let once = fields.message_id()?.filter(|_| hub.config.features.dedupe);
    let mut room = requested(session, fields)?;
    let password = fields.optional_text("password", MAX_PASSWORD)?;
    if hub.store.lock().await.before(user, once).await?.is_none() {
        take(hub, session, Action::CreateRoom)?;
        if let Some(password) = password {
            room.password = Some(hashed(hub, password).await?);
        }
    }
    let mut store = hub.store.lock().await;
    // Looked for again: a copy may have come over another connection since.
    let answer = match store.before(user, once).await? {
        Some(first) => {
            hub.counters.duplicates.add(1);
            Answer::from_json(&first.answer)?.into_result()?
        }
        None => found(hub, &mut store, session, once, &room).await?,
    };
    if let Some(id) = &answer.id
        && let Some(room) = store.room(id).await?
    {
        let behind = Some(enter(hub, store, session, id).await?);
        session.send("room_created", &described(&room));
        return Ok(Answered { answer, behind });
    }
    Ok(answer.into())
}

/// `join_room`: answered by `room_joined` or `join_room_failed` beside the acknowledgement. Behind
/// both comes what the user missed there.
pub(super) async fn join<'a>(hub: &'a Hub, session: &Arc<Session>, fields: &Fields) -> Result<Answered<'a>, Refusal> {
    let room = fields.text("roomId", MAX_NAME)?;
    if let Err(refusal) = admit(hub, session, room, fields).await {
        let mut failed = json!({ "roomId": room, "reason": refusal.code });
        if let Some(wait) = refusal.retry_after_ms {
            failed["retryAfterMs"] = json!(wait);
        }
        session.send("join_room_failed", &failed);
        return Err(refusal);
    }
    let turn = hub.store.lock().await;
    let behind = Some(enter(hub, turn, session, room).await?);
    let joined = json!({ "room": room, "members": hub.presence.members(room) });
    session.send("room_joined", &joined);
    let answer = Answer::done_as(room);
    Ok(Answered { answer, behind })
}

/// `leave_room`: leaving a room that one is not in succeeds, since that is what was wanted.
pub(crate) async fn leave(hub: &Hub, session: &Session, fields: &Fields, place: &Place<'_>) -> Result<Answer, Refusal> {
    let room = fields.text("roomId", MAX_NAME)?;
    let mut store = hub.store.lock().await;
    place.take_or_wait(hub, session, Action::JoinRoom)?;
    if hub.presence.leave(room, session) {
        tell_left(hub, session, room);
    }
    // It may be what another connection of the user has joined, which is gone.
    if hub.config.features.receipts && !hub.presence.has(room, &session.user.id) {
        store.leave(&session.user.id, room).await?;
    }
    session.send("room_left", &json!({ "roomId": room }));
    Ok(Answer::done_as(room))
}

/// Tells rooms that a user is no longer in them, at the end of a connection.
pub(super) fn tell_left_all(hub: &Hub, session: &Session, rooms: &[String]) {
    for room in rooms {
        tell_left(hub, session, room);
    }
}

/// Founds a room under a name that is still free, and remembers the answer.
async fn found(
    hub: &Hub,
    store: &mut Store,
    session: &Session,
    once: Option<&str>,
    room: &Room,
) -> Result<Answer, Refusal> {
    let is_taken = store.room(&room.id).await?.is_some();
    let answer = match is_taken {
        true => Answer::refused(Refusal::new(
            "name_taken",
            format!("{}: there is a room of this name", room.name),
        )),
        false => Answer::done_as(&room.id),
    };
    let entry = Entry {
        sender: &session.user,
        once,
        id: &room.id,
        recipient: None,
        room: Some(&room.id),
        content: None,
        timestamp: &iso8601(unix_ms()),
        answer: &answer.to_json(),
        delivery: Delivery::Done,
    };
    if is_taken {
        store.record(&entry).await?;
    } else {
        store.create_room(room, &entry).await?;
        hub.counters.rooms.add(1);
    }
    answer.into_result()
}

/// Whether this connection may enter a room.
async fn admit(hub: &Hub, session: &Session, id: &str, fields: &Fields) -> Result<(), Refusal> {
    take(hub, session, Action::JoinRoom)?;
    let given = fields.optional_text("password", MAX_PASSWORD)?;
    let room = hub.store.lock().await.room(id).await?;
    let room = room.ok_or_else(|| Refusal::new("not_found", format!("{id}: no such room")))?;
    let Some(hash) = room.password else {
        // Nobody can be invited, so without a password a private room has its creator alone.
        return match room.is_private && room.creator != session.user.id {
            true => Err(Refusal::new("private", format!("{id}: the room is private"))),
            false => Ok(()),
        };
    };
    let wrong = || Refusal::new("wrong_password", format!("{id}: not the room's password"));
    let given = given.ok_or_else(wrong)?.to_owned();
    match slow(move || password::verify(&given, &hash)).await? {
        true => Ok(()),
        false => Err(wrong()),
    }
}

/// Puts a connection into a room, and tells the others if its user was not in it; what is to be
/// handed over then.
async fn enter<'a>(
    hub: &Hub,
    mut turn: MutexGuard<'a, Store>,
    session: &Arc<Session>,
    room: &str,
) -> Result<HandOver<'a>, Refusal> {
    if hub.config.features.receipts {
        let (_, long_ago) = absence(hub.config.max_absence);
        turn.enter(&session.user.id, room, long_ago).await?;
    }
    let joined = hub.presence.join(room, session);
    if joined.is_first {
        let payload = json!({ "roomId": room, "user": session.user });
        tell_others(hub, session, room, "user_joined_room", &payload);
    }
    let may_be_owed = hub.config.features.receipts && joined.is_new;
    Ok(HandOver {
        turn,
        room: may_be_owed.then(|| room.to_owned()),
    })
}

fn tell_left(hub: &Hub, session: &Session, room: &str) {
    let payload = json!({ "roomId": room, "user": session.user });
    tell_others(hub, session, room, "user_left_room", &payload);
}

fn tell_others(hub: &Hub, session: &Session, room: &str, event: &str, payload: &Value) {
    for member in hub.presence.in_room(room) {
        if !member.is(session) {
            member.send(event, payload);
        }
    }
}

/// The room that `create_room` asks for, without its password.
fn requested(session: &Session, fields: &Fields) -> Result<Room, Refusal> {
    let name = fields.text("name", MAX_NAME)?;
    let id = id_of(name).ok_or_else(|| Refusal::invalid("name", "must have a letter or digit"))?;
    let description = fields.optional_text("description", MAX_DESCRIPTION)?;
    Ok(Room {
        id,
        name: name.to_owned(),
        description: description.map(str::to_owned),
        is_private: fields.flag("isPrivate")?,
        creator: session.user.id.clone(),
        password: None,
    })
}

/// Letters and digits in lower case, everything between them one hyphen.
fn id_of(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    (!words.is_empty()).then(|| words.join("-"))
}

fn described(room: &Room) -> Value {
    json!({
        "id": room.id,
        "name": room.name,
        "description": room.description,
        "isPrivate": room.is_private,
        "hasPassword": room.password.is_some(),
        "createdBy": room.creator,
    })
}

async fn hashed(hub: &Hub, password: &str) -> Result<Vec<u8>, Refusal> {
    let (password, rounds) = (password.to_owned(), hub.config.password_rounds);
    slow(move || password::hash(&password, rounds)).await
}

/// Runs what takes long on a thread that has nothing else to do.
async fn slow<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| Refusal::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_id_is_what_a_person_would_type() {
        assert_eq!(id_of("Tea Time"), Some("tea-time".into()));
        assert_eq!(id_of("  general!  "), Some("general".into()));
        assert_eq!(id_of("Grüße / 2"), Some("grüße-2".into()));
        assert_eq!(id_of(" -- "), None);
    }
}
