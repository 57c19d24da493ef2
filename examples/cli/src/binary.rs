//! Binary arguments: `{"$binary":"<base64>"}` in what is read and printed is an attachment of the message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rejoin::{Error, Payload, RawArgs};
use serde_json::value::RawValue;
use serde_json::{Value, json};

const KEY: &str = "$binary";

/// Arguments as the client takes them.
///
/// Without binary their text is handed on as it is, so that numbers keep their digits and objects their order.
pub(crate) fn outgoing(args: Option<&RawValue>) -> Result<RawArgs, Error> {
    let json = args.map_or("[]", RawValue::get);
    if !json.contains(KEY) {
        return Ok(RawArgs::json(json));
    }
    let mut value: Value = serde_json::from_str(json).map_err(|error| payload(&error.to_string()))?;
    let mut raw = RawArgs::default();
    detach(&mut value, &mut raw)?;
    raw.json = value.to_string();
    Ok(raw)
}

/// What the server sent, as one line of JSON.
pub(crate) fn incoming(payload: &Payload) -> Box<RawValue> {
    let json = payload.to_json();
    // A server's line breaks between values would end the line.
    if payload.attachments().is_empty() && !json.contains(['\n', '\r']) {
        return RawValue::from_string(json).expect("the client hands on valid JSON only");
    }
    let mut value: Value = serde_json::from_str(&json).expect("the client hands on valid JSON only");
    attach(&mut value, payload);
    serde_json::value::to_raw_value(&value).expect("a JSON value is JSON")
}

fn detach(value: &mut Value, raw: &mut RawArgs) -> Result<(), Error> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| detach(item, raw)),
        Value::Object(fields) => {
            let Some(text) = fields.get(KEY).and_then(Value::as_str).filter(|_| fields.len() == 1) else {
                return fields.values_mut().try_for_each(|field| detach(field, raw));
            };
            let bytes = STANDARD
                .decode(text)
                .map_err(|error| payload(&format!("`{KEY}`: {error}")))?;
            *value = json!({ "_placeholder": true, "num": raw.attachments.len() });
            raw.attachments.push(bytes.into());
            Ok(())
        }
        _ => Ok(()),
    }
}

fn attach(value: &mut Value, payload: &Payload) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| attach(item, payload)),
        Value::Object(fields) => {
            let number = (fields.get("_placeholder") == Some(&Value::Bool(true)))
                .then(|| fields.get("num")?.as_u64())
                .flatten();
            let bytes = number.and_then(|number| payload.attachments().get(usize::try_from(number).ok()?));
            match bytes {
                Some(bytes) => *value = json!({ KEY: STANDARD.encode(bytes) }),
                None => fields.values_mut().for_each(|field| attach(field, payload)),
            }
        }
        _ => {}
    }
}

fn payload(reason: &str) -> Error {
    Error::InvalidPayload(reason.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).expect("valid JSON")
    }

    #[test]
    fn binary_at_any_depth_becomes_an_attachment() {
        let args = raw(r#"[{"a":[{"$binary":"AQI="}]},{"$binary":""},{"$binary":1},{"$binary":"AQI=","b":2}]"#);
        let raw = outgoing(Some(&args)).expect("valid");
        assert_eq!(raw.attachments, [&b"\x01\x02"[..], b""]);
        let json: Value = serde_json::from_str(&raw.json).expect("valid JSON");
        assert_eq!(
            json,
            json!([
                { "a": [{ "_placeholder": true, "num": 0 }] },
                { "_placeholder": true, "num": 1 },
                { "$binary": 1 },
                { "$binary": "AQI=", "b": 2 },
            ])
        );
    }

    #[test]
    fn arguments_without_binary_keep_their_text() {
        let text = r#"[12345678901234567890123, {"b":1.0,"a":2}]"#;
        assert_eq!(outgoing(Some(&raw(text))).expect("valid").json, text);
        assert_eq!(outgoing(None).expect("valid").json, "[]");
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        let error = outgoing(Some(&raw(r#"[{"$binary":"?"}]"#))).expect_err("not base64");
        assert_eq!(error.code(), 1003);
    }
}
