//! Typing: passed on to the recipient or to the room's members, never stored.

use std::sync::Arc;

use serde_json::json;

use super::answer::{Answer, Refusal};
use super::fields::{Fields, MAX_NAME};
use super::hub::Hub;
use super::messages::{not_member, take};
use super::session::Session;
use crate::limits::Action;

/// `typing_start` and `typing_stop`.
pub(crate) fn relay(hub: &Hub, session: &Session, event: &str, fields: &Fields) -> Result<Answer, Refusal> {
    take(hub, session, Action::Typing)?;
    let mut payload = json!({ "userId": session.user.id });
    if event == "typing_start" {
        payload["username"] = json!(session.user.username);
    }
    let watchers: Vec<Arc<Session>> = match fields.text("type", MAX_NAME)? {
        "private" => hub.presence.of(fields.text("recipientId", MAX_NAME)?),
        "group" => {
            let room = fields.text("roomId", MAX_NAME)?;
            if !hub.presence.is_in(room, session) {
                return Err(not_member(room));
            }
            payload["roomId"] = json!(room);
            let mut members = hub.presence.in_room(room);
            members.retain(|member| member.user.id != session.user.id);
            members
        }
        _ => return Err(Refusal::invalid("type", "must be \"private\" or \"group\"")),
    };
    for watcher in watchers {
        watcher.send(event, &payload);
    }
    Ok(Answer::done())
}
