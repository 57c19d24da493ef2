//! Payloads as raw JSON text.

use bytes::Bytes;
use bytestring::ByteString;

use crate::core::scan;

/// The arguments of an event, or of an acknowledgement, as the server sent them.
///
/// They stay one slice of the received frame. [`raw`](Self::raw) gives an argument's JSON text; with the feature
/// `typed`, `get` parses it once into your type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payload {
    /// The arguments with the commas between them, without the array's brackets.
    args: ByteString,
    attachments: Vec<Bytes>,
}

impl Payload {
    /// `args` are valid JSON values with commas between them.
    pub(crate) fn new(args: ByteString, attachments: Vec<Bytes>) -> Self {
        Self { args, attachments }
    }

    /// How many arguments there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no argument.
    pub fn is_empty(&self) -> bool {
        self.raw(0).is_none()
    }

    /// The JSON text of argument `index`, counted from 0. Binary stands in it as `{"_placeholder":true,"num":n}`.
    pub fn raw(&self, index: usize) -> Option<&str> {
        self.iter().nth(index)
    }

    /// The JSON text of each argument.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        scan::elements_from(&self.args, 0)
    }

    /// All arguments as one JSON array.
    pub fn to_json(&self) -> String {
        let mut json = String::with_capacity(self.args.len() + 2);
        json.push('[');
        json.push_str(&self.args);
        json.push(']');
        json
    }

    /// The text of all arguments, without the array's brackets.
    #[doc(hidden)]
    pub fn args(&self) -> &str {
        &self.args
    }

    /// How many bytes it holds.
    pub(crate) fn size(&self) -> usize {
        self.args.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }

    /// The binary attachments, in the order of their placeholders' numbers.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// The raw value of a field of the first argument, where that is an object.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        scan::field(self.raw(0)?, name)
    }

    /// The JSON text of the last argument, where that is a string.
    pub(crate) fn last_string(&self) -> Option<&str> {
        let string = self.args.trim_end().ends_with('"');
        string.then(|| self.iter().last())?
    }

    /// A string field of the first argument.
    pub(crate) fn string_field(&self, name: &str) -> Option<String> {
        scan::string(self.field(name)?).map(|text| text.into_owned())
    }
}

/// The arguments of an event to be sent, as text: for platforms that bring their own JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawArgs {
    /// A JSON array of the arguments; binary stands in it as `{"_placeholder":true,"num":n}`.
    pub json: String,
    /// The binary attachments, in the order of their placeholders' numbers.
    pub attachments: Vec<Bytes>,
}

impl RawArgs {
    /// Arguments without binary. `json` is a JSON array, one element an argument.
    pub fn json(json: impl Into<String>) -> Self {
        Self {
            json: json.into(),
            attachments: Vec::new(),
        }
    }
}
