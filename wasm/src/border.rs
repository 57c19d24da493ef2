//! What happens to a client, told to JavaScript: JSON text, one call a batch.
//!
//! The first argument of the call is the text of an array, the second the binary attachments of all its entries in their
//! order, or undefined. A short text that is ASCII is not made a string here, which costs more than all the rest: the first
//! argument then says where it stands in memory, and the third how long it is. An entry of the array is one of
//!
//! - `[socket, name, reply, count, args]`: an event; `reply` names the acknowledgement that the server waits for, or is 0;
//!   `count` is how many of the attachments are its own, which stand in `args` as `{"_placeholder":true,"num":n}`.
//! - `[socket, 0, change]`: a change of state.
//! - `[socket, 1, name, notice]`: something that the client has to tell.
//! - `[-1, id]`: a message is accepted.
//! - `[-2, id, outcome, count, reply or error]`: a message ended; what it has neither of is left out.

use js_sys::{Array, Function, Uint8Array};
use rejoin::core::scan::{ObjectWriter, write_string, write_uint};
use rejoin::core::{Happening, ReplyTo, SocketId};
use rejoin::observer::Observer;
use rejoin::receipt::{Acceptor, Completer};
use rejoin::{Error, Notice, Outcome, Payload};
use wasm_bindgen::JsValue;

use crate::errors::text;

/// Longer texts are made strings by the browser's own decoder.
const SHORT: usize = 512;

/// Tells JavaScript.
pub(crate) struct Border {
    pub(crate) sink: Function,
}

/// One batch.
struct Batch {
    json: Vec<u8>,
    attachments: Option<Array>,
}

/// An outcome that a message has at once, without attachments: nothing was answered.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let mut batch = Batch::new();
    batch.bracket();
    write_string(&mut batch.json, outcome.name());
    batch.failure(outcome);
    batch.json.extend_from_slice(b"]]");
    text(&batch.json).to_owned()
}

impl Observer for Border {
    fn happened(&self, happenings: &[(SocketId, Happening)]) {
        let mut batch = Batch::new();
        for (socket, happening) in happenings {
            let socket = u64::from(socket.0);
            match happening {
                Happening::Message {
                    name,
                    payload,
                    reply_to,
                } => {
                    batch.open(socket);
                    batch.message(name, payload, reply_to.as_deref());
                }
                Happening::State(change) => {
                    batch.open(socket);
                    batch.json.extend_from_slice(b",0,");
                    change.write(&mut batch.json, Error::write_parts);
                }
                Happening::Notice(notice) => {
                    batch.open(socket);
                    batch.json.extend_from_slice(b",1,");
                    write_string(&mut batch.json, notice.name());
                    batch.json.push(b',');
                    write_notice(&mut batch.json, notice);
                }
                _ => continue,
            }
            batch.json.push(b']');
        }
        self.send(batch);
    }

    fn settled(&self, accepted: &[Acceptor], ended: &[(Completer, Outcome)]) {
        let mut batch = Batch::new();
        for acceptor in accepted {
            batch.open_receipt(b"-1,", acceptor.id());
            batch.json.push(b']');
        }
        for (completer, outcome) in ended {
            batch.open_receipt(b"-2,", completer.id());
            batch.outcome(outcome);
            batch.json.push(b']');
        }
        self.send(batch);
    }
}

impl Border {
    fn send(&self, mut batch: Batch) {
        if batch.json.is_empty() {
            return;
        }
        batch.json.push(b']');
        let attachments = batch.attachments.map_or(JsValue::UNDEFINED, JsValue::from);
        let json = &batch.json;
        // The TypeScript behind it guards every handler: it does not throw.
        let _ = if json.len() <= SHORT && json.is_ascii() {
            let (at, length) = (json.as_ptr().addr() as f64, json.len() as f64);
            self.sink
                .call3(&JsValue::UNDEFINED, &at.into(), &attachments, &length.into())
        } else {
            self.sink.call2(&JsValue::UNDEFINED, &text(json).into(), &attachments)
        };
    }
}

impl Batch {
    fn new() -> Self {
        Self {
            json: Vec::with_capacity(256),
            attachments: None,
        }
    }

    fn bracket(&mut self) {
        self.json
            .extend_from_slice(if self.json.is_empty() { b"[[" } else { b",[" });
    }

    fn open(&mut self, first: u64) {
        self.bracket();
        write_uint(&mut self.json, first);
    }

    fn open_receipt(&mut self, what: &[u8], id: u64) {
        self.bracket();
        self.json.extend_from_slice(what);
        write_uint(&mut self.json, id);
    }

    fn message(&mut self, name: &str, payload: &Payload, reply_to: Option<&ReplyTo>) {
        self.json.push(b',');
        write_string(&mut self.json, name);
        match reply_to {
            None => self.json.extend_from_slice(b",0"),
            Some(to) => {
                let mut next = b",[";
                for part in to.to_parts() {
                    self.json.extend_from_slice(next);
                    write_uint(&mut self.json, part);
                    next = b", ";
                }
                self.json.push(b']');
            }
        }
        self.payload(payload);
    }

    /// How many attachments it has, and its arguments.
    fn payload(&mut self, payload: &Payload) {
        let binary = payload.attachments();
        self.json.push(b',');
        write_uint(&mut self.json, binary.len() as u64);
        for attachment in binary {
            let array = self.attachments.get_or_insert_with(Array::new);
            array.push(&Uint8Array::from(&attachment[..]));
        }
        self.json.extend_from_slice(b",[");
        self.json.extend_from_slice(payload.args().as_bytes());
        self.json.push(b']');
    }

    fn outcome(&mut self, outcome: &Outcome) {
        self.json.push(b',');
        write_string(&mut self.json, outcome.name());
        match outcome {
            Outcome::Delivered(reply) => self.payload(reply),
            _ => self.failure(outcome),
        }
    }

    fn failure(&mut self, outcome: &Outcome) {
        if let Some(error) = outcome.error() {
            self.json.extend_from_slice(b",0,");
            error.write_parts(&mut self.json);
        }
    }
}

fn with_error(object: &mut ObjectWriter<'_, Vec<u8>>, error: Option<&Error>) {
    if let Some(error) = error {
        let mut json = Vec::with_capacity(96);
        error.write_parts(&mut json);
        object.raw("error", text(&json));
    }
}

fn write_notice(json: &mut Vec<u8>, notice: &Notice) {
    let mut object = ObjectWriter::new(json);
    let mut error = None;
    match notice {
        Notice::ConnectionFailed { attempts, error: last } => {
            object.uint("attempts", u64::from(*attempts));
            error = Some(last);
        }
        Notice::Reconnected { recovered } => {
            object.bool("recovered", *recovered);
        }
        Notice::HandlerError(failed) | Notice::StoreError(failed) | Notice::Error(failed) => error = Some(failed),
        Notice::Overflow {
            receipt,
            message_id,
            event,
        } => {
            object.uint("receipt", *receipt).string("event", event);
            if let Some(id) = message_id {
                object.string("messageId", id);
            }
        }
        Notice::MessageStatus {
            message_id,
            status,
            error: why,
        } => {
            object.string("messageId", message_id).string("status", status);
            error = why.as_ref();
        }
        Notice::AccountChanged { account, held } => {
            object.string("account", account).uint("held", *held as u64);
        }
        Notice::Warning(message) => {
            object.string("message", message);
        }
        _ => {}
    }
    with_error(&mut object, error);
    object.end();
}
