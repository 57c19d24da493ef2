//! The plain-JSON protocol: the same core in other words.
//!
//! - `life`: from `connect` to `disconnect`, and what a server must not say; `heartbeat`: pings and probes.
//! - `messages`: from `emit` to the one outcome; `events`: rooms, and what is heard.

mod events;
mod heartbeat;
mod life;
mod messages;

use serde_json::{Value, json};

use super::pair::*;
use crate::config::Protocol;
use crate::core::{AuthSource, ConnectionConfig, NamespaceConfig};
use crate::receipt::Receipt;

pub(super) const CONNECTION: &str =
    r#"{"type":"connection","clientId":"c1","message":"hi","features":["ack","dedupe"]}"#;
const PLAIN: &str = r#"{"type":"connection","clientId":"c1","message":"hi"}"#;
const AUTHENTICATED: &str = r#"{"type":"authenticated","user":{"id":"u1","username":"A"}}"#;
const PING: &str = r#"{"type":"ping"}"#;
const PONG: &str = r#"{"type":"pong"}"#;

pub(super) fn json_config() -> ConnectionConfig {
    let mut config = config();
    config.protocol = Protocol::Json;
    config.path = "/ws".to_owned();
    config
}

fn dialing(namespace: NamespaceConfig) -> Pair {
    let mut pair = Pair::with(json_config(), namespace);
    pair.core.connect(pair.now, pair.socket);
    pair.drain();
    pair
}

/// A chat client without credentials, greeted in these words, all that led there forgotten.
pub(super) fn chat(greeting: &str) -> Pair {
    let mut pair = dialing(chat_config());
    pair.server(greeting);
    pair.events.clear();
    pair
}

fn with_token(mut namespace: NamespaceConfig) -> NamespaceConfig {
    namespace.auth = AuthSource::Value(r#"{"token":"t1"}"#.to_owned());
    namespace
}

/// The frames written since the last look.
fn frames(pair: &mut Pair) -> Vec<Value> {
    let frames = pair.frames();
    frames
        .iter()
        .map(|frame| serde_json::from_str(frame).unwrap())
        .collect()
}

/// The one frame written since the last look, and its id.
fn frame(pair: &mut Pair) -> (Value, String) {
    let mut frames = frames(pair);
    assert_eq!(frames.len(), 1, "{frames:?}");
    let frame = frames.remove(0);
    let id = frame["id"].as_str().unwrap_or_default().to_owned();
    (frame, id)
}

fn agree(pair: &mut Pair, id: &str) {
    pair.server(&json!({"type": "ack", "id": id, "ok": true}).to_string());
}

fn next_link(pair: &mut Pair, greeting: &str) {
    pair.cut();
    pair.sleep(secs(5));
    pair.frames();
    pair.server(greeting);
}

fn join(pair: &mut Pair, room: &str) -> Receipt {
    let joined = pair.core.join_room(pair.now, pair.socket, room, None);
    pair.drain();
    joined
}
