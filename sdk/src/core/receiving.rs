//! A socket's messages on their way in: events for the app, and answers to what was sent.

use bytestring::ByteString;

use super::context::Context;
use super::features::Features;
use super::io::{Happening, ReplyTo};
use super::namespace::Namespace;
use super::outbox::Purpose;
use super::scan;
use crate::error::Error;
use crate::payload::Payload;
use crate::receipt::Outcome;

impl Namespace {
    /// An event came from the server.
    pub(crate) fn received(&mut self, cx: &mut Context, name: ByteString, payload: Payload, reply_to: Option<ReplyTo>) {
        if reply_to.is_none() {
            self.note_offset(&payload);
        }
        if &*name == "connection_status" {
            self.greeted(cx, &payload);
        } else if &*name == "closing" {
            self.heard_closing(&payload);
        }
        self.hear(cx, name, payload, reply_to);
    }

    /// Hands an event to the app, unless the chat layer has reason to keep it.
    pub(crate) fn hear(&mut self, cx: &mut Context, name: ByteString, payload: Payload, reply_to: Option<ReplyTo>) {
        if self.is_chat() && !self.observe(cx, &name, &payload) {
            return;
        }
        let message = Happening::Message {
            name,
            payload,
            reply_to: reply_to.map(Box::new),
        };
        cx.event(self.id, message);
    }

    /// An event that the client itself raises in the server's words.
    pub(crate) fn raise(&mut self, cx: &mut Context, name: &'static str, object: &[u8]) {
        let Ok(object) = ByteString::try_from(object) else {
            return;
        };
        let message = Happening::Message {
            name: ByteString::from_static(name),
            payload: Payload::new(object, Vec::new()),
            reply_to: None,
        };
        cx.event(self.id, message);
    }

    /// The server has said what it promises.
    pub(crate) fn greeted(&mut self, cx: &mut Context, payload: &Payload) {
        self.features = Some(payload.field("features").map(Features::parse).unwrap_or_default());
        self.greeting_due = None;
        self.proceed(cx);
    }

    /// The server answered the message that was sent under `id`. Late and unknown ids are ignored, as npm does.
    pub(crate) fn answered(&mut self, cx: &mut Context, id: u64, payload: Payload) {
        let Some(mut entry) = self.acks.answered(id) else {
            tracing::debug!("an acknowledgement that nobody waits for");
            return;
        };
        let took = entry.written.elapsed(cx.now.mono);
        cx.tally(self.id).answered(took);
        let refusal = match (&entry.purpose, entry.reliable) {
            (Purpose::Message, false) => None,
            _ => refusal(&payload),
        };
        match std::mem::take(&mut entry.purpose) {
            Purpose::Message | Purpose::Typing => {}
            Purpose::Leave(room) => self.left(&room),
            Purpose::Join(room) => self.join_answered(cx, entry.seq, &room, &payload, refusal.clone()),
            Purpose::Create { password, .. } => {
                if refusal.is_none()
                    && let Some(room) = payload.string_field("id")
                {
                    if entry.writes == 1 {
                        self.rooms.entered(&room, password);
                    } else {
                        // An earlier link may have created it, and this one is in no room yet.
                        self.rooms.want(&room, password, None);
                        self.ask_for_rooms(cx);
                    }
                }
            }
        }
        let outcome = match refusal {
            Some(error) => Outcome::Rejected(error),
            None => Outcome::Delivered(payload),
        };
        self.finish(cx, entry, outcome);
        if self.is_joined() {
            self.proceed(cx);
        }
    }
}

/// Reads `{ok: false, error: {code, message, retryAfterMs?}}`; anything else is no refusal.
fn refusal(payload: &Payload) -> Option<Error> {
    if scan::boolean(payload.field("ok")?)? {
        return None;
    }
    let error = payload.field("error").unwrap_or("{}");
    let text = |name| {
        scan::field(error, name)
            .and_then(scan::string)
            .map(|text| text.into_owned())
    };
    let code = text("code");
    // Servers of plain JSON may say it in so many words.
    let words = || scan::string(error).map(|text| text.into_owned());
    let message = text("message")
        .or_else(words)
        .unwrap_or_else(|| "it gave no reason".to_owned());
    if code.as_deref() == Some("rate_limited") {
        let retry_after = scan::field(error, "retryAfterMs").and_then(scan::uint);
        return Some(Error::RateLimited {
            message,
            retry_after: retry_after.map(std::time::Duration::from_millis),
        });
    }
    Some(Error::Server { code, message })
}
