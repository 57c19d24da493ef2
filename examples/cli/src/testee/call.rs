//! The methods of the chat layer, by their TypeScript names.

use rejoin::{Error, NewRoom, RealtimeClient, Receipt, Target};
use serde_json::{Map, Value};

use super::lines::{Refusal, malformed};
use super::options::unsupported;

/// What a method gives back.
pub(super) enum Called {
    /// It does something that has no outcome.
    Done,
    /// It sends something.
    Sent(Receipt),
}

/// Calls a method.
pub(super) fn call(chat: &RealtimeClient, method: &str, args: Vec<Value>) -> Result<Called, Refusal> {
    let mut args = Args(args.into_iter());
    let call: Box<dyn FnOnce() -> Called + '_> = match method {
        "sendPrivateMessage" => {
            let (user, content) = (args.text("userId")?, args.text("content")?);
            Box::new(move || Called::Sent(chat.send_private_message(&user, &content)))
        }
        "sendGroupMessage" => {
            let (room, content) = (args.text("roomId")?, args.text("content")?);
            Box::new(move || Called::Sent(chat.send_group_message(&room, &content)))
        }
        "startTyping" => {
            let target = args.target()?;
            Box::new(move || {
                chat.start_typing(target);
                Called::Done
            })
        }
        "stopTyping" => {
            let target = args.target()?;
            Box::new(move || {
                chat.stop_typing(target);
                Called::Done
            })
        }
        "joinRoom" => {
            let (room, password) = (args.text("roomId")?, args.optional_text("password")?);
            Box::new(move || {
                Called::Sent(match password {
                    Some(password) => chat.join_room_with_password(&room, &password),
                    None => chat.join_room(&room),
                })
            })
        }
        "leaveRoom" => {
            let room = args.text("roomId")?;
            Box::new(move || Called::Sent(chat.leave_room(&room)))
        }
        "createRoom" => {
            let room = args.room()?;
            Box::new(move || Called::Sent(chat.create_room(room)))
        }
        "inviteToGame" => {
            let (user, game) = (args.text("userId")?, args.text("gameType")?);
            Box::new(move || Called::Sent(chat.invite_to_game(&user, &game)))
        }
        "sendGameMove" => {
            let (game, played) = (args.text("gameId")?, args.any("move")?);
            Box::new(move || Called::Sent(chat.send_game_move(&game, played)))
        }
        "markNotificationsRead" => {
            let ids = args.texts("notificationIds")?;
            Box::new(move || Called::Sent(chat.mark_notifications_read(ids)))
        }
        "forget" => Box::new(move || {
            chat.forget();
            Called::Done
        }),
        _ => return Err(malformed(format!("there is no method `{method}`"))),
    };
    args.end()?;
    Ok(call())
}

/// Arguments, of which each is taken once and in order.
struct Args(std::vec::IntoIter<Value>);

impl Args {
    fn text(&mut self, name: &str) -> Result<String, Refusal> {
        self.optional_text(name)?
            .ok_or_else(|| malformed(format!("argument `{name}` is missing")))
    }

    fn optional_text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        text(self.0.next(), name)
    }

    fn any(&mut self, name: &str) -> Result<Value, Refusal> {
        self.0
            .next()
            .ok_or_else(|| malformed(format!("argument `{name}` is missing")))
    }

    fn texts(&mut self, name: &str) -> Result<Vec<String>, Refusal> {
        serde_json::from_value(self.any(name)?).map_err(|error| malformed(format!("`{name}`: {error}")))
    }

    fn target(&mut self) -> Result<Target, Refusal> {
        let kind = self.text("type")?;
        let id = self.text("target")?;
        match kind.as_str() {
            "private" => Ok(Target::user(id)),
            "group" => Ok(Target::room(id)),
            _ => Err(malformed("argument `type` is `private` or `group`")),
        }
    }

    fn room(&mut self) -> Result<NewRoom, Refusal> {
        let Some(Value::Object(mut fields)) = self.0.next() else {
            return Err(malformed("argument `room` is not an object"));
        };
        let mut field = |name: &str| text(fields.remove(name), name);
        let room = NewRoom {
            name: field("name")?.ok_or_else(|| malformed("field `name` is missing"))?,
            description: field("description")?,
            password: field("password")?,
            is_private: is_private(&mut fields)?,
        };
        match fields.keys().next() {
            None => Ok(room),
            Some(unknown) => Err(malformed(format!("a room has no field `{unknown}`"))),
        }
    }

    fn end(mut self) -> Result<(), Refusal> {
        match self.0.next() {
            None => Ok(()),
            Some(_) => Err(malformed("there are more arguments than the method has")),
        }
    }
}

fn text(value: Option<Value>, name: &str) -> Result<Option<String>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(malformed(format!("`{name}` is not a string"))),
    }
}

fn is_private(fields: &mut Map<String, Value>) -> Result<bool, Refusal> {
    match fields.remove("isPrivate") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(private)) => Ok(private),
        Some(_) => Err(malformed("`isPrivate` is not a boolean")),
    }
}

/// What a client without the chat layer answers.
pub(super) fn no_chat() -> Error {
    unsupported("a method of the chat layer: the client was made without it, or on another client's link")
}
