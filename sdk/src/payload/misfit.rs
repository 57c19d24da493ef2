//! Why a payload does not fit a type: in which field, and what was expected there. Never what stands there, because this
//! text goes to logs.

use crate::core::scan;

/// What serde_json says of `json`, with the field in front, and without the value.
pub(super) fn misfit(json: &str, error: &serde_json::Error) -> String {
    let path = path(json, offset(json, error));
    let what = without_value(&error.to_string());
    match path.is_empty() {
        true => what,
        false => ["`", &path, "`: ", &what].concat(),
    }
}

/// The last byte that was read.
fn offset(json: &str, error: &serde_json::Error) -> usize {
    let lines = json.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1)
}

/// The field in which the byte at `offset` stands, for example `members[2].id`; empty where it is in none.
fn path(json: &str, offset: usize) -> String {
    let mut path = String::new();
    let mut value = json.trim_start();
    loop {
        let holds = |inner: &str| {
            let start = inner.as_ptr() as usize - json.as_ptr() as usize;
            (start..start + inner.len()).contains(&offset)
        };
        let next = match value.as_bytes().first() {
            Some(b'{') => scan::fields(value)
                .find(|(_, inner)| holds(inner))
                .map(|(name, inner)| {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&scan::string(name).unwrap_or_default());
                    inner
                }),
            Some(b'[') => {
                let mut elements = scan::elements(value).enumerate();
                elements.find(|(_, inner)| holds(inner)).map(|(index, inner)| {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                    inner
                })
            }
            _ => None,
        };
        match next {
            Some(inner) => value = inner,
            None => return path,
        }
    }
}

/// Keeps of serde's sentences what comes from the type.
fn without_value(sentence: &str) -> String {
    let sentence = match sentence.rfind(" at line ") {
        Some(end) => &sentence[..end],
        None => sentence,
    };
    if sentence.starts_with("missing field ") || sentence.starts_with("duplicate field ") {
        return sentence.to_owned();
    }
    match sentence.rfind(", expected ") {
        Some(at) => sentence[at + 2..].to_owned(),
        None => "it does not fit the type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Room {
        id: u32,
        kind: Kind,
        members: Vec<Member>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Open,
        Closed,
    }

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Member {
        name: String,
        age: Option<u8>,
    }

    fn said<T: DeserializeOwned>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).err();
        misfit(json, &error.expect("it does not fit"))
    }

    #[test]
    fn it_says_the_field_and_what_was_expected_and_never_the_value() {
        for (json, expected) in [
            (r#"{"id":"secret, expected"}"#, "`id`: expected u32"),
            (r#"{"id":1,"kind":"open"}"#, "missing field `members`"),
            (r#"{"id":1,"kind":"secret"}"#, "`kind`: expected `open` or `closed`"),
            ("{\n\"id\":1,\n \"kind\": -5}", "`kind`: it does not fit the type"),
            (
                r#"{"members":[{"name":"a"},{"name":null}]}"#,
                "`members[1].name`: expected a string",
            ),
            (
                r#"{"members":[{"name":"a","age":1},{"age":2}]}"#,
                "`members[1]`: missing field `name`",
            ),
            (
                r#"{"members":[{"name":"a","age":4321}]}"#,
                "`members[0].age`: expected u8",
            ),
            (r#"{"members":"secret"}"#, "`members`: expected a sequence"),
            (r#"{"id":1,"id":2}"#, "duplicate field `id`"),
            (r#""secret""#, "expected struct Room"),
            ("null", "expected struct Room"),
        ] {
            assert_eq!(said::<Room>(json), expected, "{json}");
        }
        let keys = said::<BTreeMap<u8, u8>>(r#"{"secret":1}"#);
        assert!(!keys.contains("secret"), "{keys}");
    }

    #[test]
    fn sentences_of_other_types_are_not_repeated() {
        #[derive(Debug)]
        struct Own;
        impl<'de> Deserialize<'de> for Own {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Err(serde::de::Error::custom(text))
            }
        }
        assert_eq!(said::<(Own,)>(r#"["secret"]"#), "it does not fit the type");
    }
}
