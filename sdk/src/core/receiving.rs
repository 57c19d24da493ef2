//! A socket's messages on their way in: events for the app, and answers to what was sent.

use std::time::Duration;

use bytestring::ByteString;

use super::context::Context;
use super::features::Features;
use super::io::{Happening, ReplyTo};
use super::namespace::Namespace;
use super::outbox::{Entry, Purpose};
use super::scan;
use crate::broken::broken;
use crate::error::Error;
use crate::payload::{Payload, RawArgs};
use crate::receipt::Outcome;

/// More bytes of receipts than this do not wait for a server that reads none.
const MOST_RECEIPTS: usize = 1 << 20;

impl Namespace {
    /// An event came from the server.
    pub(crate) fn received(&mut self, cx: &mut Context, name: ByteString, payload: Payload, reply_to: Option<ReplyTo>) {
        if reply_to.is_none() {
            self.note_offset(&payload);
        }
        if &*name == "connection_status" && self.is_greeting(&payload) {
            self.signed_in(cx, &payload);
            self.greeted(cx, &payload);
        } else if &*name == "closing" {
            self.heard_closing(&payload);
        }
        match reply_to {
            Some(to) if self.gives_receipts(&name) => {
                let news = self.is_new(&name, &payload) || broken!(HearsTwice);
                if news && !broken!(GivesReceiptsForNothing) {
                    self.hear(cx, name, payload, None);
                }
                self.receipt(to);
            }
            _ => self.hear(cx, name, payload, reply_to),
        }
    }

    /// Whether it says who the user is and what the server promises. Without the chat layer an app may have an event of its
    /// own by that name.
    fn is_greeting(&self, payload: &Payload) -> bool {
        let connected = || payload.field("connected").and_then(scan::boolean) == Some(true);
        self.is_chat() || payload.field("features").is_some() || connected()
    }

    /// Whether the server keeps this until it has a receipt, which the app has nothing to do with.
    pub(crate) fn gives_receipts(&self, name: &str) -> bool {
        let kept = matches!(name, "private_message" | "group_message" | "notification");
        kept && self.is_chat() && self.features.is_some_and(|features| features.receipts)
    }

    /// Whether it did not come before.
    pub(crate) fn is_new(&mut self, name: &str, payload: &Payload) -> bool {
        let Some(id) = payload.string_field("id") else {
            return true;
        };
        // A message's id is its sender's choice, and must not hide another sender's.
        let sender = payload.field("sender").and_then(|sender| scan::field(sender, "id"));
        let from = [name, "\n", sender.unwrap_or_default()].concat();
        self.seen.get_or_insert_default().is_new(&from, &id)
    }

    /// Tells the server that it need not keep an event any longer. What is not told is sent again.
    fn receipt(&mut self, to: ReplyTo) {
        if self.outbox.reply_bytes() < MOST_RECEIPTS {
            self.outbox.push_reply(to, RawArgs::json(r#"[{"ok":true}]"#));
        }
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
        self.remember(cx);
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
            _ if broken!(DeliversRefusals) => None,
            _ => refusal(&payload),
        };
        if entry.is_limited() {
            if let Some(Error::RateLimited { retry_after, .. }) = &refusal {
                return self.limited(cx, entry, *retry_after, &payload);
            }
            self.lanes.answered(entry.lane.as_deref(), refusal.is_none());
        }
        match std::mem::take(&mut entry.purpose) {
            Purpose::Message | Purpose::Typing | Purpose::Skip => {}
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
        self.conclude(cx, entry, outcome);
        if self.is_joined() {
            self.proceed(cx);
        }
    }

    /// The server takes no more of a lane for now: the message goes back to its place, and the lane waits.
    fn limited(&mut self, cx: &mut Context, mut entry: Entry, retry_after: Option<Duration>, answer: &Payload) {
        let keeps_order = self.keeps_order();
        let lane = entry.lane.as_deref();
        self.lanes.limited(lane, cx.now.mono, retry_after, keeps_order);
        // It said that it did not take this copy. Those on earlier links may still be under way.
        entry.writes = entry.writes.saturating_sub(1);
        entry.once = false;
        // The server has read it, and lives.
        entry.deaths = 0;
        entry.refused = keeps_order;
        self.keep_again(cx, &mut entry);
        let seq = entry.seq;
        self.outbox.put_back(vec![entry]);
        // Others of the lane may wait long now, or it may be another user's by now.
        self.keep_all_again(cx);
        self.sort_out(cx);
        let behind = answer.field("error").and_then(|error| scan::field(error, "behind"));
        if let Some(id) = behind.and_then(scan::string) {
            self.skip_behind(cx, seq, &id);
        }
    }
}

/// As much of a server's words as an error carries: it is kept with each message that it is about.
fn excerpt(text: &str) -> String {
    let mut end = text.len().min(1024);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
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
            .map(|text| excerpt(&text))
    };
    let code = text("code");
    // Servers of plain JSON may say it in so many words.
    let words = || scan::string(error).map(|text| excerpt(&text));
    let message = text("message")
        .or_else(words)
        .unwrap_or_else(|| "it gave no reason".to_owned());
    if code.as_deref() == Some("rate_limited") {
        let retry_after = scan::field(error, "retryAfterMs").and_then(scan::uint);
        return Some(Error::RateLimited {
            message,
            retry_after: retry_after.map(Duration::from_millis),
        });
    }
    Some(Error::Server { code, message })
}
