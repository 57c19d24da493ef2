//! The options of `create`. Every one that is not known, or has a value of another kind, is refused by its name.

use std::collections::HashMap;
use std::time::Duration;

use rejoin::store::FileStore;
use rejoin::{
    BackoffConfig, Buildable, Builder, Delivery, Error, Overflow, Protocol, QueueConfig, SocketOptions, Transport,
    TypingConfig,
};
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::fields::Fields;

/// The token that the provider gives; `None` before there is one.
pub(super) type Token = Option<String>;

/// The options that a namespace can have for itself. The others belong to the link.
const OF_A_NAMESPACE: [&str; 9] = [
    "namespace",
    "chat",
    "auth",
    "token",
    "provider",
    "queue",
    "delivery",
    "ackTimeout",
    "account",
];

/// What a client is made with.
#[derive(Default)]
pub(super) struct Options {
    pub(super) namespace: Option<String>,
    pub(super) chat: Option<bool>,
    pub(super) provider: bool,
    /// An option that `"of"` cannot have.
    of_a_link: Option<String>,
    pub(super) typing: Option<TypingConfig>,
    protocol: Option<Protocol>,
    transports: Option<Vec<Transport>>,
    with_credentials: Option<bool>,
    path: Option<String>,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
    auth: Option<Map<String, Value>>,
    token: Option<String>,
    require_tls: Option<bool>,
    ca: Option<String>,
    backoff: Option<BackoffConfig>,
    max_attempts: Option<u32>,
    seed: Option<u64>,
    connect_timeout: Option<Duration>,
    ack_timeout: Option<Duration>,
    queue: Option<QueueConfig>,
    delivery: Option<Delivery>,
    account: Option<String>,
    /// Where reliable messages survive.
    store: Option<String>,
}

impl Options {
    /// # Errors
    /// 1002 names the option; 1005 says what the client does not have yet.
    pub(super) fn read(options: Map<String, Value>) -> Result<Self, Error> {
        let mut fields = Fields::new("", options);
        let mut read = Self {
            of_a_link: fields
                .names()
                .find(|name| !OF_A_NAMESPACE.contains(&name.as_str()))
                .cloned(),
            ..Self::default()
        };
        read.namespace = fields.take("namespace")?;
        read.chat = fields.take("chat")?;
        read.provider = fields.take("provider")?.unwrap_or(false);
        read.path = fields.take("path")?;
        read.query = fields.take("query")?.unwrap_or_default();
        read.headers = fields.take("headers")?.unwrap_or_default();
        read.auth = fields.take("auth")?;
        read.token = fields.take("token")?;
        read.require_tls = fields.take("requireTls")?;
        read.ca = fields.take("ca")?;
        read.connect_timeout = fields.millis("connectTimeout")?;
        read.ack_timeout = fields.millis("ackTimeout")?;
        if let Some(reconnect) = fields.group("reconnect")? {
            read.reconnect(reconnect)?;
        }
        if let Some(mut queue) = fields.group("queue")? {
            read.store = queue.take("store")?;
            read.queue = Some(bounds(queue)?);
        }
        read.typing = fields.group("typing")?.map(typing).transpose()?;
        read.delivery = fields.choice(
            "delivery",
            &[
                ("auto", Delivery::Auto),
                ("atMostOnce", Delivery::AtMostOnce),
                ("atLeastOnce", Delivery::AtLeastOnce),
            ],
        )?;
        let protocols = [("socketio", Protocol::SocketIo), ("json", Protocol::Json)];
        read.protocol = fields.choice("protocol", &protocols)?;
        read.transports = transports(&mut fields)?;
        read.with_credentials = fields.take("withCredentials")?;
        read.account = fields.take("account")?;
        fields.end()?;
        Ok(read)
    }

    fn reconnect(&mut self, mut fields: Fields) -> Result<(), Error> {
        let mut backoff = BackoffConfig::default();
        backoff.initial = fields.millis("initialDelay")?.unwrap_or(backoff.initial);
        backoff.max = fields.millis("maxDelay")?.unwrap_or(backoff.max);
        backoff.multiplier = fields.take("multiplier")?.unwrap_or(backoff.multiplier);
        self.backoff = Some(backoff);
        self.max_attempts = fields.take("maxAttempts")?;
        self.seed = fields.take("seed")?;
        fields.end()
    }

    /// Hands every option to the client's builder; `token` is what the provider gives.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn apply<T: Buildable>(
        self,
        mut builder: Builder<T>,
        token: watch::Receiver<Token>,
    ) -> Result<Builder<T>, Error> {
        for (name, value) in &self.query {
            builder = builder.query(name, value);
        }
        for (name, value) in self.headers {
            builder = builder.header(name, value);
        }
        macro_rules! set {
            ($($field:ident => $method:ident),*) => {$(
                if let Some(value) = self.$field {
                    builder = builder.$method(value);
                }
            )*};
        }
        set!(protocol => protocol, transports => transports, with_credentials => with_credentials, path => path, auth => auth, require_tls => require_tls, ca => ca_pem, backoff => backoff,
            max_attempts => max_attempts, seed => reconnect_seed, connect_timeout => connect_timeout,
            ack_timeout => ack_timeout, queue => queue, delivery => delivery, account => account);
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        if self.provider {
            builder = builder.token_provider(move || ask(token.clone()));
        }
        if let Some(folder) = self.store {
            builder = builder.store(FileStore::open(folder)?);
        }
        Ok(builder)
    }

    /// The options of a namespace on another client's link.
    ///
    /// # Errors
    /// 1002 names an option of the link.
    pub(super) fn of_a_namespace(self, token: watch::Receiver<Token>) -> Result<SocketOptions, Error> {
        if let Some(option) = self.of_a_link {
            return Err(Error::InvalidOption {
                option: option.into(),
                reason: "it belongs to the link, and so to the client that has it".into(),
            });
        }
        if self.store.is_some() {
            return Err(unsupported(
                "`queue.store` on another client's link: the store is that client's",
            ));
        }
        let mut options = SocketOptions::new();
        macro_rules! set {
            ($($field:ident),*) => {$(
                if let Some(value) = self.$field {
                    options = options.$field(value);
                }
            )*};
        }
        set!(auth, queue, delivery, ack_timeout, account);
        if let Some(token) = &self.token {
            options = options.token(token);
        }
        if self.provider {
            options = options.token_provider(move || ask(token.clone()));
        }
        Ok(options)
    }
}

/// Waits for the first token, and gives the last.
async fn ask(mut token: watch::Receiver<Token>) -> Result<String, String> {
    let token = token
        .wait_for(Option::is_some)
        .await
        .map_err(|error| error.to_string())?;
    token.clone().ok_or_else(|| "there is no token".to_owned())
}

fn bounds(mut fields: Fields) -> Result<QueueConfig, Error> {
    let mut queue = QueueConfig::default();
    queue.capacity = fields.take("capacity")?.unwrap_or(queue.capacity);
    queue.bytes = fields.take("bytes")?.unwrap_or(queue.bytes);
    let overflow = [("dropOldest", Overflow::DropOldest), ("reject", Overflow::Reject)];
    queue.overflow = fields.choice("overflow", &overflow)?.unwrap_or(queue.overflow);
    queue.ttl = fields.millis("ttl")?;
    fields.end()?;
    Ok(queue)
}

fn typing(mut fields: Fields) -> Result<TypingConfig, Error> {
    let mut typing = TypingConfig::default();
    typing.auto_stop = fields.millis("autoStop")?.unwrap_or(typing.auto_stop);
    typing.refresh = fields.millis("refresh")?.unwrap_or(typing.refresh);
    typing.expiry = fields.millis("expiry")?.unwrap_or(typing.expiry);
    fields.end()?;
    Ok(typing)
}

fn transports(fields: &mut Fields) -> Result<Option<Vec<Transport>>, Error> {
    let Some(names) = fields.take::<Vec<String>>("transports")? else {
        return Ok(None);
    };
    let known = [Transport::WebSocket, Transport::Polling];
    let named = |name: &String| known.into_iter().find(|transport| transport.as_str() == name);
    let wrong = || fields.wrong("transports", "they are `websocket` and `polling`");
    names
        .iter()
        .map(|name| named(name).ok_or_else(wrong))
        .collect::<Result<_, _>>()
        .map(Some)
}

pub(super) fn unsupported(what: &'static str) -> Error {
    Error::Unsupported(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(options: Value) -> Error {
        let Value::Object(options) = options else {
            panic!("options are an object")
        };
        Options::read(options).err().expect("refused")
    }

    #[test]
    fn what_is_unknown_or_of_the_wrong_kind_is_refused_by_its_name() {
        for (options, name) in [
            (json!({ "recnonect": {} }), "recnonect"),
            (json!({ "reconnect": { "initial": 10 } }), "reconnect.initial"),
            (json!({ "queue": { "overflow": "dropNewest" } }), "queue.overflow"),
            (json!({ "queue": [] }), "queue"),
            (json!({ "typing": { "autoStop": "3s" } }), "typing.autoStop"),
            (json!({ "connectTimeout": -1 }), "connectTimeout"),
            (json!({ "headers": { "a": 1 } }), "headers"),
            (json!({ "auth": "secret" }), "auth"),
            (json!({ "transports": ["pigeon"] }), "transports"),
            (json!({ "protocol": "xmpp" }), "protocol"),
            (json!({ "chat": 1 }), "chat"),
        ] {
            let error = refused(options.clone());
            assert_eq!(error.code(), 1002, "{options}");
            assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        }
    }
}
