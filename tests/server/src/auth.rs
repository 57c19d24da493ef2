//! Tokens: who connects.
//!
//! JSON Web Tokens signed with HS256 and nothing else: a token that names another algorithm,
//! `none` above all, is not good (RFC 8725, 3.1). `exp` is required and counts to the second.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::clock::unix_ms;

/// Signs and checks tokens with one key.
pub(crate) struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

/// Who a token speaks for, as messages name their sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
}

/// Why nobody was let in; what CONNECT_ERROR says.
///
/// The message begins with the code, because socketioxide sends the message alone and has no way
/// to send `data` with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("token_missing: send a token in the auth of CONNECT or as Authorization: Bearer")]
    Missing,
    #[error("token_expired: the token has expired; connect again with a new one")]
    Expired,
    #[error("token_invalid: the token is not one of this server's")]
    Invalid,
    #[error("banned: this user may not connect")]
    Banned,
}

impl AuthError {
    /// The code with which the message begins.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Expired => "token_expired",
            Self::Invalid => "token_invalid",
            Self::Banned => "banned",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    username: String,
    exp: u64,
}

/// The longest user id or name, in bytes.
const MAX_NAME: usize = 128;

impl Tokens {
    pub(crate) fn new(secret: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            validation,
        }
    }

    /// A token that is good for `ttl`, in whole seconds; with less than one it has expired already.
    pub(crate) fn mint(&self, user: User, ttl: Duration) -> String {
        let now = unix_ms() / 1000;
        let claims = Claims {
            sub: user.id,
            username: user.username,
            exp: match ttl.as_secs() {
                0 => now - 1,
                seconds => now.saturating_add(seconds),
            },
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .expect("HMAC takes a key of any length, and the claims are plain text")
    }

    /// Who the token speaks for.
    pub(crate) fn check(&self, token: &str) -> Result<User, AuthError> {
        let decoded = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation).map_err(|error| {
            match error.kind() {
                ErrorKind::ExpiredSignature => AuthError::Expired,
                _ => AuthError::Invalid,
            }
        })?;
        let Claims { sub, username, .. } = decoded.claims;
        let named = |name: &str| (1..=MAX_NAME).contains(&name.len());
        if !named(&sub) || !named(&username) {
            return Err(AuthError::Invalid);
        }
        Ok(User { id: sub, username })
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn alice() -> User {
        User {
            id: "u1".into(),
            username: "Alice".into(),
        }
    }

    #[test]
    fn a_minted_token_names_its_user() {
        let tokens = Tokens::new(b"one secret");
        assert_eq!(tokens.check(&tokens.mint(alice(), HOUR)), Ok(alice()));
    }

    #[test]
    fn a_token_is_good_to_the_second_of_its_expiry_and_no_longer() {
        let tokens = Tokens::new(b"one secret");
        let expired = tokens.mint(alice(), Duration::ZERO);
        assert_eq!(tokens.check(&expired), Err(AuthError::Expired));
    }

    #[test]
    fn a_token_of_another_secret_is_refused() {
        let foreign = Tokens::new(b"another secret").mint(alice(), HOUR);
        let checked = Tokens::new(b"one secret").check(&foreign);
        assert_eq!(checked, Err(AuthError::Invalid));
    }

    #[test]
    fn a_token_signed_with_another_hmac_is_refused_even_with_the_right_key() {
        let tokens = Tokens::new(b"one secret");
        let claims = Claims {
            sub: "u1".into(),
            username: "Alice".into(),
            exp: u64::MAX / 2,
        };
        let header = Header::new(Algorithm::HS512);
        let token = jsonwebtoken::encode(&header, &claims, &tokens.signing).expect("signed");
        assert_eq!(tokens.check(&token), Err(AuthError::Invalid));
    }

    #[test]
    fn a_refusal_begins_with_its_code() {
        for error in [
            AuthError::Missing,
            AuthError::Expired,
            AuthError::Invalid,
            AuthError::Banned,
        ] {
            let message = error.to_string();
            assert!(message.starts_with(&format!("{}: ", error.code())), "{message}");
        }
    }

    #[test]
    fn a_user_without_a_name_is_refused() {
        let tokens = Tokens::new(b"one secret");
        let nobody = User {
            id: String::new(),
            username: "Alice".into(),
        };
        let token = tokens.mint(nobody, HOUR);
        assert_eq!(tokens.check(&token), Err(AuthError::Invalid));
    }
}
