//! Values within events, read with forgiveness: servers differ in how they write ids, and in whether they leave out what
//! is not known or say `null`.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::Error;

/// Who somebody is. A server that sends the id alone is understood too.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The user's id.
    pub id: String,
    /// The name to show; empty where the server did not say.
    pub username: String,
}

/// Somebody with whom the user has had private messages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Friend {
    /// The user's id.
    pub id: String,
    /// The name to show; empty where the server did not say.
    pub username: String,
    /// For example `online` or `offline`; empty where the server did not say.
    pub status: String,
}

/// A JSON value of any shape, kept as the server wrote it until someone asks for a type.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Parses it into a type.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] says what does not fit.
    pub fn get<T: DeserializeOwned>(&self) -> Result<T, Error> {
        crate::payload::decode(self.as_str())
    }
}

impl Default for Json {
    /// `null`.
    fn default() -> Self {
        Self(RawValue::NULL.to_owned())
    }
}

/// By their text.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

/// What is said of somebody.
#[derive(Deserialize)]
struct Person {
    #[serde(deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "optional")]
    username: String,
    #[serde(default, deserialize_with = "optional")]
    status: String,
}

/// A person, or a mere id.
struct PersonVisitor;

impl<'de> Visitor<'de> for PersonVisitor {
    type Value = Person;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user or a user's id")
    }

    fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<Person, E> {
        Ok(Person {
            id: id.to_owned(),
            username: String::new(),
            status: String::new(),
        })
    }

    fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<Person, E> {
        self.visit_str(&id.to_string())
    }

    fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<Person, E> {
        self.visit_str(&id.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Person, A::Error> {
        Person::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for User {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Person { id, username, .. } = deserializer.deserialize_any(PersonVisitor)?;
        Ok(Self { id, username })
    }
}

impl<'de> Deserialize<'de> for Friend {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Person { id, username, status } = deserializer.deserialize_any(PersonVisitor)?;
        Ok(Self { id, username, status })
    }
}

/// A string, or a number.
#[derive(Deserialize)]
struct Text(#[serde(deserialize_with = "text")] String);

/// A string. A number is its text: ids and times are numbers on some servers.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct TextVisitor;

    impl Visitor<'_> for TextVisitor {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }

        fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<String, E> {
            Ok(number.to_string())
        }

        fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<String, E> {
            Ok(number.to_string())
        }
    }

    deserializer.deserialize_any(TextVisitor)
}

/// What may be missing or `null` is the type's default then.
pub(super) fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A text that may be missing or `null`.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<Text>::deserialize(deserializer)?.map(|Text(text)| text))
}

/// A text that is empty where it is missing or `null`.
pub(super) fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    optional_text(deserializer).map(Option::unwrap_or_default)
}

/// Texts, which may be missing or `null`.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts: Vec<Text> = optional(deserializer)?;
    Ok(texts.into_iter().map(|Text(text)| text).collect())
}

/// Milliseconds, which may be missing or `null`, or have a fraction.
pub(super) fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<Millis>::deserialize(deserializer)?.map(|Millis(millis)| millis))
}

struct Millis(u64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MillisVisitor;

        impl Visitor<'_> for MillisVisitor {
            type Value = Millis;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("milliseconds")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Millis, E> {
                Ok(Millis(number))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Millis, E> {
                match number >= 0.0 {
                    // Not earlier than the server said; the cast saturates.
                    true => Ok(Millis(number.ceil() as u64)),
                    false => Err(E::invalid_value(Unexpected::Float(number), &self)),
                }
            }
        }

        deserializer.deserialize_any(MillisVisitor)
    }
}
