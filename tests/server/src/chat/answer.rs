//! What is answered: `{ok: true, id?}` or `{ok: false, error: {code, message, retryAfterMs?, behind?}}`.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The answer to one event, as its acknowledgement carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Refusal>,
}

/// Why an event was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_ms: Option<u64>,
    /// The `messageId` that its lane waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) behind: Option<String>,
}

impl Answer {
    pub(crate) fn done() -> Self {
        Self {
            ok: true,
            id: None,
            error: None,
        }
    }

    pub(crate) fn done_as(id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            ..Self::done()
        }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self {
            ok: false,
            id: None,
            error: Some(refusal),
        }
    }

    /// As the ledger remembers it.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an answer is plain text and numbers")
    }

    /// What the ledger remembers.
    pub(crate) fn from_json(json: &str) -> Result<Self, Refusal> {
        serde_json::from_str(json).map_err(|error| Refusal::internal(&error))
    }

    /// Refusals to `Err`, so that `?` ends the handling of an event.
    pub(crate) fn into_result(self) -> Result<Self, Refusal> {
        match self.error {
            Some(refusal) => Err(refusal),
            None => Ok(self),
        }
    }
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: message.into(),
            retry_after_ms: None,
            behind: None,
        }
    }

    /// A payload that cannot be taken; the message begins with the field's name.
    pub(crate) fn invalid(field: &str, must: &str) -> Self {
        Self::new("invalid_payload", format!("{field}: {must}"))
    }

    /// A limit of rate: the same event is taken after `wait`.
    pub(crate) fn rate_limited(wait: Duration) -> Self {
        Self {
            retry_after_ms: Some(whole_ms(wait)),
            ..Self::new("rate_limited", "too many of these; wait and send it again")
        }
    }

    /// One before it in its lane was refused, and has not come again.
    pub(crate) fn behind(head: String, wait: Duration) -> Self {
        Self {
            retry_after_ms: Some(whole_ms(wait)),
            behind: Some(head),
            ..Self::new(
                "rate_limited",
                "one before it was refused; send that one first, or skip it",
            )
        }
    }

    /// A fault of this server's; its log has the details.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "an event could not be handled");
        Self::new("internal", "the server failed; try again later")
    }

    pub(crate) fn is_rate_limit(&self) -> bool {
        self.code == "rate_limited"
    }
}

/// Rounded up: a client that waits as long as it was told must not come too early.
fn whole_ms(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_the_form_of_the_protocol() {
        assert_eq!(Answer::done_as("m1").to_json(), r#"{"ok":true,"id":"m1"}"#, "done");
        let limited = Refusal::rate_limited(Duration::from_micros(1_500_001));
        assert_eq!(
            Answer::refused(limited).to_json(),
            r#"{"ok":false,"error":{"code":"rate_limited","message":"too many of these; wait and send it again","retryAfterMs":1501}}"#,
        );
        let behind = Refusal::behind("m11".to_owned(), Duration::from_secs(1));
        let json = Answer::refused(behind).to_json();
        assert!(json.ends_with(r#""retryAfterMs":1000,"behind":"m11"}}"#), "{json}");
    }

    #[test]
    fn a_remembered_answer_is_the_answer() {
        for answer in [
            Answer::done(),
            Answer::done_as("m1"),
            Answer::refused(Refusal::new("not_member", "join the room first")),
        ] {
            assert_eq!(Answer::from_json(&answer.to_json()), Ok(answer));
        }
    }
}
