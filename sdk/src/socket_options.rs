//! What one socket has of its own, where it differs from its client.

use std::future::Future;
use std::time::Duration;

use crate::config::{Delivery, QueueConfig, check_limit};
use crate::core::NamespaceConfig;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::sys::{MaybeSend, MaybeSync};

/// Settings of one socket, for [`Client::socket_with`](crate::Client::socket_with). What is not set is as the client's
/// builder says.
#[derive(Debug, Default)]
#[must_use = "options do nothing until a socket is made with them"]
pub struct SocketOptions {
    credentials: Option<Result<Credentials, Error>>,
    queue: Option<QueueConfig>,
    delivery: Option<Delivery>,
    ack_timeout: Option<Duration>,
    account: Option<String>,
}

impl SocketOptions {
    /// Everything as the client has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Credentials that are sent in CONNECT: anything that serialises to a JSON object.
    #[cfg(feature = "typed")]
    pub fn auth<A: serde::Serialize>(mut self, auth: A) -> Self {
        self.credentials = Some(Credentials::typed(&auth));
        self
    }

    /// Credentials that are sent in CONNECT, as the text of a JSON object.
    pub fn auth_json(mut self, json: impl Into<String>) -> Self {
        self.credentials = Some(Credentials::json(json.into()));
        self
    }

    /// The credentials `{"token": …}`.
    pub fn token(mut self, token: &str) -> Self {
        self.credentials = Some(Ok(Credentials::token(token)));
        self
    }

    /// Asks for credentials at each attempt, as [`Builder::auth_provider`](crate::Builder::auth_provider) does.
    pub fn auth_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + MaybeSync + 'static,
        A: Future<Output = Result<String, String>> + MaybeSend + 'static,
    {
        self.credentials = Some(Ok(Credentials::provider(provider)));
        self
    }

    /// Asks for a token at each attempt.
    pub fn token_provider<F, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + MaybeSync + 'static,
        A: Future<Output = Result<String, String>> + MaybeSend + 'static,
    {
        self.credentials = Some(Ok(Credentials::token_provider(provider)));
        self
    }

    /// The bounds of its queue.
    pub fn queue(mut self, queue: QueueConfig) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Whether its reliable messages are sent again after a lost link.
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = Some(delivery);
        self
    }

    /// How long an acknowledgement is waited for, from when the message is written.
    pub fn ack_timeout(mut self, limit: Duration) -> Self {
        self.ack_timeout = Some(limit);
        self
    }

    /// The id of the user who is signed in, as [`Builder::account`](crate::Builder::account) says.
    pub fn account(mut self, user_id: impl Into<String>) -> Self {
        self.account = Some(user_id.into());
        self
    }

    /// Changes what the client's sockets start from, and gives the socket's own credentials, if it has some.
    pub(crate) fn apply(self, namespace: &mut NamespaceConfig) -> Result<Option<Credentials>, Error> {
        if let Some(queue) = self.queue {
            queue.check()?;
            namespace.queue = queue;
        }
        if let Some(limit) = self.ack_timeout {
            check_limit("ack_timeout", limit)?;
            namespace.ack_timeout = limit;
        }
        namespace.delivery = self.delivery.unwrap_or(namespace.delivery);
        namespace.account = self.account.or(namespace.account.take());
        self.credentials.transpose()
    }
}
