//! What a plain-JSON connection reads.

use futures::StreamExt;
use futures::stream::SplitStream;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::frames;
use super::outlet::{Outlet, Writer};
use super::upgrade::WebSocket;
use crate::auth::{AuthError, User};
use crate::chat::answer::{Answer, Refusal};
use crate::chat::fields::excerpt;
use crate::chat::hub::Hub;
use crate::chat::life::{Events, Received};
use crate::chat::outlet::Reply;

/// The frames of one connection.
pub(super) struct Incoming<'a> {
    hub: &'a Hub,
    stream: SplitStream<WebSocket>,
    outlet: Outlet,
    /// Ends once this side has closed.
    writing: JoinHandle<Writer>,
    written: Option<Writer>,
    user: Option<User>,
}

// Close codes of RFC 6455, 7.4.1.
const UNSUPPORTED: u16 = 1003;
const INVALID: u16 = 1007;
const POLICY: u16 = 1008;
const TOO_BIG: u16 = 1009;

impl<'a> Incoming<'a> {
    pub(super) fn new(
        hub: &'a Hub,
        stream: SplitStream<WebSocket>,
        outlet: Outlet,
        writing: JoinHandle<Writer>,
    ) -> Self {
        Self {
            hub,
            stream,
            outlet,
            writing,
            written: None,
            user: None,
        }
    }

    /// Waits until the client has said who it is; `None` if it ends before, or takes too long.
    pub(super) async fn authenticate(&mut self) -> Option<User> {
        let wait = self.hub.config.auth_timeout;
        let Ok(user) = timeout(wait, self.until_authenticated()).await else {
            return self.give_up(POLICY, "authenticate took too long".to_owned());
        };
        self.user.clone_from(&user);
        user
    }

    /// Both halves of the WebSocket, where the writing one is there again.
    pub(super) async fn into_parts(mut self) -> (SplitStream<WebSocket>, Option<Writer>) {
        if self.written.is_none() {
            self.written = (&mut self.writing).await.ok();
        }
        (self.stream, self.written)
    }

    async fn until_authenticated(&mut self) -> Option<User> {
        loop {
            let event = self.next().await?;
            if event.name == "authenticate" {
                if let Ok(user) = self.check(&event.payload) {
                    return Some(user);
                }
                continue;
            }
            let refusal = Refusal::new("not_authenticated", "authenticate first");
            if self.hub.config.features.ack && event.reply.is_wanted() {
                event.reply.send(&Answer::refused(refusal));
                continue;
            }
            let mut error = json!(refusal);
            error["event"] = json!(excerpt(&event.name));
            self.outlet.say("error", &error);
        }
    }

    /// Who a token speaks for; a refusal is told.
    fn check(&self, data: &Value) -> Result<User, AuthError> {
        let admitted = match &data["token"] {
            Value::String(token) => self.hub.admit(token),
            Value::Null => Err(AuthError::Missing),
            _ => Err(AuthError::Invalid),
        };
        admitted.inspect_err(|error| {
            self.hub.counters.refused.add(1);
            self.refuse(error.code(), &error.to_string());
        })
    }

    /// A new token of the same user, on a connection that has one.
    fn renew(&self, user: &User, data: &Value) {
        match self.check(data) {
            Ok(same) if same.id == user.id => {
                self.outlet.say("authenticated", &json!({ "user": user }));
            }
            Ok(_) => self.refuse("other_user", "other_user: connect anew to be another user"),
            Err(_) => {}
        }
    }

    fn refuse(&self, code: &str, message: &str) {
        let failed = json!({ "code": code, "message": message });
        self.outlet.say("authentication_failed", &failed);
    }

    /// One text frame; `None` where it was for the connection itself.
    fn take(&self, text: &Utf8Bytes) -> Result<Option<Received>, String> {
        let frame = frames::read(text)?;
        match (frame.name.as_str(), &self.user) {
            ("ping", _) => {
                self.outlet.say("pong", &json!({}));
                Ok(None)
            }
            ("ack", Some(_)) if self.hub.config.features.receipts => {
                self.outlet.acknowledged(&frame.id.unwrap_or_default());
                Ok(None)
            }
            ("authenticate", Some(user)) => {
                self.renew(user, &frame.payload);
                Ok(None)
            }
            _ => Ok(Some(Received {
                name: frame.name,
                payload: frame.payload,
                reply: match frame.id {
                    Some(id) => Reply::Json(self.outlet.clone(), id),
                    None => Reply::Nowhere,
                },
                is_too_many: false,
            })),
        }
    }

    /// Tells what is wrong, and closes.
    fn give_up<T>(&self, code: u16, message: String) -> Option<T> {
        self.outlet.say("error", &json!({ "message": message }));
        self.outlet.close(code, "");
        None
    }
}

impl Events for Incoming<'_> {
    async fn next(&mut self) -> Option<Received> {
        let silence = self.hub.config.ping_interval + self.hub.config.ping_timeout;
        if self.written.is_some() {
            return None;
        }
        loop {
            let read = tokio::select! {
                read = timeout(silence, self.stream.next()) => read,
                written = &mut self.writing => {
                    self.written = written.ok();
                    return None;
                }
            };
            let Ok(read) = read else {
                return self.give_up(POLICY, "silent for too long".to_owned());
            };
            match read? {
                Ok(Message::Text(text)) => match self.take(&text) {
                    Ok(Some(event)) => return Some(event),
                    Ok(None) => {}
                    Err(reason) => return self.give_up(INVALID, reason),
                },
                Ok(Message::Binary(_)) => {
                    return self.give_up(UNSUPPORTED, "binary is not taken".to_owned());
                }
                Ok(_) => {}
                Err(Error::Capacity(CapacityError::MessageTooLong { max_size, .. })) => {
                    return self.give_up(TOO_BIG, format!("a frame has at most {max_size} bytes"));
                }
                Err(Error::Utf8(_)) => return self.give_up(INVALID, "not UTF-8".to_owned()),
                Err(_) => return None,
            }
        }
    }
}
