//! What is printed: one JSON object a line, each written whole by one thread.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rejoin::{Error, ErrorKind, Reason, State, StateChange, Transport};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Where lines go. Clones print to the same place; lines appear in the order in which they were printed.
#[derive(Clone)]
pub(super) struct Lines {
    sender: Sender<Option<String>>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// The answer to a command.
#[derive(Default, Serialize)]
pub(super) struct Answer {
    re: Value,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) receipt: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pending: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<StateLine<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stats: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

/// An event for which a handler was registered.
#[derive(Serialize)]
pub(super) struct EventLine<'a> {
    pub(super) client: &'a str,
    pub(super) event: &'a str,
    pub(super) args: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ack: Option<u64>,
}

/// A change of state; without `client`, and with `id` while connected, the state object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    state: &'static str,
    previous: &'static str,
    reason: Option<&'static str>,
    retry_in: Option<u64>,
    recovered: bool,
    pub(super) transport: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
}

/// Why a command was refused.
pub(super) enum Refusal {
    /// The client refused it.
    Client(Error),
    /// It makes no sense, and no client has seen it.
    Malformed(String),
}

/// The one outcome of an emit.
#[derive(Serialize)]
pub(super) struct OutcomeLine<'a> {
    pub(super) client: &'a str,
    pub(super) receipt: u64,
    pub(super) outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Value>,
}

impl Lines {
    pub(super) fn to_stdout() -> Self {
        let (sender, lines) = channel();
        let writer = thread::spawn(move || {
            if let Err(error) = write_all(&lines) {
                eprintln!("standard output cannot be written: {error}");
            }
        });
        Self {
            sender,
            writer: Arc::new(Mutex::new(Some(writer))),
        }
    }

    pub(super) fn print(&self, line: &impl Serialize) {
        let line = serde_json::to_string(line).expect("lines are made of strings and JSON");
        // Nobody is left to tell if the writer is gone.
        let _ = self.sender.send(Some(line));
    }

    /// Writes out what was printed so far, and nothing after it.
    pub(super) fn finish(&self) {
        let _ = self.sender.send(None);
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

fn write_all(lines: &Receiver<Option<String>>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    while let Ok(Some(line)) = lines.recv() {
        writeln!(stdout, "{line}")?;
        stdout.flush()?;
    }
    Ok(())
}

impl Answer {
    /// The command `re` was taken.
    pub(super) fn ok(re: &Value) -> Self {
        Self {
            re: re.clone(),
            ok: true,
            ..Self::default()
        }
    }

    /// The command `re` was refused.
    pub(super) fn refused(re: &Value, refusal: &Refusal) -> Self {
        let error = match refusal {
            Refusal::Client(error) => error_object(error),
            Refusal::Malformed(message) => {
                let kind = ErrorKind::InvalidPayload;
                json!({ "code": kind.code(), "kind": kind.as_str(), "message": message })
            }
        };
        Self {
            re: re.clone(),
            error: Some(error),
            ..Self::default()
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

/// A command that makes no sense.
pub(super) fn malformed(reason: impl Into<String>) -> Refusal {
    Refusal::Malformed(reason.into())
}

/// An error as it stands in a line.
pub(super) fn error_object(error: &Error) -> Value {
    let mut object = json!({
        "code": error.code(),
        "kind": error.kind().as_str(),
        "message": error.to_string(),
    });
    match error {
        Error::Server { code: Some(code), .. } => object["serverCode"] = json!(code),
        Error::Refused { data: Some(data), .. } => {
            object["data"] = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
        }
        _ => {}
    }
    object
}

impl<'a> StateLine<'a> {
    /// The line of a change.
    pub(super) fn of(client: &'a str, change: &StateChange) -> Self {
        Self {
            client: Some(client),
            ..Self::now(change)
        }
    }

    /// The state object of a client whose last change this was.
    pub(super) fn now(change: &StateChange) -> Self {
        Self {
            previous: change.previous.name(),
            reason: change.reason.map(Reason::as_str),
            recovered: change.recovered,
            transport: change.transport.map(Transport::as_str),
            error: change.error.as_ref().map(error_object),
            ..Self::bare(change.state)
        }
    }

    /// The state object of a client that has told of no change into this state yet.
    pub(super) fn bare(state: State) -> Self {
        Self {
            client: None,
            state: state.name(),
            previous: state.name(),
            reason: None,
            retry_in: match state {
                State::Waiting { retry_in } => Some(u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX)),
                _ => None,
            },
            recovered: false,
            transport: None,
            error: None,
            id: None,
        }
    }
}
