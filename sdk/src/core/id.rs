//! Message ids.

use super::rng::Rng;

/// A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits.
pub fn uuid_v7(unix_ms: u64, rng: &mut Rng) -> Box<str> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let high = (unix_ms << 16) | 0x7000 | (rng.bits() & 0x0fff);
    let low = (rng.bits() >> 2) | (1 << 63);
    let mut text = String::with_capacity(36);
    for nibble in 0..32 {
        if matches!(nibble, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        let word = if nibble < 16 { high } else { low };
        let digit = (word >> (60 - 4 * (nibble % 16))) & 0xf;
        text.push(char::from(HEX[digit as usize]));
    }
    text.into_boxed_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_version_7_and_sort_by_time() {
        let mut rng = Rng::new(3);
        let early = uuid_v7(0x0123_4567_89ab, &mut rng);
        let late = uuid_v7(0x0123_4567_89ac, &mut rng);
        assert!(early.starts_with("01234567-89ab-7"), "{early}");
        assert_eq!(early.len(), 36);
        assert!("89ab".contains(&early[19..20]), "{early}");
        assert!(early < late);
    }
}
