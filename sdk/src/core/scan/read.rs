//! Reading slices of JSON text that [`validate`](super::validate) has passed.
//!
//! Of other text these functions make what they can: iterators end early, values are `None`. They never panic.

use std::borrow::Cow;

use super::cursor::{Cursor, MAX_DEPTH};
use super::plain::plain_until;

/// The elements of the JSON array `text`, each as its own slice without the white space around it.
pub fn elements(text: &str) -> Elements<'_> {
    let mut cursor = Cursor::new(text, 0);
    cursor.space();
    let open = matches!(cursor.take(), Ok(b'['));
    Elements { text, cursor, open }
}

/// The elements of the JSON array `text` from the one that starts at byte `offset`, such as
/// [`ArrayHead::rest`](super::ArrayHead::rest).
pub fn elements_from(text: &str, offset: usize) -> Elements<'_> {
    Elements {
        text,
        cursor: Cursor::new(text, offset),
        open: true,
    }
}

/// Iterator over the elements of a JSON array; made by [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    open: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if !std::mem::take(&mut self.open) {
            return None;
        }
        let value = next_value(self.text, &mut self.cursor)?;
        self.open = more(&mut self.cursor);
        Some(value)
    }
}

/// The fields of the JSON object `text` in their order: raw name (quotes and escapes included) and raw value.
///
/// For reading several fields in one pass; [`name_is`] compares a raw name.
pub fn fields(text: &str) -> Fields<'_> {
    let mut cursor = Cursor::new(text, 0);
    cursor.space();
    let open = matches!(cursor.take(), Ok(b'{'));
    Fields { text, cursor, open }
}

/// Iterator over the fields of a JSON object; made by [`fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    open: bool,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        if !std::mem::take(&mut self.open) {
            return None;
        }
        self.cursor.space();
        let start = self.cursor.pos;
        if self.cursor.take() != Ok(b'"') {
            return None;
        }
        self.cursor.string_tail().ok()?;
        let name = self.text.get(start..self.cursor.pos)?;
        self.cursor.space();
        if self.cursor.take() != Ok(b':') {
            return None;
        }
        let value = next_value(self.text, &mut self.cursor)?;
        self.open = more(&mut self.cursor);
        Some((name, value))
    }
}

/// The raw value of the field `name` at the top of the JSON object `object`.
///
/// Of several fields with that name the last wins, as with `JSON.parse`, so that two readers of one message never differ.
pub fn field<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    fields(object)
        .filter(|(raw, _)| name_is(raw, name))
        .last()
        .map(|(_, value)| value)
}

/// Whether the JSON string literal `raw` spells `name`, with or without escapes.
pub fn name_is(raw: &str, name: &str) -> bool {
    string(raw).is_some_and(|decoded| decoded == name)
}

/// Decodes the JSON string literal `raw`, quotes included; `None` where it is not one.
///
/// Borrows where there are no escapes. Half of a surrogate pair becomes U+FFFD, because Rust's strings have no place for it.
pub fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let plain = plain_until(inner.as_bytes(), 0);
    if plain == inner.len() {
        return Some(Cow::Borrowed(inner));
    }
    unescape(inner, plain).map(Cow::Owned)
}

/// The JSON number `raw` as an integer; `None` where it is negative, has a fraction or exponent, or exceeds 64 bits.
pub fn uint(raw: &str) -> Option<u64> {
    let digits = raw.as_bytes();
    if digits.is_empty() || (digits.len() > 1 && digits[0] == b'0') {
        return None;
    }
    digits.iter().try_fold(0u64, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The JSON literal `raw` as a truth value; `None` where it is neither.
pub fn boolean(raw: &str) -> Option<bool> {
    match raw {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Whether `raw` is JSON's `null`.
pub fn is_null(raw: &str) -> bool {
    raw == "null"
}

fn next_value<'a>(text: &'a str, cursor: &mut Cursor<'a>) -> Option<&'a str> {
    cursor.space();
    let start = cursor.pos;
    cursor.value(MAX_DEPTH).ok()?;
    text.get(start..cursor.pos)
}

fn more(cursor: &mut Cursor<'_>) -> bool {
    cursor.space();
    cursor.take() == Ok(b',')
}

/// Decodes what stands between the quotes; `plain` is the offset of the first byte that needs it.
fn unescape(inner: &str, mut plain: usize) -> Option<String> {
    let bytes = inner.as_bytes();
    let mut out = String::with_capacity(inner.len());
    let mut start = 0;
    loop {
        out.push_str(inner.get(start..plain)?);
        if plain == bytes.len() {
            return Some(out);
        }
        if bytes[plain] != b'\\' {
            return None;
        }
        start = plain + 2;
        out.push(match bytes.get(plain + 1)? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = code_unit(bytes, plain + 2)?;
                start = plain + 6;
                match low_surrogate(unit, bytes, start) {
                    Some(low) => {
                        start += 6;
                        let code = 0x1_0000 + (u32::from(unit & 0x3ff) << 10 | u32::from(low & 0x3ff));
                        char::from_u32(code)?
                    }
                    None => char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            same @ (b'"' | b'\\' | b'/') => char::from(*same),
            _ => return None,
        });
        plain = plain_until(bytes, start);
    }
}

/// The second half of the pair whose first half is `unit`, where `\uDC00` to `\uDFFF` follows at `at`.
fn low_surrogate(unit: u16, bytes: &[u8], at: usize) -> Option<u16> {
    if unit & 0xfc00 != 0xd800 || !bytes.get(at..)?.starts_with(b"\\u") {
        return None;
    }
    code_unit(bytes, at + 2).filter(|low| low & 0xfc00 == 0xdc00)
}

/// The four hexadecimal digits at `at`.
fn code_unit(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | digit as u16)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<&str> {
        elements(text).collect()
    }

    #[test]
    fn an_array_is_split_into_its_elements() {
        assert_eq!(all("[]"), Vec::<&str>::new());
        assert_eq!(
            all(" [ 1 , \"a,]\\\"\" ,[2,[3]], {\"x\":[4]} ] "),
            ["1", "\"a,]\\\"\"", "[2,[3]]", "{\"x\":[4]}"]
        );
    }

    #[test]
    fn elements_go_on_from_an_offset() {
        let text = "[\"name\", 1, 2]";
        assert_eq!(elements_from(text, 9).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(elements_from(text, 13).next(), None);
        assert_eq!(elements_from(text, 99).next(), None);
        assert_eq!(elements_from("é", 1).next(), None);
    }

    #[test]
    fn bad_text_ends_the_iteration() {
        assert_eq!(all("1"), Vec::<&str>::new());
        assert_eq!(all("[1,x,2]"), ["1"]);
        assert_eq!(all("[1"), ["1"]);
        assert_eq!(fields("{\"a\":1,b:2}").count(), 1);
        assert_eq!(fields("[]").count(), 0);
    }

    #[test]
    fn a_field_is_found_by_its_decoded_name_and_the_last_one_wins() {
        let object = "{ \"a\" : 1, \"n\\u0061me\":{\"name\":2} , \"a\":[3] }";
        assert_eq!(field(object, "a"), Some("[3]"));
        assert_eq!(field(object, "name"), Some("{\"name\":2}"));
        assert_eq!(field(object, "b"), None);
        assert_eq!(field("[\"a\",1]", "a"), None);
    }

    #[test]
    fn strings_are_decoded() {
        assert!(matches!(string("\"plain é\""), Some(Cow::Borrowed("plain é"))));
        let decoded = |raw| string(raw).expect("a string").into_owned();
        assert_eq!(decoded(r#""\"\\\/\b\f\n\r\t""#), "\"\\/\u{8}\u{c}\n\r\t");
        assert_eq!(decoded(r#""\u00e9\uD83D\uDE00!""#), "é😀!");
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        let decoded = |raw| string(raw).expect("a string").into_owned();
        assert_eq!(decoded(r#""\ud800""#), "\u{fffd}");
        assert_eq!(decoded(r#""\udc00x""#), "\u{fffd}x");
        assert_eq!(decoded(r#""\ud800\u0041""#), "\u{fffd}A");
        assert_eq!(decoded(r#""\ud800\ud83d\ude00""#), "\u{fffd}😀");
        assert_eq!(decoded(r#""\ud800\n""#), "\u{fffd}\n");
    }

    #[test]
    fn what_is_no_string_is_none() {
        for raw in [
            "",
            "\"",
            "a",
            "\"a",
            "a\"",
            "\"\\\"",
            "\"a\"b\"",
            "\"\\u12\"",
            "\"\\x\"",
            "\"\n\"",
            "\"\\ud800\\u1\"",
            "1",
        ] {
            assert_eq!(string(raw), None, "{raw}");
        }
    }

    #[test]
    fn scalars_are_read() {
        assert_eq!(uint("0"), Some(0));
        assert_eq!(uint("18446744073709551615"), Some(u64::MAX));
        for raw in [
            "",
            "18446744073709551616",
            "-1",
            "1.0",
            "1e3",
            "01",
            "\"1\"",
            " 1",
            "1 ",
        ] {
            assert_eq!(uint(raw), None, "{raw}");
        }
        assert_eq!(
            (boolean("true"), boolean("false"), boolean("1")),
            (Some(true), Some(false), None)
        );
        assert!(is_null("null") && !is_null("\"null\""));
    }
}
