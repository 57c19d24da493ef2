//! Payloads as serde types.
//!
//! Binary travels apart from the JSON text. [`Binary`] therefore writes a placeholder and puts its bytes into the list
//! of attachments of the message being encoded, and reads them from there; that list is handed to it through a
//! thread-local that is set for the time of one `encode` or `decode`, because serde has no way to pass it along.

use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::ser::{Error as _, Impossible, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::misfit::misfit;
use super::{Payload, RawArgs};
use crate::core::{Emission, EmissionWriter, EmitOptions, check_name};
use crate::error::Error;

thread_local! {
    static ATTACHMENTS: RefCell<Option<Vec<Bytes>>> = const { RefCell::new(None) };
}

/// Runs `work` with `list` as the attachments of the message in hand; gives back what the list has become.
fn with_attachments<R>(list: Vec<Bytes>, work: impl FnOnce() -> R) -> (R, Vec<Bytes>) {
    /// Puts the outer list back even if a user's `Serialize` panics.
    struct Restore(Option<Vec<Bytes>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ATTACHMENTS.set(self.0.take());
        }
    }
    let _restore = Restore(ATTACHMENTS.replace(Some(list)));
    let result = work();
    (result, ATTACHMENTS.take().unwrap_or_default())
}

/// Bytes that travel as a binary attachment, wherever they stand in a type that is sent or received.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Upload { name: String, content: rejoin::Binary }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Binary(pub Bytes);

impl<T: Into<Bytes>> From<T> for Binary {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = ATTACHMENTS.with_borrow_mut(|list| {
            list.as_mut().map(|list| {
                list.push(self.0.clone());
                list.len() - 1
            })
        });
        let Some(number) = number else {
            return Err(S::Error::custom(
                "rejoin::Binary can only be serialised as part of a message",
            ));
        };
        let mut placeholder = serializer.serialize_struct("Placeholder", 2)?;
        placeholder.serialize_field("_placeholder", &true)?;
        placeholder.serialize_field("num", &number)?;
        placeholder.end()
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Placeholder {
            #[serde(rename = "_placeholder")]
            marker: bool,
            num: usize,
        }
        let placeholder = Placeholder::deserialize(deserializer)?;
        ATTACHMENTS
            .with_borrow(|list| list.as_ref()?.get(placeholder.num).cloned())
            .filter(|_| placeholder.marker)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("no such binary attachment"))
    }
}

impl Payload {
    /// Parses argument `index`, counted from 0, into a type. A missing argument reads as `null`.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] says what does not fit.
    pub fn get<T: DeserializeOwned>(&self, index: usize) -> Result<T, Error> {
        let json = match index {
            // What stands behind the first argument is not looked at: the text is known to be well formed.
            0 => self.args(),
            _ => self.raw(index).unwrap_or_default(),
        };
        self.decode(if json.is_empty() { "null" } else { json })
    }

    /// Parses all arguments together, for example into a tuple.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] says what does not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.decode(&self.to_json())
    }

    fn decode<T: DeserializeOwned>(&self, json: &str) -> Result<T, Error> {
        if self.attachments().is_empty() {
            decode(json)
        } else {
            with_attachments(self.attachments().to_vec(), || decode(json)).0
        }
    }
}

/// Parses JSON text into a type. What stands behind the first value is not looked at.
pub(crate) fn decode<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    let parsed = T::deserialize(&mut serde_json::Deserializer::from_str(json));
    parsed.map_err(|error| Error::payload(misfit(json, &error)))
}

/// Encodes an event: a tuple spreads into arguments (and so does `[T; N]`, which is one to serde), `()` is none, anything
/// else is one.
pub(crate) fn encode_event<T: Serialize + ?Sized>(
    event: &str,
    args: &T,
    options: EmitOptions,
) -> Result<Emission, Error> {
    check_name(event)?;
    let mut writer = EmissionWriter::new(event, 128);
    let attachments = write_args(&mut writer.buffer, args, b',')?;
    Ok(writer.end(attachments, options))
}

/// Encodes the arguments of an acknowledgement, likewise.
pub(crate) fn encode<T: Serialize + ?Sized>(args: &T) -> Result<RawArgs, Error> {
    let mut json = Vec::with_capacity(64);
    let attachments = write_args(&mut json, args, b'[')?;
    if json.is_empty() {
        json.push(b'[');
    }
    json.push(b']');
    let json = String::from_utf8(json).map_err(|error| Error::payload(error.to_string()))?;
    Ok(RawArgs { json, attachments })
}

/// Writes arguments with commas between them, and `before` in front of the first if there is one.
fn write_args<T: Serialize + ?Sized>(out: &mut Vec<u8>, args: &T, before: u8) -> Result<Vec<Bytes>, Error> {
    let (written, attachments) = with_attachments(Vec::new(), || {
        match args.serialize(Shape) {
            Err(ShapeOf::Nothing) => {}
            Err(ShapeOf::Tuple) => {
                let bracket = out.len();
                serde_json::to_writer(&mut *out, args)?;
                out.pop();
                // A tuple's own bracket makes room for what stands before its first element; `[T; 0]` has none.
                if out.len() == bracket + 1 {
                    out.pop();
                } else {
                    out[bracket] = before;
                }
            }
            Ok(()) | Err(ShapeOf::Single) => {
                out.push(before);
                serde_json::to_writer(&mut *out, args)?;
            }
        }
        Ok::<_, serde_json::Error>(())
    });
    written.map_err(|error| Error::payload(error.to_string()))?;
    Ok(attachments)
}

/// A serializer that looks at a value's outermost shape only, and gives it back as its error.
struct Shape;

#[derive(Debug)]
enum ShapeOf {
    Nothing,
    Tuple,
    Single,
}

impl fmt::Display for ShapeOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value's shape")
    }
}

impl std::error::Error for ShapeOf {}

impl serde::ser::Error for ShapeOf {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Single
    }
}

macro_rules! single {
    ($($name:ident($($arg:ty),*))*) => {$(
        fn $name(self, $(_: $arg),*) -> Result<(), ShapeOf> {
            Err(ShapeOf::Single)
        }
    )*};
}

impl Serializer for Shape {
    type Ok = ();
    type Error = ShapeOf;
    type SerializeSeq = Impossible<(), ShapeOf>;
    type SerializeTuple = Impossible<(), ShapeOf>;
    type SerializeTupleStruct = Impossible<(), ShapeOf>;
    type SerializeTupleVariant = Impossible<(), ShapeOf>;
    type SerializeMap = Impossible<(), ShapeOf>;
    type SerializeStruct = Impossible<(), ShapeOf>;
    type SerializeStructVariant = Impossible<(), ShapeOf>;

    single! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_i128(i128) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_u128(u128) serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str)
        serialize_bytes(&[u8]) serialize_none() serialize_unit_struct(&'static str)
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    fn serialize_unit(self) -> Result<(), ShapeOf> {
        Err(ShapeOf::Nothing)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, ShapeOf> {
        Err(ShapeOf::Tuple)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<(), ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, ShapeOf> {
        Err(ShapeOf::Single)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, ShapeOf> {
        Err(ShapeOf::Single)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tuple_spreads_into_arguments_and_anything_else_is_one() {
        assert_eq!(encode(&()).unwrap().json, "[]");
        assert_eq!(encode(&(1, "a")).unwrap().json, r#"[1,"a"]"#);
        assert_eq!(encode("hello").unwrap().json, r#"["hello"]"#);
        assert_eq!(encode(&vec![1, 2]).unwrap().json, "[[1,2]]");
        assert_eq!(encode(&json!({"x": [1]})).unwrap().json, r#"[{"x":[1]}]"#);
        assert_eq!(encode(&Some(3)).unwrap().json, "[3]");
        assert_eq!(encode(&None::<u8>).unwrap().json, "[null]");
        assert_eq!(encode(&[0; 0]).unwrap().json, "[]");
        assert_eq!(encode(&([0; 0],)).unwrap().json, "[[]]");
    }

    #[test]
    fn an_argument_is_parsed_for_itself() {
        let payload = Payload::new(r#"{"a":1}, "b",[3]"#.into(), vec![]);
        assert_eq!(payload.get::<serde_json::Value>(0).unwrap(), json!({"a": 1}));
        assert_eq!(payload.get::<String>(1).unwrap(), "b");
        assert_eq!(payload.get::<Vec<u8>>(2).unwrap(), [3]);
        assert_eq!(payload.get::<Option<u8>>(3).unwrap(), None);
        assert!(payload.get::<u8>(0).is_err());
        assert_eq!(Payload::default().get::<Option<u8>>(0).unwrap(), None);
    }

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Upload {
        name: String,
        parts: Vec<Binary>,
    }

    #[test]
    fn binary_at_any_depth_comes_back_as_it_went() {
        let upload = Upload {
            name: "a".into(),
            parts: vec![Binary::from(vec![1, 2]), Binary::from(vec![3])],
        };
        let raw = encode(&(&upload, 7)).unwrap();
        assert_eq!(raw.attachments.len(), 2);
        let payload = Payload::new(raw.json[1..raw.json.len() - 1].to_owned().into(), raw.attachments);
        assert_eq!(payload.get::<Upload>(0).unwrap(), upload);
        assert_eq!(payload.parse::<(Upload, u8)>().unwrap(), (upload, 7));
    }

    #[test]
    fn binary_outside_of_a_message_is_an_error_and_so_is_a_placeholder_without_its_attachment() {
        assert!(serde_json::to_string(&Binary::default()).is_err());
        let payload = Payload::new(r#"{"_placeholder":true,"num":4}"#.into(), vec![]);
        assert!(payload.get::<Binary>(0).is_err());
    }
}
