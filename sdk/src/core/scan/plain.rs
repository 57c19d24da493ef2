//! Passing over the plain bytes of a string, which most of a message is.

/// The offset, from `from` on, of the first byte that cannot stand in a JSON string as it is: quote, backslash, control.
///
/// Eight bytes a step. Each test marks the high bit of a byte that matches; a borrow can mark others too, but only above a
/// true match, so the lowest mark is always right.
#[inline]
pub(super) fn plain_until(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let mut at = from;
    let mut rest = bytes.get(from..).unwrap_or_default();
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let marks = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * b' ' as u64) & !word);
        if marks & HIGH != 0 {
            return at + (marks & HIGH).trailing_zeros() as usize / 8;
        }
        at += 8;
        rest = tail;
    }
    let special = |b: &u8| matches!(b, b'"' | b'\\' | 0..=0x1f);
    at + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_bytes_are_passed_over_to_the_first_special_one() {
        for length in 0..40 {
            let plain = "é~\u{7f}x".repeat(10).into_bytes();
            let mut bytes = plain[..length].to_vec();
            assert_eq!(plain_until(&bytes, 0), length);
            for special in [b'"', b'\\', 0, 0x1f] {
                bytes.truncate(length);
                bytes.push(special);
                bytes.extend_from_slice(b"\x00\"tail of the text");
                assert_eq!(plain_until(&bytes, 0), length);
            }
        }
    }
}
