//! Messages: stored and delivered in one step, kept for who is away, never delivered twice.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Answer, Refusal};
use super::fields::{Fields, MAX_NAME};
use super::hub::Hub;
use super::notifications::notify;
use super::order::Place;
use super::receipts::{self, absence};
use super::session::Session;
use crate::auth::User;
use crate::limits::Action;
use crate::store::{Before, Delivery, Entry, Notification, Owed, Recorded, Store};

/// `private_message`: to every connection of one user, or kept until that user connects.
pub(crate) async fn to_user(
    hub: &Hub,
    session: &Session,
    fields: &Fields,
    place: &Place<'_>,
) -> Result<Answer, Refusal> {
    let recipient = fields.text("recipientId", MAX_NAME)?;
    let message = Message::read(hub, session, fields)?;
    let mut store = hub.store.lock().await;
    let mut receivers = hub.presence.of(recipient);
    receivers.retain(|to| to.is_reachable());
    let taken = match place.take(hub, session, Action::PrivateMessage) {
        Ok(()) if receivers.is_empty() => room_to_keep(hub, &mut store, recipient).await,
        taken => taken,
    };
    if let Err(refusal) = taken {
        let first = store.before(&session.user, message.once).await?;
        let first = first.ok_or_else(|| place.remember(refusal))?;
        let done = message.again(hub, first)?;
        return Ok(done.confirm(session, "recipientId", recipient));
    }
    let answer = Answer::done_as(&message.id);
    let json = answer.to_json();
    let entry = Entry {
        recipient: Some(recipient),
        delivery: match (receivers.is_empty(), hub.config.features.receipts) {
            (true, _) => Delivery::Kept,
            (false, true) => Delivery::HandedOver,
            (false, false) => Delivery::Done,
        },
        ..message.entry(&json)
    };
    let done = match store.record(&entry).await? {
        Recorded::Copy(first) => message.again(hub, first)?,
        Recorded::New { seq } => {
            hub.counters.messages.add(1);
            let payload = private(&message.id, message.from, message.content, &message.timestamp);
            let owed = Some(Owed::Private(seq));
            let delivered = receipts::deliver(hub, &receivers, "private_message", &payload, owed);
            if !delivered {
                if !receivers.is_empty() {
                    store.keep(seq).await?;
                }
                hub.counters.kept.add(1);
                let notification = Notification::of_message(message.from, message.content);
                notify(hub, &mut store, recipient, &notification).await?;
            }
            if hub.config.features.receipts {
                store.give_way(recipient, hub.config.max_kept).await?;
            }
            if recipient != message.from.id {
                store.befriend(&message.from.id, recipient).await?;
            }
            Done { answer, delivered }
        }
    };
    Ok(done.confirm(session, "recipientId", recipient))
}

/// `group_message`: to every connection in a room but the sender's own, which is in it too.
pub(crate) async fn to_room(
    hub: &Hub,
    session: &Session,
    fields: &Fields,
    place: &Place<'_>,
) -> Result<Answer, Refusal> {
    let room = fields.text("roomId", MAX_NAME)?;
    let message = Message::read(hub, session, fields)?;
    let mut store = hub.store.lock().await;
    if let Err(refusal) = place.take(hub, session, Action::GroupMessage) {
        let first = store.before(&session.user, message.once).await?;
        let first = first.ok_or_else(|| place.remember(refusal))?;
        let done = message.again(hub, first)?;
        return Ok(done.confirm(session, "roomId", room));
    }
    let mut receivers = hub.presence.in_room(room);
    let answer = match receivers.iter().position(|member| member.is(session)) {
        Some(own) => {
            receivers.remove(own);
            Answer::done_as(&message.id)
        }
        None => {
            receivers.clear();
            Answer::refused(not_member(room))
        }
    };
    let json = answer.to_json();
    let entry = Entry {
        room: Some(room),
        delivery: match receivers.is_empty() {
            true => Delivery::Kept,
            false => Delivery::Done,
        },
        ..message.entry(&json)
    };
    let recorded = match hub.config.features.receipts && answer.error.is_none() {
        true => {
            let (_, long_ago) = absence(hub.config.max_absence);
            let members = store.members(room, &session.user.id, long_ago).await?;
            let max = hub.config.max_kept;
            store.record_owed(&entry, room, &members, max).await?
        }
        false => store.record(&entry).await?,
    };
    let done = match recorded {
        Recorded::Copy(first) => message.again(hub, first)?,
        Recorded::New { seq } => {
            let answer = answer.into_result()?;
            hub.counters.messages.add(1);
            let payload = group(room, &message.id, message.from, message.content, &message.timestamp);
            let owed = |to: &Session| (to.user.id != session.user.id).then_some(Owed::Room(seq));
            let sent = receivers
                .iter()
                .map(|to| receipts::send(hub, to, "group_message", &payload, owed(to)));
            let delivered = sent.fold(false, |any, sent| any | sent);
            Done { answer, delivered }
        }
    };
    Ok(done.confirm(session, "roomId", room))
}

/// Hands over what was kept while the user was away, or was not acknowledged, oldest first.
pub(super) async fn hand_over_kept(hub: &Hub, store: &mut Store, session: &Session) -> Result<(), Refusal> {
    let user = &session.user.id;
    let mut upto = None;
    for kept in store.kept(user).await? {
        let payload = private(&kept.id, &kept.sender, &kept.content, &kept.timestamp);
        let owed = Some(Owed::Private(kept.seq));
        if !receipts::send(hub, session, "private_message", &payload, owed) {
            break;
        }
        if !kept.is_again {
            hub.counters.kept.sub(1);
        }
        upto = Some(kept.seq);
    }
    if let Some(upto) = upto {
        let delivery = match hub.config.features.receipts {
            true => Delivery::HandedOver,
            false => Delivery::Done,
        };
        store.delivered(user, upto, delivery).await?;
    }
    Ok(())
}

/// Hands over what is owed to the user of what was said in a room, oldest first.
pub(super) async fn hand_over_owed(hub: &Hub, store: &mut Store, session: &Session, room: &str) -> Result<(), Refusal> {
    for kept in store.owed(&session.user.id, room).await? {
        let payload = group(room, &kept.id, &kept.sender, &kept.content, &kept.timestamp);
        let owed = Some(Owed::Room(kept.seq));
        if !receipts::send(hub, session, "group_message", &payload, owed) {
            break;
        }
    }
    Ok(())
}

/// The refusal of whatever only members of a room may do.
pub(crate) fn not_member(room: &str) -> Refusal {
    Refusal::new("not_member", format!("{room}: join the room first"))
}

/// Counts an action against its limit, and warns when most of it is used.
pub(crate) fn take(hub: &Hub, session: &Session, action: Action) -> Result<(), Refusal> {
    let taken = hub.limiter.take(&session.user.id, action);
    if taken.map_err(Refusal::rate_limited)?.is_warning {
        let warning = json!({ "message": "slow down: most of what one window takes is used" });
        session.send("warning", &warning);
    }
    Ok(())
}

/// A message as it came.
struct Message<'a> {
    from: &'a User,
    once: Option<&'a str>,
    id: String,
    content: &'a str,
    timestamp: String,
}

/// A message that was taken, now or before.
struct Done {
    answer: Answer,
    delivered: bool,
}

impl<'a> Message<'a> {
    fn read(hub: &Hub, session: &'a Session, fields: &'a Fields) -> Result<Self, Refusal> {
        let id = fields.message_id()?;
        Ok(Self {
            from: &session.user,
            once: id.filter(|_| hub.config.features.dedupe),
            id: id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned),
            content: fields.text("content", hub.config.max_content)?,
            timestamp: fields.timestamp()?,
        })
    }

    /// Its row in the ledger, for nobody yet.
    fn entry<'b>(&'b self, answer: &'b str) -> Entry<'b> {
        Entry {
            sender: self.from,
            once: self.once,
            id: &self.id,
            recipient: None,
            room: None,
            content: Some(self.content),
            timestamp: &self.timestamp,
            answer,
            delivery: Delivery::Kept,
        }
    }

    /// Answers a copy as the first was answered.
    fn again(&self, hub: &Hub, first: Before) -> Result<Done, Refusal> {
        hub.counters.duplicates.add(1);
        let answer = Answer::from_json(&first.answer)?.into_result()?;
        Ok(Done {
            answer,
            delivered: first.delivered,
        })
    }
}

impl Done {
    /// Sends `message_sent`, which goes with the acknowledgement of each message and each copy.
    fn confirm(self, session: &Session, target: &str, name: &str) -> Answer {
        let payload = json!({
            "id": self.answer.id,
            target: name,
            "delivered": self.delivered,
        });
        session.send("message_sent", &payload);
        self.answer
    }
}

fn private(id: &str, sender: &User, content: &str, timestamp: &str) -> Value {
    json!({ "id": id, "sender": sender, "content": content, "timestamp": timestamp })
}

fn group(room: &str, id: &str, sender: &User, content: &str, timestamp: &str) -> Value {
    json!({ "id": id, "room": room, "sender": sender, "content": content, "timestamp": timestamp })
}

/// Sends to all; whether one of them got it.
pub(super) fn deliver(receivers: &[Arc<Session>], event: &str, payload: &Value) -> bool {
    let sent = receivers.iter().map(|to| to.send(event, payload));
    sent.fold(false, |any, sent| any | sent)
}

/// Whether one more message can be kept for a user who is away.
async fn room_to_keep(hub: &Hub, store: &mut Store, recipient: &str) -> Result<(), Refusal> {
    if store.count_kept(Some(recipient)).await? < u64::from(hub.config.max_kept) {
        return Ok(());
    }
    let full = format!("{recipient}: too many messages wait for this user");
    Err(Refusal::new("mailbox_full", full))
}
