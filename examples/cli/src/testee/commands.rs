//! The fields of a command. Which of them a command has is looked at when its turn comes: an unknown `op` has to be
//! answered, whatever else stands beside it.

use std::time::Duration;

use rejoin::{EmitOptions, Hint};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::lines::{Refusal, malformed};

/// What every command has.
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    pub(super) id: Value,
    pub(super) op: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Create {
    pub(super) client: String,
    pub(super) url: Option<String>,
    pub(super) of: Option<String>,
    pub(super) options: Option<Map<String, Value>>,
}

/// A command that has no fields but the client's name.
#[derive(Deserialize)]
pub(super) struct Plain {
    pub(super) client: String,
}

#[derive(Deserialize)]
pub(super) struct Emit {
    pub(super) client: String,
    pub(super) event: String,
    pub(super) args: Option<Box<RawValue>>,
    ack: Option<bool>,
    volatile: Option<bool>,
    reliable: Option<bool>,
    timeout: Option<u64>,
    ttl: Option<u64>,
    lane: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) client: String,
    pub(super) method: String,
    #[serde(default)]
    pub(super) args: Vec<Value>,
}

#[derive(Deserialize)]
pub(super) struct Listen {
    pub(super) client: String,
    pub(super) event: String,
}

#[derive(Deserialize)]
pub(super) struct Reply {
    pub(super) client: String,
    pub(super) ack: u64,
    pub(super) args: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
pub(super) struct Cancel {
    pub(super) client: String,
    pub(super) receipt: u64,
}

#[derive(Deserialize)]
pub(super) struct Hinted {
    pub(super) client: String,
    hint: String,
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) client: String,
    pub(super) token: String,
}

/// Reads a line as one of these.
pub(super) fn read<T: DeserializeOwned>(line: &str) -> Result<T, Refusal> {
    // In front of the object form: serde would read an array as the fields in their order.
    if !line.starts_with('{') {
        return Err(malformed("a command is a JSON object"));
    }
    serde_json::from_str(line).map_err(|error| malformed(error.to_string()))
}

impl Hinted {
    pub(super) fn hint(&self) -> Result<Hint, Refusal> {
        match self.hint.as_str() {
            "online" => Ok(Hint::Online),
            "offline" => Ok(Hint::Offline),
            "foreground" => Ok(Hint::Foreground),
            "background" => Ok(Hint::Background),
            other => Err(malformed(format!("there is no hint `{other}`"))),
        }
    }
}

impl Emit {
    pub(super) fn options(&self) -> EmitOptions {
        let mut options = EmitOptions::new();
        let is = |wanted: Option<bool>| wanted.unwrap_or_default();
        if is(self.ack) {
            options = options.ack();
        }
        if is(self.volatile) {
            options = options.volatile();
        }
        if is(self.reliable) {
            options = options.reliable();
        }
        // A time for an acknowledgement that is not asked for would ask for it.
        if let Some(timeout) = self.timeout.filter(|_| is(self.ack) || is(self.reliable)) {
            options = options.timeout(Duration::from_millis(timeout));
        }
        if let Some(ttl) = self.ttl {
            options = options.ttl(Duration::from_millis(ttl));
        }
        if let Some(lane) = &self.lane {
            options = options.lane(lane.as_str());
        }
        options
    }
}
