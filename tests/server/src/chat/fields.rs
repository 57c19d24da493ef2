//! Reading a payload field by field, so that a refusal names the field that is wrong.

use serde_json::{Map, Value};

use super::answer::Refusal;
use crate::clock::{is_iso8601, iso8601, unix_ms};

/// The longest id or name, in bytes.
pub(crate) const MAX_NAME: usize = 128;

/// The longest description of a room, in bytes.
pub(crate) const MAX_DESCRIPTION: usize = 1024;

/// As much of a name as is repeated to the client: what waits to be written would otherwise grow with
/// what a client that does not read makes up.
pub(crate) fn excerpt(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME)]
}

/// The object that an event carries.
#[derive(Debug)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    pub(crate) fn read(payload: Value) -> Result<Self, Refusal> {
        match payload {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Refusal::invalid("payload", "must be one object")),
        }
    }

    /// Text of 1 to `max` bytes.
    pub(crate) fn text(&self, name: &str, max: usize) -> Result<&str, Refusal> {
        match self.0.get(name) {
            Some(Value::String(text)) if (1..=max).contains(&text.len()) => Ok(text),
            _ => Err(Refusal::invalid(name, &format!("must be text of 1 to {max} bytes"))),
        }
    }

    /// The same, or nothing; `null` is nothing.
    pub(crate) fn optional_text(&self, name: &str, max: usize) -> Result<Option<&str>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.text(name, max).map(Some),
        }
    }

    /// A list of 1 to `most` such texts.
    pub(crate) fn texts(&self, name: &str, most: usize, max: usize) -> Result<Vec<&str>, Refusal> {
        let must = || Refusal::invalid(name, &format!("must be 1 to {most} texts of 1 to {max} bytes"));
        let list = self.0.get(name).and_then(Value::as_array).ok_or_else(must)?;
        if !(1..=most).contains(&list.len()) {
            return Err(must());
        }
        let texts = list.iter().map(|item| match item {
            Value::String(text) if (1..=max).contains(&text.len()) => Ok(text.as_str()),
            _ => Err(must()),
        });
        texts.collect()
    }

    /// Any value of at most `max` bytes as JSON.
    pub(crate) fn json(&self, name: &str, max: usize) -> Result<&Value, Refusal> {
        match self.0.get(name) {
            Some(value) if value.to_string().len() <= max => Ok(value),
            _ => Err(Refusal::invalid(name, &format!("must be JSON of at most {max} bytes"))),
        }
    }

    /// A truth value; absent is no.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refusal::invalid(name, "must be true or false")),
        }
    }

    pub(crate) fn message_id(&self) -> Result<Option<&str>, Refusal> {
        self.optional_text("messageId", MAX_NAME)
    }

    /// When the client says that it was written, or now.
    pub(crate) fn timestamp(&self) -> Result<String, Refusal> {
        match self.optional_text("timestamp", MAX_NAME)? {
            None => Ok(iso8601(unix_ms())),
            Some(time) if is_iso8601(time) => Ok(time.to_owned()),
            Some(_) => Err(Refusal::invalid(
                "timestamp",
                "must be ISO 8601 in UTC with milliseconds",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(payload: Value, read: impl Fn(&Fields) -> Result<(), Refusal>) -> String {
        let refused = Fields::read(payload).and_then(|fields| read(&fields));
        let refusal = refused.expect_err("it cannot be taken");
        assert_eq!(refusal.code, "invalid_payload");
        refusal.message
    }

    #[test]
    fn a_refusal_names_the_field() {
        let content = |fields: &Fields| fields.text("content", 3).map(drop);
        for payload in [
            json!({}),
            json!({"content": 1}),
            json!({"content": ""}),
            json!({"content": "long"}),
        ] {
            let message = refusal(payload, content);
            assert_eq!(message, "content: must be text of 1 to 3 bytes");
        }
        let time = |fields: &Fields| fields.timestamp().map(drop);
        assert!(refusal(json!({"timestamp": "today"}), time).starts_with("timestamp:"));
        let flag = |fields: &Fields| fields.flag("isPrivate").map(drop);
        assert!(refusal(json!({"isPrivate": "yes"}), flag).starts_with("isPrivate:"));
        let ids = |fields: &Fields| fields.texts("ids", 2, 3).map(drop);
        for ids_given in [
            json!("a"),
            json!([]),
            json!(["a", 1]),
            json!(["a", "b", "c"]),
            json!(["long"]),
        ] {
            let message = refusal(json!({ "ids": ids_given }), ids);
            assert_eq!(message, "ids: must be 1 to 2 texts of 1 to 3 bytes");
        }
        let made = |fields: &Fields| fields.json("move", 4).map(drop);
        for payload in [json!({}), json!({ "move": "abc" })] {
            assert_eq!(refusal(payload, made), "move: must be JSON of at most 4 bytes");
        }
        assert!(refusal(json!([1]), |_| Ok(())).starts_with("payload:"));
    }
}
