//! A message of the queue as a frame.
//!
//! In the queue, and in a store, a message is what it is over Socket.IO: `["event",{"messageId":"…",…}]`. Only when it is
//! written does it become `{"type":…,"id":…,"data":…}`.

use std::borrow::Cow;

use crate::core::scan::{self, ObjectWriter};
use crate::error::Error;

/// Types that belong to the protocol itself.
const OWN: [&str; 2] = ["authenticate", "ping"];

/// Where the message id stands in a message that the client identified.
const MESSAGE_ID: &str = "{\"messageId\":\"";

/// Why a message has no frame in this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// It has more than one argument.
    Arguments,
    /// It has binary attachments.
    Binary,
    /// Its name is the protocol's own.
    Name,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Arguments => Self::payload("plain JSON takes one argument at most; put them into one object"),
            Refused::Binary => Self::Unsupported("binary attachments in plain JSON".into()),
            Refused::Name => Self::payload("`authenticate` and `ping` belong to the plain-JSON protocol itself"),
        }
    }
}

/// Checks that the message `["event",…]` can be sent.
///
/// # Errors
/// [`Refused`] says why not.
pub fn check(message: &str, attachments: usize) -> Result<(), Refused> {
    let mut elements = scan::elements(message);
    let name = elements.next().unwrap_or_default();
    if OWN.iter().any(|own| scan::name_is(name, own)) {
        return Err(Refused::Name);
    }
    if attachments > 0 {
        return Err(Refused::Binary);
    }
    match elements.nth(1) {
        Some(_) => Err(Refused::Arguments),
        None => Ok(()),
    }
}

/// The id that the client gave the message `["event",{"messageId":"…",…}]`.
pub(super) fn message_id(message: &str) -> Option<&str> {
    let argument = scan::elements(message).nth(1)?;
    identified(argument).map(|(id, _)| id)
}

/// The frame of the message `["event",argument]`. With `id` it asks for an answer.
///
/// `identified` says that the client has put a message id first into the argument: it stands beside the type here, if
/// anywhere. `chat` says that the chat protocol's events have names of their own here.
pub fn encode(message: &str, id: Option<&str>, identified: bool, chat: bool) -> Vec<u8> {
    let mut elements = scan::elements(message);
    let name = elements.next().unwrap_or("\"\"");
    let data = elements.next().map(|argument| match identified {
        true => without_id(argument),
        false => Cow::Borrowed(argument),
    });
    let known = if chat { RENAMED.iter() } else { [].iter() }.find(|(event, _)| scan::name_is(name, event));
    let mut json = Vec::with_capacity(message.len() + 64);
    let mut object = ObjectWriter::new(&mut json);
    match known {
        Some((_, kind)) => object.string("type", kind),
        None => object.raw("type", name),
    };
    if let Some(id) = id {
        object.string("id", id);
    }
    match data {
        Some(data) if known.is_some() && data.starts_with('{') => _ = object.raw("data", &of_room(&data)),
        Some(data) => _ = object.raw("data", &data),
        None => {}
    }
    object.end();
    json
}

/// Events about rooms, and their types here.
const RENAMED: [(&str, &str); 3] = [
    ("group_message", "message"),
    ("join_room", "join_room"),
    ("leave_room", "leave_room"),
];

/// `roomId` is `room` here, and the time is the server's.
fn of_room(data: &str) -> String {
    let mut json = Vec::with_capacity(data.len());
    let mut object = ObjectWriter::new(&mut json);
    for (name, value) in scan::fields(data) {
        match scan::string(name).as_deref() {
            Some("roomId") => _ = object.raw("room", value),
            Some("timestamp") | None => {}
            Some(name) => _ = object.raw(name, value),
        }
    }
    object.end();
    String::from_utf8(json).unwrap_or_default()
}

fn without_id(argument: &str) -> Cow<'_, str> {
    match identified(argument) {
        Some((_, rest)) => Cow::Owned(["{", rest].concat()),
        None => Cow::Borrowed(argument),
    }
}

/// The message id that stands first, and what stands behind it, the closing brace included.
fn identified(argument: &str) -> Option<(&str, &str)> {
    let (id, rest) = argument.strip_prefix(MESSAGE_ID)?.split_once('"')?;
    Some((id, rest.strip_prefix(',').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(message: &str, id: Option<&str>, identified: bool, chat: bool) -> String {
        String::from_utf8(encode(message, id, identified, chat)).expect("UTF-8")
    }

    #[test]
    fn an_event_is_its_name_and_its_first_argument() {
        assert_eq!(frame(r#"["x"]"#, None, false, false), r#"{"type":"x"}"#);
        assert_eq!(frame(r#"["x",null]"#, None, false, true), r#"{"type":"x","data":null}"#);
        assert_eq!(
            frame(r#"["a\"b",[1,2]]"#, Some("i1"), false, true),
            r#"{"type":"a\"b","id":"i1","data":[1,2]}"#
        );
    }

    #[test]
    fn a_message_id_stands_beside_the_type_or_nowhere() {
        let message = r#"["game_move",{"messageId":"m1","move":{"messageId":"inner"}}]"#;
        assert_eq!(message_id(message), Some("m1"));
        assert_eq!(
            frame(message, Some("m1"), true, true),
            r#"{"type":"game_move","id":"m1","data":{"move":{"messageId":"inner"}}}"#
        );
        assert_eq!(
            frame(r#"["x",{"messageId":"m1"}]"#, None, true, true),
            r#"{"type":"x","data":{}}"#
        );
        assert_eq!(
            frame(r#"["x",{"messageId":"the app's"}]"#, None, false, true),
            r#"{"type":"x","data":{"messageId":"the app's"}}"#
        );
    }

    #[test]
    fn rooms_have_their_own_words_in_chat_only() {
        let message = r#"["group_message",{"messageId":"m1","roomId":"r\n","content":"x","timestamp":"t"}]"#;
        assert_eq!(
            frame(message, Some("m1"), true, true),
            r#"{"type":"message","id":"m1","data":{"room":"r\n","content":"x"}}"#
        );
        assert_eq!(
            frame(message, None, true, false),
            r#"{"type":"group_message","data":{"roomId":"r\n","content":"x","timestamp":"t"}}"#
        );
        assert_eq!(
            frame(
                r#"["join_room",{"messageId":"m","roomId":"r","password":"p"}]"#,
                None,
                true,
                true
            ),
            r#"{"type":"join_room","data":{"room":"r","password":"p"}}"#
        );
        assert_eq!(
            frame(
                r#"["leave_room",{"messageId":"m","roomId":"r"}]"#,
                Some("m"),
                true,
                true
            ),
            r#"{"type":"leave_room","id":"m","data":{"room":"r"}}"#
        );
    }

    #[test]
    fn what_has_no_frame_is_refused() {
        assert_eq!(check(r#"["x",{"a":1}]"#, 0), Ok(()));
        assert_eq!(check(r#"["x"]"#, 0), Ok(()));
        assert_eq!(check(r#"["x",1,2]"#, 0), Err(Refused::Arguments));
        assert_eq!(check(r#"["x",1]"#, 1), Err(Refused::Binary));
        assert_eq!(check(r#"["ping"]"#, 0), Err(Refused::Name));
        assert_eq!(check(r#"["p\u0069ng"]"#, 0), Err(Refused::Name));
        assert_eq!(check(r#"["authenticate",{}]"#, 0), Err(Refused::Name));
    }
}
