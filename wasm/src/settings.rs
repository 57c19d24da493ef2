//! What a client is made with: each option by its name in TypeScript, whose types the TypeScript has checked.

use std::time::Duration;

use js_sys::{Function, Promise};
use rejoin::{
    BackoffConfig, Builder, Client, Delivery, Error, Limits, Overflow, Protocol, QueueConfig, RealtimeClient,
    SocketOptions, Transport, TypingConfig,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::border::Border;
use crate::errors::thrown;
use crate::link::Link;

/// What a client is made with.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Settings {
    builder: Option<Builder<RealtimeClient>>,
    transports: Option<Vec<Transport>>,
    /// What one socket can have of its own.
    socket: SocketOptions,
    backoff: BackoffConfig,
    /// `None` where it is as by default, or for a socket as its client has it.
    queue: Option<QueueConfig>,
    typing: TypingConfig,
    limits: Limits,
    /// TypeScript has an option that is not known here.
    unknown: bool,
}

fn duration(millis: f64) -> Duration {
    Duration::from_millis(millis as u64)
}

#[wasm_bindgen]
impl Settings {
    /// For a client of this address.
    #[wasm_bindgen(constructor)]
    pub fn new(url: String) -> Self {
        Self {
            builder: Some(RealtimeClient::builder(url)),
            transports: None,
            socket: SocketOptions::new(),
            backoff: BackoffConfig::default(),
            queue: None,
            typing: TypingConfig::default(),
            limits: Limits::default(),
            unknown: false,
        }
    }

    fn queue(&mut self) -> &mut QueueConfig {
        self.queue.get_or_insert_default()
    }

    fn change_socket(&mut self, change: impl FnOnce(SocketOptions) -> SocketOptions) {
        self.socket = change(std::mem::take(&mut self.socket));
    }

    /// What a socket is made with that has something of its own.
    pub(crate) fn into_socket(self) -> SocketOptions {
        match self.queue {
            Some(queue) => self.socket.queue(queue),
            None => self.socket,
        }
    }

    fn change(&mut self, change: impl FnOnce(Builder<RealtimeClient>) -> Builder<RealtimeClient>) {
        self.builder = self.builder.take().map(change);
    }

    /// Sets an option that is a number (times are in milliseconds) or, as 0 and 1, a boolean.
    pub fn number(&mut self, name: &str, value: f64) {
        let size = value as usize;
        match name {
            "withCredentials" => self.change(|builder| builder.with_credentials(value != 0.0)),
            "requireTls" => self.change(|builder| builder.require_tls(value != 0.0)),
            "connectTimeout" => self.change(|builder| builder.connect_timeout(duration(value))),
            "ackTimeout" => {
                self.change(|builder| builder.ack_timeout(duration(value)));
                self.change_socket(|socket| socket.ack_timeout(duration(value)));
            }
            "reconnect.initialDelay" => self.backoff.initial = duration(value),
            "reconnect.maxDelay" => self.backoff.max = duration(value),
            "reconnect.multiplier" => self.backoff.multiplier = value,
            "reconnect.jitter" => self.backoff.jitter = value != 0.0,
            "reconnect.maxAttempts" => self.change(|builder| builder.max_attempts(value as u32)),
            "reconnect.seed" => self.change(|builder| builder.reconnect_seed(value as u64)),
            "queue.capacity" => self.queue().capacity = size,
            "queue.bytes" => self.queue().bytes = size,
            "queue.ttl" => self.queue().ttl = Some(duration(value)),
            "typing.autoStop" => self.typing.auto_stop = duration(value),
            "typing.refresh" => self.typing.refresh = duration(value),
            "typing.expiry" => self.typing.expiry = duration(value),
            "limits.message" => self.limits.message = size,
            "limits.attachments" => self.limits.attachments = size,
            "limits.depth" => self.limits.depth = size,
            "limits.outgoing" => self.limits.outgoing = size,
            _ => self.unknown = true,
        }
    }

    /// Sets an option that is a text.
    pub fn text(&mut self, name: &str, value: String) {
        match name {
            "protocol" => self.change(|builder| {
                builder.protocol(if value == "json" {
                    Protocol::Json
                } else {
                    Protocol::SocketIo
                })
            }),
            "path" => self.change(|builder| builder.path(value)),
            "auth" => {
                self.change_socket(|socket| socket.auth_json(value.clone()));
                self.change(|builder| builder.auth_json(value));
            }
            "account" => {
                self.change_socket(|socket| socket.account(value.clone()));
                self.change(|builder| builder.account(value));
            }
            "namespace" => self.change(|builder| builder.namespace(value)),
            "queue.overflow" => {
                self.queue().overflow = if value == "reject" {
                    Overflow::Reject
                } else {
                    Overflow::DropOldest
                };
            }
            "delivery" => {
                self.change_socket(|socket| socket.delivery(delivery(&value)));
                self.change(|builder| builder.delivery(delivery(&value)));
            }
            _ => self.unknown = true,
        }
    }

    /// How links are made: names with commas between them.
    pub fn transports(&mut self, names: &str) {
        let names = names.split(',').filter(|name| !name.is_empty());
        let transports = names.map(|name| match name {
            "polling" => Transport::Polling,
            _ => Transport::WebSocket,
        });
        self.transports = Some(transports.collect());
    }

    /// Adds a parameter to the handshake's query.
    pub fn query(&mut self, key: &str, value: &str) {
        self.change(|builder| builder.query(key, value));
    }

    /// How long messages of one kind may wait.
    pub fn ttl_of(&mut self, event: String, millis: f64) {
        self.queue().ttl_by_event.push((event, duration(millis)));
    }

    /// Asks a function for credentials: it gives a promise of the text of a JSON object.
    pub fn provider(&mut self, provider: Function) {
        let own = provider.clone();
        self.change_socket(|socket| socket.auth_provider(move || ask(own.clone())));
        self.change(|builder| builder.auth_provider(move || ask(provider.clone())));
    }

    /// Makes the client. `sink` is told what happens.
    ///
    /// # Errors
    /// An error as the text of a JSON object.
    pub fn build(self, chat: bool, sink: Function) -> Result<Link, JsValue> {
        let Some(mut builder) = self.builder.filter(|_| !self.unknown) else {
            let detail =
                "an option that the WebAssembly does not know: it and the script beside it are not of one version";
            return Err(thrown(Error::Unsupported(detail.into())));
        };
        if let Some(transports) = self.transports {
            builder = builder.transports(transports);
        }
        let builder = builder
            .backoff(self.backoff)
            .queue(self.queue.unwrap_or_default())
            .typing(self.typing)
            .limits(self.limits)
            .observer(Border { sink });
        let built = if chat {
            builder.build().map(|chat| (chat.client().clone(), Some(chat)))
        } else {
            builder.without_chat().build().map(|client: Client| (client, None))
        };
        let (client, chat) = built.map_err(thrown)?;
        Ok(Link::new(client, chat))
    }
}

pub(crate) fn delivery(name: &str) -> Delivery {
    match name {
        "atMostOnce" => Delivery::AtMostOnce,
        "atLeastOnce" => Delivery::AtLeastOnce,
        _ => Delivery::Auto,
    }
}

/// The TypeScript behind it gives a promise of a string, whatever the app's function gives.
pub(crate) async fn ask(provider: Function) -> Result<String, String> {
    let failed = |error: JsValue| error.as_string().unwrap_or_default();
    let promise = provider.call0(&JsValue::UNDEFINED).map_err(failed)?;
    let answer = JsFuture::from(Promise::resolve(&promise)).await.map_err(failed)?;
    Ok(answer.as_string().unwrap_or_default())
}
