//! Passwords of rooms: PBKDF2-HMAC-SHA256 (RFC 8018, 5.2) with a salt of 16 bytes, compared in
//! constant time.

use std::num::NonZeroU32;

use ring::pbkdf2;
use ring::rand::{SecureRandom, SystemRandom};

/// The longest password, in bytes.
pub(crate) const MAX_PASSWORD: usize = 256;

const ALGORITHM: pbkdf2::Algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
const ROUNDS: usize = 4;
const SALT: usize = 16;
const HASH: usize = 32;

/// Rounds, salt and hash of a password, in one piece; a cost in time of the caller's choice.
pub(crate) fn hash(password: &str, rounds: u32) -> Vec<u8> {
    let mut salt = [0; SALT];
    SystemRandom::new()
        .fill(&mut salt)
        .expect("the system has random bytes");
    let rounds = NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN);
    let mut hash = [0; HASH];
    pbkdf2::derive(ALGORITHM, rounds, &salt, password.as_bytes(), &mut hash);
    [&rounds.get().to_be_bytes()[..], &salt, &hash].concat()
}

/// Whether the password is the one that was hashed.
pub(crate) fn verify(password: &str, hashed: &[u8]) -> bool {
    let Some((rounds, rest)) = hashed.split_first_chunk::<ROUNDS>() else {
        return false;
    };
    let Some((salt, hash)) = rest.split_first_chunk::<SALT>() else {
        return false;
    };
    let Some(rounds) = NonZeroU32::new(u32::from_be_bytes(*rounds)) else {
        return false;
    };
    pbkdf2::verify(ALGORITHM, rounds, salt, password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_taken() {
        let hashed = hash("open sesame", 10);
        assert!(verify("open sesame", &hashed));
        assert!(!verify("open sesame ", &hashed));
        assert!(!verify("", &hashed));
        assert!(!verify("open sesame", &[]));
        assert!(!verify("open sesame", &hashed[..ROUNDS + SALT]));
    }

    #[test]
    fn the_same_password_is_never_hashed_alike() {
        assert_ne!(hash("open sesame", 10), hash("open sesame", 10));
    }
}
