//! A model of an honest server: it answers everything it gets, and takes each message once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::json::CONNECTION;
use super::pair::*;
use crate::config::Protocol;
use crate::core::{LinkEvent, LinkId};

/// One link as the server has it.
#[derive(Default)]
pub(super) struct Session {
    /// What got there and is not worked off yet.
    pub(super) inbox: VecDeque<String>,
    /// What it said and the client has not heard yet.
    pub(super) said: VecDeque<LinkEvent>,
    joined: bool,
    json: bool,
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
    /// It opens with Engine.IO's handshake, or with plain JSON's greeting.
    pub(super) fn new(protocol: Protocol) -> Self {
        let json = protocol == Protocol::Json;
        let said = if json { CONNECTION } else { OPEN };
        Self {
            said: VecDeque::from([LinkEvent::Text(said.into())]),
            joined: json,
            json,
            ..Self::default()
        }
    }

    /// What shows the client that the server is there.
    pub(super) fn heartbeat(protocol: Protocol) -> LinkEvent {
        let frame = match protocol {
            Protocol::SocketIo => "2",
            Protocol::Json => r#"{"type":"news"}"#,
        };
        LinkEvent::Text(frame.into())
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
            _ if frame.starts_with('{') => {
                let frame: Value = serde_json::from_str(frame).unwrap();
                let (name, mut args) = (frame["type"].as_str().unwrap(), frame["data"].clone());
                if let Some(room) = args["room"].as_str() {
                    args["roomId"] = room.into();
                }
                args["messageId"] = frame["id"].clone();
                let name = if name == "message" { "group_message" } else { name };
                let mut answer = match name {
                    "ping" => json!({"type": "pong"}),
                    _ => self.event(link, name, &args),
                };
                if name != "ping" {
                    answer["type"] = "ack".into();
                    answer["id"] = frame["id"].clone();
                }
                let said = &mut self.sessions.get_mut(&link).unwrap().said;
                said.push_back(text(answer.to_string()));
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
                    let failed = json!({"type": "join_room_failed", "roomId": room, "reason": "wrong_password"});
                    let failed = match session.json {
                        true => failed.to_string(),
                        false => format!(r#"42["join_room_failed",{failed}]"#),
                    };
                    session.said.push_back(LinkEvent::Text(failed.into()));
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
