//! A model of an honest server: it answers everything it gets, and takes each message once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::pair::*;
use crate::core::{LinkEvent, LinkId};

/// One link as the server has it.
#[derive(Default)]
pub(super) struct Session {
    /// What got there and is not worked off yet.
    pub(super) inbox: VecDeque<String>,
    /// What it said and the client has not heard yet.
    pub(super) said: VecDeque<LinkEvent>,
    joined: bool,
    pub(super) rooms: BTreeSet<String>,
    /// Whether it was told last that the client types.
    pub(super) typing: bool,
}

#[derive(Default)]
pub(super) struct Server {
    pub(super) sessions: BTreeMap<LinkId, Session>,
    /// Answers by message id.
    answers: BTreeMap<String, Value>,
    /// What was taken: its lane and number.
    pub(super) taken: Vec<(String, u64)>,
}

impl Session {
    /// It opens with Engine.IO's handshake.
    pub(super) fn new() -> Self {
        let said = VecDeque::from([LinkEvent::Text(OPEN.into())]);
        Self {
            said,
            ..Self::default()
        }
    }
}

impl Server {
    /// Works off so many frames of a link.
    pub(super) fn serve(&mut self, link: LinkId, most: usize) {
        for _ in 0..most {
            let Some(frame) = self
                .sessions
                .get_mut(&link)
                .and_then(|session| session.inbox.pop_front())
            else {
                return;
            };
            self.frame(link, &frame);
        }
    }

    fn frame(&mut self, link: LinkId, frame: &str) {
        let Some(session) = self.sessions.get_mut(&link) else {
            return;
        };
        let text = |text: String| LinkEvent::Text(text.into());
        match frame {
            "ws ping" => session.said.push_back(LinkEvent::Pong),
            "40" => {
                session.joined = true;
                session.said.extend([text(CONNECT.into()), text(GREETING.into())]);
            }
            "41" => (session.joined, session.rooms) = (false, BTreeSet::new()),
            _ if frame.starts_with("42") && session.joined => {
                let id = ack_id(frame);
                let event: Value = serde_json::from_str(&frame[2 + id.len()..]).unwrap();
                let answer = self.event(link, event[0].as_str().unwrap(), &event[1]);
                if !id.is_empty() {
                    let said = &mut self.sessions.get_mut(&link).unwrap().said;
                    said.push_back(text(format!("43{id}[{answer}]")));
                }
            }
            _ => {}
        }
    }

    fn event(&mut self, link: LinkId, name: &str, args: &Value) -> Value {
        let session = self.sessions.get_mut(&link).unwrap();
        let room = args["roomId"].as_str().map(str::to_owned);
        let refused = |code: &str| json!({"ok": false, "error": {"code": code, "message": code}});
        match name {
            "typing_start" | "typing_stop" => session.typing = name == "typing_start",
            "leave_room" => _ = session.rooms.remove(&room.unwrap()),
            "join_room" => {
                let room = room.unwrap();
                if room == "locked" && args["password"] != "right" {
                    session.rooms.remove(&room);
                    let failed = json!(["join_room_failed", {"roomId": room, "reason": "wrong_password"}]);
                    session.said.push_back(LinkEvent::Text(format!("42{failed}").into()));
                    return refused("wrong_password");
                }
                session.rooms.insert(room);
            }
            "private_message" | "group_message" => {
                let id = args["messageId"].as_str().unwrap().to_owned();
                if let Some(answer) = self.answers.get(&id) {
                    return answer.clone();
                }
                let answer = match &room {
                    Some(room) if !session.rooms.contains(room) => refused("not_in_room"),
                    _ => {
                        self.taken.push((room.unwrap_or_default(), args["n"].as_u64().unwrap()));
                        json!({"ok": true})
                    }
                };
                self.answers.insert(id, answer.clone());
                return answer;
            }
            _ => {}
        }
        json!({"ok": true})
    }
}
