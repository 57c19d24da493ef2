//! What events do.

use serde_json::{Value, json};

use super::joining::To;
use super::{Effect, Job, Server};
use crate::book::{Processed, marked};

/// Whoever says this has their link dropped.
pub(crate) const POISON: &str = "poison";

impl Server {
    /// An event came.
    pub(super) fn event(&mut self, link: u64, ack: Option<u64>, name: &str, data: &Value, frame: &str) {
        if frame.contains(POISON) {
            self.facts.count("server: dropped the link for a message");
            self.drop_link(link);
            return;
        }
        let Some(user) = self.user(link) else { return };
        match name {
            "private_message" | "group_message" | "create_room" | "note" => {
                self.message(link, ack, &user, name, data, frame);
            }
            "join_room" => {
                let answer = self.join_room(link, data);
                self.answer_chat(link, ack, &answer);
            }
            "leave_room" => {
                let answer = self.leave_room(link, data);
                self.answer_chat(link, ack, &answer);
            }
            "skip" => {
                self.facts.count("server: a refused message was given up");
                self.limiter.skip(link, data["messageId"].as_str().unwrap_or_default());
                self.answer_chat(link, ack, &json!({"ok": true}));
            }
            "typing_start" | "typing_stop" => self.typing(link, &user, name, data),
            other => {
                let mut book = self.facts.book();
                book.offences.push(format!("the event {other}"));
            }
        }
    }

    /// Answers an event of the chat, if that is promised.
    fn answer_chat(&mut self, link: u64, ack: Option<u64>, answer: &Value) {
        if self.manner.ack {
            self.answer(link, ack, answer);
        }
    }

    /// A message, which is acted on once.
    fn message(&mut self, link: u64, ack: Option<u64>, user: &str, name: &str, data: &Value, frame: &str) {
        let id = data["messageId"].as_str().unwrap_or_default();
        let key = (user.to_owned(), id.to_owned());
        // What asks for an answer and carries no message id does so by Socket.IO's own rules.
        let answers = self.manner.ack || id.is_empty();
        let dedupes = self.manner.dedupe && !id.is_empty();
        if let Some(first) = self.answers.get(&key).filter(|_| dedupes).cloned() {
            self.facts.count("server: a copy of a message");
            if name == "create_room" {
                self.enter_created(link, &first, &data["name"]);
            }
            if answers {
                self.answer(link, ack, &first);
            }
            return;
        }
        let answer = match self.refusal(link, user, name, data, frame) {
            Some((answer, is_final)) => {
                if is_final && dedupes {
                    self.answers.insert(key, answer.clone());
                }
                answer
            }
            None => {
                let answer = self.process(link, user, name, data, frame);
                if dedupes {
                    self.answers.insert(key, answer.clone());
                }
                answer
            }
        };
        if answers {
            self.answer(link, ack, &answer);
        }
    }

    /// Why a message is not taken, and whether it will never be.
    fn refusal(&mut self, link: u64, user: &str, name: &str, data: &Value, frame: &str) -> Option<(Value, bool)> {
        let id = data["messageId"].as_str().unwrap_or_default();
        if name == "note" && self.manner.limit.is_none() {
            return None;
        }
        let lane = data["lane"].as_str().or(data["recipientId"].as_str());
        let lane = lane.or(data["roomId"].as_str()).unwrap_or_default().to_owned();
        if !id.is_empty()
            && let Err(refusal) = self.limiter.take(self.now, user, link, &lane, id)
        {
            self.facts.count(match refusal.behind {
                Some(_) => "server: refused what was behind a refused message",
                None => "server: refused a message over the limit",
            });
            let mut book = self.facts.book();
            book.limited.extend(marked(frame));
            book.impatient |= self.limiter.impatient;
            drop(book);
            let mut answer = refused("rate_limited");
            let wait = super::session::millis(refusal.retry_after).max(1);
            answer["error"]["retryAfterMs"] = wait.into();
            if let Some(head) = refusal.behind {
                answer["error"]["behind"] = head.into();
            }
            if !self.manner.ack {
                let sid = To::User(user.to_owned());
                self.tell(&sid, None, "rate_limit_exceeded", &json!({"retryAfterMs": wait}));
            }
            return Some((answer, false));
        }
        if name == "group_message" && !self.is_in(link, data["roomId"].as_str().unwrap_or_default()) {
            self.facts.count("server: refused a message to a room from outside");
            return Some((refused("not_in_room"), true));
        }
        None
    }

    fn process(&mut self, link: u64, user: &str, name: &str, data: &Value, frame: &str) -> Value {
        if let Some(n) = marked(frame) {
            self.facts.book().processed.push(Processed { n, link });
            self.facts.note(n as u64, || {
                format!("server   acts on message {n} of {user}, from link {link}")
            });
        }
        if name == "create_room" {
            let answer = self.create_room(data);
            self.enter_created(link, &answer, &data["name"]);
            return answer;
        }
        self.messages += 1;
        let id = format!("m{}", self.messages);
        let sender = json!({"id": user, "username": user});
        match name {
            "private_message" => {
                let recipient = data["recipientId"].as_str().unwrap_or_default().to_owned();
                let payload = json!({
                    "id": id,
                    "sender": sender,
                    "content": data["content"],
                    "timestamp": data["timestamp"],
                });
                self.carry(&[recipient], &To::User(String::new()), None, name, &id, payload);
            }
            "group_message" => {
                let room = data["roomId"].as_str().unwrap_or_default().to_owned();
                let payload = json!({
                    "id": id,
                    "room": room,
                    "sender": sender,
                    "content": data["content"],
                    "timestamp": data["timestamp"],
                });
                let others: Vec<String> = self.members(&room).into_iter().filter(|other| other != user).collect();
                let sid = self.sessions.get(&link).and_then(|session| session.joined.as_ref());
                let sid = sid.map(|joined| joined.sid.clone());
                self.carry(&others, &To::Room(room), sid.as_deref(), name, &id, payload);
            }
            _ => {}
        }
        json!({"ok": true, "id": id})
    }

    /// Carries a message to users, or, where nothing is promised, to whoever is there.
    fn carry(&mut self, users: &[String], to: &To, except: Option<&str>, name: &str, id: &str, payload: Value) {
        if self.manner.receipts {
            for user in users {
                self.post(user, id.to_owned(), name, payload.clone());
            }
            return;
        }
        match to {
            To::User(_) => {
                for user in users {
                    self.tell(&To::User(user.clone()), None, name, &payload);
                }
            }
            to => self.tell(to, except, name, &payload),
        }
    }

    fn typing(&mut self, link: u64, user: &str, name: &str, data: &Value) {
        let sid = self.sessions.get(&link).and_then(|session| session.joined.as_ref());
        let sid = sid.map(|joined| joined.sid.clone());
        let mut payload = json!({"userId": user, "username": user});
        match data["roomId"].as_str() {
            Some(room) if self.is_in(link, room) => {
                payload["roomId"] = room.into();
                self.tell_volatile(&To::Room(room.to_owned()), sid.as_deref(), name, &payload);
            }
            Some(_) => {}
            None => {
                let to = To::User(data["recipientId"].as_str().unwrap_or_default().to_owned());
                self.tell_volatile(&to, None, name, &payload);
            }
        }
    }

    /// Tells a user something of the server's own.
    pub(crate) fn notify(&mut self, now: std::time::Duration, user: &str) -> Vec<Effect> {
        self.now = now;
        self.messages += 1;
        let id = format!("m{}", self.messages);
        let payload = json!({"id": id, "title": "news", "message": "something happened"});
        let users = [user.to_owned()];
        self.carry(&users, &To::User(String::new()), None, "notification", &id, payload);
        std::mem::take(&mut self.out)
    }

    /// Throws a user out.
    pub(crate) fn kick(
        &mut self,
        now: std::time::Duration,
        user: &str,
        code: &str,
        retry_after: Option<u64>,
        politely: bool,
    ) -> Vec<Effect> {
        self.now = now;
        for link in self.links_of(user) {
            let mut closing = json!({"code": code, "message": "out"});
            if let Some(ms) = retry_after {
                closing["retryAfterMs"] = ms.into();
            }
            let sid = self.sessions.get(&link).and_then(|session| session.joined.as_ref());
            let Some(sid) = sid.map(|joined| joined.sid.clone()) else {
                continue;
            };
            self.tell(&To::Session(sid), None, "closing", &closing);
            if politely {
                self.send(link, "41".to_owned());
                if let Some(session) = self.sessions.get_mut(&link)
                    && let Some(joined) = session.joined.take()
                {
                    self.part(link, joined, false);
                }
            } else {
                // A moment later, so that the words are out.
                self.out
                    .push(Effect::Later(std::time::Duration::from_millis(1), Job::Hangup(link)));
            }
        }
        std::mem::take(&mut self.out)
    }
}

pub(super) fn refused(code: &str) -> Value {
    json!({"ok": false, "error": {"code": code, "message": code}})
}
