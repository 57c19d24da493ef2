//! Writing JSON: strings, integers, objects.

use bytes::BufMut;

use super::plain::plain_until;

/// Appends `value` as a JSON string literal, byte for byte as `JSON.stringify` writes it.
pub fn write_string(out: &mut impl BufMut, value: &str) {
    let bytes = value.as_bytes();
    let mut start = 0;
    out.put_u8(b'"');
    loop {
        let special = plain_until(bytes, start);
        out.put_slice(&bytes[start..special]);
        let Some(byte) = bytes.get(special) else {
            break;
        };
        match byte {
            b'"' => out.put_slice(b"\\\""),
            b'\\' => out.put_slice(b"\\\\"),
            0x08 => out.put_slice(b"\\b"),
            b'\t' => out.put_slice(b"\\t"),
            b'\n' => out.put_slice(b"\\n"),
            0x0c => out.put_slice(b"\\f"),
            b'\r' => out.put_slice(b"\\r"),
            control => {
                out.put_slice(b"\\u00");
                out.put_u8(b"0123456789abcdef"[usize::from(control >> 4)]);
                out.put_u8(b"0123456789abcdef"[usize::from(control & 15)]);
            }
        }
        start = special + 1;
    }
    out.put_u8(b'"');
}

/// Appends `value` in decimal.
pub fn write_uint(out: &mut impl BufMut, mut value: u64) {
    // u64::MAX has 20 digits.
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.put_slice(&digits[first..]);
}

/// Writes a JSON object field by field.
///
/// ```
/// # use rejoin::core::scan::ObjectWriter;
/// let mut out = Vec::new();
/// ObjectWriter::new(&mut out).string("type", "group").uint("count", 2).end();
/// assert_eq!(out, br#"{"type":"group","count":2}"#);
/// ```
///
/// Names are not checked for duplicates. Without [`end`](Self::end) the closing brace is missing.
#[derive(Debug)]
pub struct ObjectWriter<'a, B> {
    out: &'a mut B,
    empty: bool,
}

impl<'a, B: BufMut> ObjectWriter<'a, B> {
    /// Opens an object at the end of `out`.
    pub fn new(out: &'a mut B) -> Self {
        out.put_u8(b'{');
        Self { out, empty: true }
    }

    /// Adds a string.
    pub fn string(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        write_string(self.out, value);
        self
    }

    /// Adds an integer.
    pub fn uint(&mut self, name: &str, value: u64) -> &mut Self {
        self.name(name);
        write_uint(self.out, value);
        self
    }

    /// Adds a truth value.
    pub fn bool(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// Adds `json` as it stands; it must be one JSON value.
    pub fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.out.put_slice(json.as_bytes());
        self
    }

    /// Closes the object.
    pub fn end(&mut self) {
        self.out.put_u8(b'}');
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.empty) {
            self.out.put_u8(b',');
        }
        write_string(self.out, name);
        self.out.put_u8(b':');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, value);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn strings_are_escaped_as_json_stringify_does() {
        assert_eq!(written(""), "\"\"");
        assert_eq!(
            written("plain é 😀 \u{7f} \u{2028} /"),
            "\"plain é 😀 \u{7f} \u{2028} /\""
        );
        assert_eq!(written("\"\\\u{8}\t\n\u{c}\r"), r#""\"\\\b\t\n\f\r""#);
        assert_eq!(written("\u{0}\u{1f}"), r#""\u0000\u001f""#);
    }

    #[test]
    fn integers_are_written_in_decimal() {
        for value in [0, 9, 10, 12_345, u64::MAX] {
            let mut out = Vec::new();
            write_uint(&mut out, value);
            assert_eq!(out, value.to_string().into_bytes());
        }
    }

    #[test]
    fn an_object_has_its_fields_in_order() {
        let mut out = bytes::BytesMut::new();
        ObjectWriter::new(&mut out).end();
        let mut writer = ObjectWriter::new(&mut out);
        writer.string("a\"", "b").uint("n", 7);
        writer.bool("t", true).raw("r", "[1,{}]").end();
        assert_eq!(out, br#"{}{"a\"":"b","n":7,"t":true,"r":[1,{}]}"#[..]);
    }
}
