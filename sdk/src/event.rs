//! One event from the server.

use bytestring::ByteString;

use crate::core::ReplyTo;
use crate::error::Error;
use crate::own::Own;
use crate::payload::{Payload, RawArgs};
use crate::shared::SocketRef;

/// An event from the server, as a handler gets it. Clones share the received frame.
#[derive(Debug, Clone)]
pub struct Event {
    name: ByteString,
    payload: Payload,
    reply_to: Option<ReplyTo>,
    socket: SocketRef,
}

impl Event {
    /// An event of a socket that says nothing yet.
    pub(crate) fn blank(socket: SocketRef) -> Self {
        Self {
            name: ByteString::new(),
            payload: Payload::default(),
            reply_to: None,
            socket,
        }
    }

    /// One of the client's own events, in the manner of the server's.
    pub(crate) fn of_own(socket: SocketRef, name: &'static str, own: &Own) -> Self {
        let mut event = Self::blank(socket);
        event.fill(
            ByteString::from_static(name),
            Payload::new(own.to_json().into(), Vec::new()),
            None,
        );
        event
    }

    /// Becomes the next event of the same socket.
    pub(crate) fn fill(&mut self, name: ByteString, payload: Payload, reply_to: Option<ReplyTo>) {
        self.name = name;
        self.payload = payload;
        self.reply_to = reply_to;
    }

    /// The event's name, as it stands on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its arguments.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Parses argument `index`, counted from 0, into a type.
    ///
    /// # Errors
    /// [`Error::InvalidPayload`] says what does not fit.
    #[cfg(feature = "typed")]
    pub fn get<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T, Error> {
        self.payload.get(index)
    }

    /// Whether the server waits for an acknowledgement.
    pub fn wants_ack(&self) -> bool {
        self.reply_to.is_some()
    }

    /// Acknowledges the event. A tuple spreads into several arguments. Answer once: a server ignores further answers.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the server did not ask, [`Error::LinkLost`] if the connection that asked is gone.
    #[cfg(feature = "typed")]
    pub fn reply<T: serde::Serialize>(&self, args: T) -> Result<(), Error> {
        self.reply_raw(crate::payload::encode(&args)?)
    }

    /// Acknowledges the event with raw JSON arguments.
    ///
    /// # Errors
    /// As [`reply`](Self::reply), and [`Error::InvalidPayload`] for what is not a JSON array.
    pub fn reply_raw(&self, args: RawArgs) -> Result<(), Error> {
        let to = self
            .reply_to
            .ok_or_else(|| Error::Unsupported("the server did not ask for an acknowledgement".into()))?;
        self.socket.reply(to, args)
    }
}
