//! Who a socket says it is: a value, or the app's code that is asked for one.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::core::AuthSource;
use crate::core::scan::{self, ObjectWriter};
use crate::error::Error;
use crate::sys::{MaybeSend, MaybeSync, Task};

/// How deep they may be nested: no server needs more, and every attempt carries them.
const DEPTH: usize = 128;

/// Asks the app for a socket's credentials: a JSON object, or what went wrong.
pub(crate) trait AuthProvider: MaybeSync {
    fn ask(&self) -> Task<Result<String, String>>;
}

/// What a socket's CONNECT carries, or where that comes from.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    /// What the core knows of them.
    pub(crate) source: AuthSource,
    /// The app's code, where the source is a provider. It is never dropped while the core's lock is held.
    pub(crate) provider: Option<Arc<dyn AuthProvider>>,
}

impl Credentials {
    /// `{"token": …}`.
    pub(crate) fn token(token: &str) -> Self {
        Self::value(token_object(token))
    }

    /// The text of a JSON object.
    pub(crate) fn json(json: String) -> Result<Self, Error> {
        match is_object(&json) {
            true => Ok(Self::value(json)),
            false => Err(Error::option("auth", "it has to be a JSON object")),
        }
    }

    /// Anything that serialises to a JSON object.
    #[cfg(feature = "typed")]
    pub(crate) fn typed<A: serde::Serialize>(auth: &A) -> Result<Self, Error> {
        let json = serde_json::to_string(auth).map_err(|error| Error::option("auth", error.to_string()))?;
        Self::json(json)
    }

    /// What `provider` answers: the text of a JSON object.
    pub(crate) fn provider<F, A>(provider: F) -> Self
    where
        F: Fn() -> A + MaybeSync + 'static,
        A: Future<Output = Result<String, String>> + MaybeSend + 'static,
    {
        Self {
            source: AuthSource::Provider,
            provider: Some(Arc::new(Provider(provider))),
        }
    }

    /// `{"token": …}` with what `provider` answers.
    pub(crate) fn token_provider<F, A>(provider: F) -> Self
    where
        F: Fn() -> A + MaybeSync + 'static,
        A: Future<Output = Result<String, String>> + MaybeSend + 'static,
    {
        Self::provider(move || {
            let token = provider();
            async move { token.await.map(|token| token_object(&token)) }
        })
    }

    fn value(json: String) -> Self {
        Self {
            source: AuthSource::Value(json),
            provider: None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{') && scan::validate(json, DEPTH).is_ok()
}

fn token_object(token: &str) -> String {
    let mut json = Vec::with_capacity(token.len() + 16);
    let mut object = ObjectWriter::new(&mut json);
    object.string("token", token);
    object.end();
    String::from_utf8(json).unwrap_or_default()
}

struct Provider<F>(F);

impl<F, A> AuthProvider for Provider<F>
where
    F: Fn() -> A + MaybeSync,
    A: Future<Output = Result<String, String>> + MaybeSend + 'static,
{
    fn ask(&self) -> Task<Result<String, String>> {
        let answer = (self.0)();
        Box::pin(async move {
            match answer.await {
                Ok(json) if !is_object(&json) => Err("it gave something other than a JSON object".to_owned()),
                answer => answer,
            }
        })
    }
}
