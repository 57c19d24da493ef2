//! Placeholders: the objects `{"_placeholder":true,"num":0}` that stand in a packet's JSON where an attachment belongs.

use bytes::BufMut;

use super::error::PacketError;
use crate::core::scan;

/// The number of the attachment for which the JSON value `raw` stands, or `None` where it is any other value.
pub fn placeholder(raw: &str) -> Option<usize> {
    if !raw.starts_with('{') {
        return None;
    }
    let marked = scan::field(raw, "_placeholder").and_then(scan::boolean) == Some(true);
    let num = scan::field(raw, "num").and_then(scan::uint).filter(|_| marked)?;
    usize::try_from(num).ok()
}

/// Appends the placeholder of attachment number `num`.
pub fn write_placeholder(out: &mut impl BufMut, num: usize) {
    out.put_slice(b"{\"_placeholder\":true,\"num\":");
    scan::write_uint(out, num as u64);
    out.put_u8(b'}');
}

/// Checks that each placeholder in the valid JSON `data` names one of `attachments` binaries.
///
/// Attachments that no placeholder names are allowed, and so are two placeholders of one attachment, as npm does. Stricter than
/// npm is: a number with a fraction is refused, and so is a bad placeholder inside another placeholder.
pub(crate) fn check(data: &str, attachments: usize) -> Result<(), PacketError> {
    // In valid JSON only a field's name is followed by a colon, and it belongs to the innermost open object. So one walk over
    // strings and braces sees all there is to see.
    let mut objects: Vec<Candidate> = Vec::new();
    let bytes = data.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => objects.push(Candidate::default()),
            b'}' => {
                let object = objects.pop().unwrap_or_default();
                if object.marked && object.num.is_none_or(|num| num >= attachments as u64) {
                    return Err(PacketError::IllegalAttachments);
                }
            }
            b'"' => {
                let end = scan::string_end(data, at).ok_or(PacketError::IllegalAttachments)?;
                let name = &data[at..end];
                at = end;
                let Some(value) = data[end..].trim_start().strip_prefix(':') else {
                    continue;
                };
                if let Some(object) = objects.last_mut() {
                    object.field(name, value.trim_start());
                }
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// What is known of an object that may turn out to be a placeholder. Of fields given twice the last counts, as everywhere.
#[derive(Default)]
struct Candidate {
    marked: bool,
    num: Option<u64>,
}

impl Candidate {
    /// Takes note of a field, whose value begins at the beginning of `value`.
    fn field(&mut self, name: &str, value: &str) {
        if scan::name_is(name, "_placeholder") {
            self.marked = value.starts_with("true");
        } else if scan::name_is(name, "num") {
            let end = value.find([',', '}', ' ', '\t', '\n', '\r']).unwrap_or(value.len());
            self.num = scan::uint(&value[..end]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_recognised() {
        let mut out = Vec::new();
        write_placeholder(&mut out, 3);
        assert_eq!(out, br#"{"_placeholder":true,"num":3}"#);
        assert_eq!(placeholder(r#"{"_placeholder":true,"num":3}"#), Some(3));
        assert_eq!(placeholder(r#"{ "num" : 0 , "_placeholder" : true }"#), Some(0));
        for other in [
            r#"{"_placeholder":false,"num":3}"#,
            r#"{"_placeholder":1,"num":3}"#,
            r#"{"_placeholder":true}"#,
            r#"{"_placeholder":true,"num":"3"}"#,
            r#"{"num":3}"#,
            r#"[true]"#,
            "3",
        ] {
            assert_eq!(placeholder(other), None, "{other}");
        }
    }

    #[test]
    fn placeholders_in_range_pass_wherever_they_stand() {
        for data in [
            r#"["x"]"#,
            r#"["x",{"_placeholder":true,"num":0},{"a":[{"num" : 1 , "_placeholder" : true}]}]"#,
            r#"["x",{"_placeholder":false,"num":9},{"num":9},{"_placeholder":"true","num":9}]"#,
            r#"["x",{"_placeholder":true,"num":9,"num":1}]"#,
            r#"["{\"_placeholder\":true,\"num\":9}"]"#,
            r#"["_placeholder",{"a":"_placeholder","b":"num"}]"#,
            r#"["x",{"_placeholder":true,"num":0,"y":{"num":9}}]"#,
        ] {
            assert_eq!(check(data, 2), Ok(()), "{data}");
        }
    }

    #[test]
    fn placeholders_out_of_range_are_illegal() {
        for data in [
            r#"["x",{"_placeholder":true,"num":2}]"#,
            r#"["x",{"_placeholder":true}]"#,
            r#"["x",{"_placeholder":true,"num":-1}]"#,
            r#"["x",{"_placeholder":true,"num":"0"}]"#,
            r#"["x",{"_placeholder":true,"num":0.5}]"#,
            r#"["x",{"_placeholder":true,"num":99999999999999999999}]"#,
            r#"["x",{"a":[[{"b":{"_placeholder" :true,"z":{"num":0},"num" : 2 }}]]}]"#,
            r#"["x",{"\u005fplaceholder":true,"num":2}]"#,
            r#"["x",{"_placeholder":true,"num":0,"num":2}]"#,
        ] {
            assert_eq!(check(data, 2), Err(PacketError::IllegalAttachments), "{data}");
        }
    }
}
