//! A model of an honest server: it answers everything it gets, takes each message once, and may take up a lost session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::super::json::CONNECTION;
use super::super::pair::*;
use crate::config::Protocol;

/// What a server says as a WebSocket's pong.
pub(super) const PONG: &str = "ws pong";
/// What it says as a WebSocket's close.
pub(super) const CLOSE: &str = "ws close";

/// One session as the server has it.
#[derive(Default)]
pub(super) struct Session {
    /// What got there and is not worked off yet.
    pub(super) inbox: VecDeque<String>,
    /// What it said and the client has not heard yet.
    pub(super) said: VecDeque<String>,
    pub(super) joined: bool,
    json: bool,
    /// What a later session can take up.
    pid: Option<u64>,
    pub(super) rooms: BTreeSet<String>,
    /// Whether it was told last that the client types.
    pub(super) typing: bool,
}

#[derive(Default)]
pub(super) struct Server {
    pub(super) sessions: BTreeMap<u64, Session>,
    /// Whether sessions on polling are offered a WebSocket.
    pub(super) upgrades: bool,
    /// Whether it takes up sessions that were lost.
    pub(super) recovers: bool,
    opened: u64,
    joins: u64,
    /// Rooms of sessions that were lost.
    kept: BTreeMap<u64, BTreeSet<String>>,
    /// Answers by message id.
    answers: BTreeMap<String, Value>,
    /// What was taken: its lane and number.
    pub(super) taken: Vec<(String, u64)>,
    /// How many events it has sent to this user; they are numbered from 0.
    pub(super) told: u64,
    /// The first event of each session; one that is taken up again is the same.
    pub(super) since: Vec<u64>,
}

impl Server {
    /// A session begins: with Engine.IO's handshake, or with plain JSON's greeting.
    pub(super) fn open(&mut self, protocol: Protocol) -> u64 {
        self.opened += 1;
        let json = protocol == Protocol::Json;
        let upgrades: &[&str] = if self.upgrades { &["websocket"] } else { &[] };
        let handshake = json!({
            "sid": format!("e{}", self.opened), "upgrades": upgrades,
            "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": 500,
        });
        let open = if json {
            CONNECTION.to_owned()
        } else {
            format!("0{handshake}")
        };
        if json {
            self.since.push(self.told);
        }
        let session = Session {
            said: VecDeque::from([open]),
            joined: json,
            json,
            ..Session::default()
        };
        self.sessions.insert(self.opened, session);
        self.opened
    }

    /// The server notices that a session is gone, and keeps it for a while.
    pub(super) fn lose(&mut self, id: u64) {
        if let Some(Session {
            joined: true,
            pid: Some(pid),
            rooms,
            ..
        }) = self.sessions.remove(&id)
        {
            self.kept.insert(pid, rooms);
        }
    }

    /// Works off so many frames of a session.
    pub(super) fn serve(&mut self, id: u64, most: usize) {
        for _ in 0..most {
            let Some(frame) = self.sessions.get_mut(&id).and_then(|session| session.inbox.pop_front()) else {
                return;
            };
            self.frame(id, &frame);
        }
    }

    /// Something happens that the user is to hear of, wherever they are.
    pub(super) fn tell(&mut self) {
        let n = self.told;
        self.told += 1;
        for session in self.sessions.values_mut().filter(|session| session.joined) {
            session.said.push_back(match (session.json, session.pid) {
                (true, _) => format!(r#"{{"type":"told","n":{n}}}"#),
                (false, Some(_)) => missed(n),
                (false, None) => format!(r#"42["told",{n}]"#),
            });
        }
    }

    /// The server says why it ends every session, and does so: by DISCONNECT, or with the link.
    pub(super) fn dismiss(&mut self, code: &str, retry_after: Option<u16>, link: bool) {
        let mut said = json!({"code": code, "message": "bye"});
        if let Some(ms) = retry_after {
            said["retryAfterMs"] = ms.into();
        }
        for session in self.sessions.values_mut().filter(|session| session.joined) {
            if session.json {
                said["type"] = "closing".into();
                session.said.extend([said.to_string(), CLOSE.to_owned()]);
            } else {
                session.said.push_back(format!(r#"42["closing",{said}]"#));
                session.said.push_back(if link { CLOSE } else { "41" }.to_owned());
            }
            if !link {
                (session.joined, session.pid, session.rooms) = (false, None, BTreeSet::new());
            }
        }
    }

    /// Each session has a sign of life.
    pub(super) fn beat(&mut self) {
        for session in self.sessions.values_mut() {
            let beat = if session.json { r#"{"type":"news"}"# } else { "2" };
            session.said.push_back(beat.to_owned());
        }
    }

    fn frame(&mut self, id: u64, frame: &str) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        match frame {
            "ws ping" => session.said.push_back(PONG.to_owned()),
            "40/rejoin-probe," => {
                let refusal = r#"44/rejoin-probe,{"message":"Invalid namespace"}"#;
                session.said.push_back(refusal.to_owned());
            }
            // The client's last word: it asks for nothing more.
            "1" => self.lose(id),
            "41" => (session.joined, session.pid, session.rooms) = (false, None, BTreeSet::new()),
            _ if frame.starts_with("42") && session.joined => {
                let ack = ack_id(frame);
                let event: Value = serde_json::from_str(&frame[2 + ack.len()..]).unwrap();
                let answer = self.event(id, event[0].as_str().unwrap(), &event[1]);
                if !ack.is_empty() {
                    let said = &mut self.sessions.get_mut(&id).unwrap().said;
                    said.push_back(format!("43{ack}[{answer}]"));
                }
            }
            _ if frame.starts_with("40") => {
                assert!(!session.joined, "a second CONNECT in a session");
                let data = frame.strip_prefix("40").filter(|data| !data.is_empty());
                self.join(id, &serde_json::from_str(data.unwrap_or("{}")).unwrap());
            }
            _ if frame.starts_with('{') => self.json_frame(id, &serde_json::from_str(frame).unwrap()),
            _ => {}
        }
    }

    /// As npm's: a lost session is taken up where pid and offset are known, and what was missed comes before CONNECT.
    fn join(&mut self, id: u64, data: &Value) {
        self.joins += 1;
        let session = self.sessions.get_mut(&id).unwrap();
        session.joined = true;
        let text = |name: &str| data[name].as_str().and_then(|text| text.get(1..)?.parse::<u64>().ok());
        let known = text("pid").zip(text("offset"));
        let (pid, from) = match known.and_then(|(pid, from)| Some((pid, from, self.kept.remove(&pid)?))) {
            Some((pid, from, rooms)) => {
                session.rooms = rooms;
                (pid, from + 1)
            }
            None => {
                self.since.push(self.told);
                (self.joins, self.told)
            }
        };
        session.said.extend((from..self.told).map(missed));
        let connect = match self.recovers {
            true => json!({"sid": format!("s{}", self.joins), "pid": format!("p{pid}")}),
            false => json!({"sid": format!("s{}", self.joins)}),
        };
        session.pid = self.recovers.then_some(pid);
        session.said.extend([format!("40{connect}"), GREETING.to_owned()]);
    }

    fn json_frame(&mut self, id: u64, frame: &Value) {
        let (name, mut args) = (frame["type"].as_str().unwrap(), frame["data"].clone());
        if let Some(room) = args["room"].as_str() {
            args["roomId"] = room.into();
        }
        args["messageId"] = frame["id"].clone();
        let name = if name == "message" { "group_message" } else { name };
        let mut answer = match name {
            "ping" => json!({"type": "pong"}),
            _ => self.event(id, name, &args),
        };
        if name != "ping" {
            answer["type"] = "ack".into();
            answer["id"] = frame["id"].clone();
        }
        let said = &mut self.sessions.get_mut(&id).unwrap().said;
        said.push_back(answer.to_string());
    }

    fn event(&mut self, id: u64, name: &str, args: &Value) -> Value {
        let session = self.sessions.get_mut(&id).unwrap();
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
                    session.said.push_back(match session.json {
                        true => failed.to_string(),
                        false => format!(r#"42["join_room_failed",{failed}]"#),
                    });
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

/// An event of a session that can be taken up again, with its offset.
fn missed(n: u64) -> String {
    format!(r#"42["told",{n},"o{n}"]"#)
}
