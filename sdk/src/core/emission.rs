//! One message as the app wants it sent: encoded and checked before the core's lock is taken.

use std::time::Duration;

use bytes::Bytes;

use super::body::Body;
use super::{json, scan, socketio};
use crate::config::Protocol;
use crate::error::Error;
use crate::payload::RawArgs;

/// One message to send, encoded and checked before the core's lock is taken.
#[derive(Debug, Clone)]
pub struct Emission {
    /// `["event",a,b]`, valid JSON.
    pub(crate) body: Body,
    /// Where the first argument starts in `body`, or its closing bracket.
    pub(crate) args_at: usize,
    /// Binary attachments, in the order of their placeholders' numbers.
    pub(crate) attachments: Vec<Bytes>,
    /// How it is to be treated.
    pub(crate) options: EmitOptions,
}

/// How one message is to be treated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmitOptions {
    pub(crate) ack: bool,
    pub(crate) volatile: bool,
    pub(crate) reliable: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) lane: Option<Box<str>>,
}

impl EmitOptions {
    /// Queued while offline, and no acknowledgement asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the server for an acknowledgement: the outcome is then `Delivered` with its answer.
    pub fn ack(mut self) -> Self {
        self.ack = true;
        self
    }

    /// Asks for an acknowledgement and waits this long for it, instead of the client's `ack_timeout`. The time runs
    /// from the moment the message is written, not while it waits in the queue.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.ack = true;
        self.timeout = Some(limit);
        self
    }

    /// Sent only if it can be sent now: dropped while there is no connection or too much is waiting.
    pub fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// Carries a `messageId`, added to its first argument, which must be an object, and is sent again after a lost
    /// link if the server acknowledges and removes duplicates.
    pub fn reliable(mut self) -> Self {
        self.reliable = true;
        self
    }

    /// How long it may wait to be sent, instead of the queue's `ttl`.
    pub fn ttl(mut self, limit: Duration) -> Self {
        self.ttl = Some(limit);
        self
    }

    /// Puts it into a lane: order holds within one, and a lane that has to wait does not hold up the others.
    pub fn lane(mut self, lane: impl Into<Box<str>>) -> Self {
        self.lane = Some(lane.into());
        self
    }
}

impl Emission {
    /// One argument: a JSON object that the client itself has written.
    pub(crate) fn of_object(event: &str, object: &[u8], options: EmitOptions) -> Self {
        let mut writer = EmissionWriter::new(event, object.len());
        writer.buffer.push(b',');
        writer.buffer.extend_from_slice(object);
        writer.end(Vec::new(), options)
    }

    /// A string field of the first argument.
    pub(crate) fn string_field(&self, name: &str) -> Option<String> {
        let argument = self.body.json().get(self.args_at..)?;
        let field = scan::field(std::str::from_utf8(argument).ok()?, name)?;
        scan::string(field).map(|text| text.into_owned())
    }

    /// Checks that the protocol has a way to say it.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] and [`Error::Unsupported`] say what it has none for.
    pub(crate) fn check(&self, protocol: Protocol) -> Result<(), Error> {
        match protocol {
            Protocol::SocketIo => Ok(()),
            Protocol::Json => {
                let message = std::str::from_utf8(self.body.json()).unwrap_or_default();
                json::check(message, self.attachments.len()).map_err(Error::from)
            }
        }
    }

    /// Checks an event's name and arguments, and encodes them.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] for a reserved name, and for arguments that are not a JSON array.
    pub fn new(event: &str, args: RawArgs, options: EmitOptions) -> Result<Self, Error> {
        check_name(event)?;
        let json = args.json.trim();
        if !json.starts_with('[') || scan::validate(json, scan::MAX_DEPTH).is_err() {
            return Err(Error::payload("its arguments are not a JSON array"));
        }
        if !args.attachments.is_empty() && socketio::check_placeholders(json, args.attachments.len()).is_err() {
            // The server would close the link for it.
            return Err(Error::payload("a placeholder in it names no attachment"));
        }
        let inner = json[1..json.len() - 1].trim();
        let mut writer = EmissionWriter::new(event, inner.len());
        if !inner.is_empty() {
            writer.buffer.push(b',');
            writer.buffer.extend_from_slice(inner.as_bytes());
        }
        Ok(writer.end(args.attachments, options))
    }
}

/// Writes `["event"`, lets its owner write `,a,b`, and closes the array.
#[derive(Debug)]
pub(crate) struct EmissionWriter {
    /// Where the arguments go, each behind a comma.
    pub(crate) buffer: Vec<u8>,
    args_at: usize,
}

impl EmissionWriter {
    /// `capacity` is a guess at the arguments' length.
    pub(crate) fn new(event: &str, capacity: usize) -> Self {
        let mut buffer = Body::with_capacity(event.len() + capacity + 8);
        let start = buffer.len();
        buffer.push(b'[');
        scan::write_string(&mut buffer, event);
        let args_at = buffer.len() + 1 - start;
        Self { buffer, args_at }
    }

    pub(crate) fn end(mut self, attachments: Vec<Bytes>, options: EmitOptions) -> Emission {
        self.buffer.push(b']');
        Emission {
            body: Body::fresh(self.buffer),
            args_at: self.args_at,
            attachments,
            options,
        }
    }
}

/// Names that Socket.IO keeps for itself; npm's server closes the link for them.
pub(crate) fn check_name(event: &str) -> Result<(), Error> {
    if socketio::is_reserved(event) {
        return Err(Error::payload(format_reserved(event)));
    }
    Ok(())
}

fn format_reserved(event: &str) -> String {
    let mut text = String::from("the event name `");
    text.push_str(event);
    text.push_str("` is reserved by Socket.IO");
    text
}

/// Puts `"messageId":"…"` first into the object that is the first argument.
pub(crate) fn add_message_id(body: &mut Body, args_at: usize, id: &str) -> Result<(), Error> {
    let rest = body.json().get(args_at..).unwrap_or_default();
    let Some(brace) = rest
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .filter(|at| rest[*at] == b'{')
    else {
        return Err(Error::payload(
            "a reliable message needs an object as its first argument",
        ));
    };
    let empty = rest[brace + 1..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'}');
    let at = args_at + brace + 1;
    let mut field = Vec::with_capacity(52);
    field.extend_from_slice(b"\"messageId\":\"");
    field.extend_from_slice(id.as_bytes());
    field.extend_from_slice(if empty { b"\"" } else { b"\"," });
    body.insert(at, &field);
    Ok(())
}
