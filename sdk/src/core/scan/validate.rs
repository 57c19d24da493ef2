//! Well-formedness, in the one pass that every received message takes.

use super::cursor::Cursor;

/// Checks that `text` is one JSON value (RFC 8259) that nests at most `max_depth` arrays and objects.
///
/// A lone surrogate in a `\u` escape is well formed, as the grammar has it and as `JSON.parse` takes it.
/// `max_depth` is capped at `MAX_DEPTH`; 0 allows scalars only.
pub fn validate(text: &str, max_depth: usize) -> Result<(), ScanError> {
    let mut cursor = Cursor::new(text, 0);
    cursor.value(max_depth)?;
    cursor.finish()
}

/// Checks that `text` is one JSON array, as [`validate`] does, and says where its first element ends and the rest begins.
///
/// The array itself counts as one level of `max_depth`.
pub fn array_head(text: &str, max_depth: usize) -> Result<ArrayHead<'_>, ScanError> {
    let mut cursor = Cursor::new(text, 0);
    cursor.space();
    if cursor.take()? != b'[' {
        return Err(ScanError::NotAnArray);
    }
    let inner = max_depth.checked_sub(1).ok_or(ScanError::TooDeep)?;
    let mut head = ArrayHead::default();
    cursor.space();
    if cursor.peek() == Some(b']') {
        (head.start, head.rest, head.end) = (cursor.pos, cursor.pos, cursor.pos);
        cursor.pos += 1;
        cursor.finish()?;
        return Ok(head);
    }
    loop {
        cursor.space();
        let start = cursor.pos;
        cursor.value(inner)?;
        head.len += 1;
        if head.len == 1 {
            head.start = start;
            head.first = &text[start..cursor.pos];
        } else if head.len == 2 {
            head.rest = start;
        }
        cursor.space();
        match cursor.take()? {
            b',' => {}
            b']' => break,
            _ => return Err(ScanError::UnexpectedByte),
        }
    }
    head.end = cursor.pos - 1;
    if head.len == 1 {
        head.rest = head.end;
    }
    cursor.finish()?;
    Ok(head)
}

/// What [`array_head`] learned of an array in its one pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArrayHead<'a> {
    /// The first element's text, empty where the array is.
    pub first: &'a str,
    /// Byte offset of the first element, or of the closing bracket where there is none.
    pub start: usize,
    /// Byte offset of the second element, or of the closing bracket where there is none.
    pub rest: usize,
    /// Byte offset of the closing bracket.
    pub end: usize,
    /// How many elements there are.
    pub len: usize,
}

/// The offset behind the string literal that begins at byte `start`; `None` where none does.
pub(crate) fn string_end(text: &str, start: usize) -> Option<usize> {
    let mut cursor = Cursor::new(text, start);
    if cursor.take() != Ok(b'"') {
        return None;
    }
    cursor.string_tail().ok()?;
    Some(cursor.pos)
}

/// Why a text is not the JSON that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScanError {
    /// The text ends inside a value.
    UnexpectedEnd,
    /// A byte stands where the grammar has no place for it.
    UnexpectedByte,
    /// A control character stands unescaped in a string.
    ControlCharacter,
    /// An escape that JSON does not know.
    BadEscape,
    /// Not a number as JSON writes them.
    BadNumber,
    /// More levels of arrays and objects than allowed.
    TooDeep,
    /// Something follows the value.
    Trailing,
    /// Another value where an array was asked for.
    NotAnArray,
}

impl ScanError {
    /// The reason as a fragment of a sentence, without a full stop.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::UnexpectedEnd => "JSON ends too early",
            Self::UnexpectedByte => "unexpected character in JSON",
            Self::ControlCharacter => "unescaped control character in a JSON string",
            Self::BadEscape => "unknown escape in a JSON string",
            Self::BadNumber => "malformed number in JSON",
            Self::TooDeep => "JSON is nested too deeply",
            Self::Trailing => "text after the JSON value",
            Self::NotAnArray => "JSON value is not an array",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MAX_DEPTH;
    use super::*;

    #[test]
    fn well_formed_values_pass() {
        for text in [
            "null",
            " true ",
            "false",
            "0",
            "-0",
            "10",
            "-1.5e+10",
            "1E9",
            "\"\"",
            "\"a\\u00e9\\n\\/\"",
            "[]",
            "[ ]",
            "{}",
            "{ }",
            "[1,2]",
            "[[],{}]",
            "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"é\"}",
            "\t[\n1\r,2 ] ",
            "\"\\ud800\"",
        ] {
            assert_eq!(validate(text, 128), Ok(()), "{text}");
        }
    }

    #[test]
    fn malformed_values_are_refused() {
        for text in [
            "",
            " ",
            "nul",
            "nulll",
            "True",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "\"",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\u{1}\"",
            "\"\n\"",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "{\"a\":1]",
            "{1:1}",
            "1 2",
            "[] []",
            "\u{feff}1",
            "'a'",
            "NaN",
            "[1]\u{0}",
        ] {
            assert!(validate(text, 128).is_err(), "{text}");
        }
    }

    #[test]
    fn nesting_is_allowed_up_to_the_limit_and_no_further() {
        let nested = |n| ["{\"a\":".repeat(n), "1".into(), "}".repeat(n)].concat();
        assert_eq!(validate(&nested(128), 128), Ok(()));
        assert_eq!(validate(&nested(129), 128), Err(ScanError::TooDeep));
        assert_eq!(validate(&nested(MAX_DEPTH), usize::MAX), Ok(()));
        assert_eq!(validate(&nested(MAX_DEPTH + 1), usize::MAX), Err(ScanError::TooDeep));
        assert_eq!(validate("1", 0), Ok(()));
        assert_eq!(validate("[]", 0), Err(ScanError::TooDeep));
        assert_eq!(array_head("[[]]", 1), Err(ScanError::TooDeep));
        assert!(array_head("[[]]", 2).is_ok());
    }

    #[test]
    fn a_bracket_closes_only_its_own_kind_at_any_depth() {
        let open = "[{\"a\":".repeat(100);
        let close = "}]".repeat(100);
        assert_eq!(validate(&[&open, "0", &close].concat(), 256), Ok(()));
        for wrong in [60, 130, 199] {
            let mut bad = close.clone().into_bytes();
            bad[wrong] = if bad[wrong] == b']' { b'}' } else { b']' };
            let bad = String::from_utf8(bad).expect("ASCII");
            assert_eq!(
                validate(&[&open, "0", &bad].concat(), 256),
                Err(ScanError::UnexpectedByte)
            );
        }
    }

    #[test]
    fn the_head_of_an_array_says_where_its_elements_are() {
        let text = " [ \"name\" , {\"x\":1} ,2 ] ";
        let head = array_head(text, 8).expect("valid");
        assert_eq!((head.first, head.len), ("\"name\"", 3));
        assert_eq!(&text[head.rest..head.end], "{\"x\":1} ,2 ");

        let head = array_head("[1 ]", 8).expect("valid");
        assert_eq!(
            head,
            ArrayHead {
                first: "1",
                start: 1,
                rest: 3,
                end: 3,
                len: 1
            }
        );
        assert_eq!(
            array_head("[]", 8),
            Ok(ArrayHead {
                first: "",
                start: 1,
                rest: 1,
                end: 1,
                len: 0
            })
        );
        assert_eq!(array_head("{}", 8), Err(ScanError::NotAnArray));
        assert_eq!(array_head("[1]x", 8), Err(ScanError::Trailing));
        assert_eq!(array_head("[1,]", 8), Err(ScanError::UnexpectedByte));
    }
}
