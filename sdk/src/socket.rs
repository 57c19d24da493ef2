//! One namespace of a client, as the app holds it.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use crate::client::Handle;
use crate::core::{Core, Emission, EmitOptions, Now, Pending, ReplyTo, SocketId};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::payload::RawArgs;
use crate::receipt::Receipt;
#[cfg(feature = "handlers")]
use crate::registry::Registry;
use crate::shared::SocketRef;
use crate::state::{State, StateChange, Transport};
use crate::stats::Stats;

#[cfg(feature = "handlers")]
mod hearing;

/// One namespace: its own state, queue, handlers and credentials, over the link that all sockets of a client share.
///
/// Clones are handles to the same socket. Nothing here waits for the network: a call is taken, and what becomes of it is
/// told by a [`Receipt`], a state or an event.
#[derive(Clone)]
pub struct Socket {
    pub(crate) handle: Arc<Handle>,
    pub(crate) id: SocketId,
    pub(crate) namespace: Arc<str>,
    #[cfg(feature = "handlers")]
    pub(crate) registry: Arc<Registry>,
    /// What receipts hold of it.
    pub(crate) own: SocketRef,
}

impl Socket {
    /// The namespace, `/` for the default one.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Connects, and stays connected until [`disconnect`](Self::disconnect): a lost link is made anew by itself.
    /// Dials at once, whatever delay was running.
    pub fn connect(&self) {
        self.input(|core, now| core.connect(now, self.id));
    }

    /// Leaves the namespace. What was sent before goes out before; what waits in the queue stays for the next `connect`.
    pub fn disconnect(&self) {
        self.input(|core, now| core.disconnect(now, self.id));
    }

    /// Has another token from now on, and no longer its client's credentials.
    ///
    /// Where the socket is connected, it leaves its namespace and joins it again over the same link: it goes through
    /// [`State::Connecting`] to [`State::Connected`], and what is queued stays. Where the server refused it, it connects
    /// again. Otherwise the token is used when it connects next. The server's session is not taken up again
    /// ([`StateChange::recovered`]): it would be the old user's.
    pub fn set_token(&self, token: &str) {
        self.set_credentials(Credentials::token(token));
    }

    /// Has other credentials from now on, given as the text of a JSON object, as [`set_token`](Self::set_token) does.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] where it is no JSON object; nothing has changed then.
    pub fn set_auth_json(&self, json: impl Into<String>) -> Result<(), Error> {
        self.set_credentials(Credentials::json(json.into())?);
        Ok(())
    }

    fn set_credentials(&self, credentials: Credentials) {
        self.handle.shared.set_credentials(self.id, credentials, true);
    }

    /// Where the socket stands now.
    pub fn state(&self) -> State {
        self.handle.shared.lock().core.state(self.id).0
    }

    /// The last change of state, with its reason; `None` before the first.
    pub fn last_change(&self) -> Option<StateChange> {
        self.handle.shared.lock().core.last_change(self.id).cloned()
    }

    /// The Socket.IO session id, while connected.
    pub fn id(&self) -> Option<String> {
        self.handle.shared.lock().core.state(self.id).1.map(str::to_owned)
    }

    /// How the link is made, while there is one. It goes from polling to WebSocket without a change of state.
    pub fn transport(&self) -> Option<Transport> {
        self.handle.shared.lock().core.transport()
    }

    /// Sends an event.
    ///
    /// A tuple or an array `[T; N]` spreads into several arguments, `()` is none, anything else is one; [`Binary`](crate::Binary) travels as
    /// an attachment wherever it stands. Connected, it is handed to the link in the driver's next turn. Not connected, it
    /// waits in the queue and is sent, in order, on connect.
    ///
    /// A message that can't be taken has its outcome at once: [`Outcome::Rejected`](crate::Outcome::Rejected) with
    /// [`Error::InvalidPayload`] for a reserved name, too much binary, or what cannot be encoded, and with
    /// [`Error::Overloaded`] where the queue is full and does not drop.
    #[cfg(feature = "typed")]
    pub fn emit<T: serde::Serialize>(&self, event: &str, args: T) -> Receipt {
        self.emit_with(event, args, EmitOptions::new())
    }

    /// Sends an event with [`EmitOptions`]: acknowledged, volatile, reliable, in a lane, with a time to live.
    #[cfg(feature = "typed")]
    pub fn emit_with<T: serde::Serialize>(&self, event: &str, args: T, options: EmitOptions) -> Receipt {
        self.send(crate::payload::encode_event(event, &args, options))
    }

    /// Sends an event whose arguments are JSON text already.
    pub fn emit_raw(&self, event: &str, args: RawArgs, options: EmitOptions) -> Receipt {
        self.send(Emission::new(event, args, options))
    }

    /// Sends an event and waits for the first argument of the server's acknowledgement.
    ///
    /// While offline the request waits in the queue; the time for the answer runs from when it is written. On a socket that
    /// is `Failed` or was never connected it waits until it is.
    ///
    /// # Errors
    /// What became of it instead: [`Error::AckTimeout`], [`Error::LinkLost`], [`Error::Overloaded`] and so on; and
    /// [`Error::InvalidPayload`] if the answer does not fit the type.
    #[cfg(feature = "typed")]
    pub async fn request<T: serde::de::DeserializeOwned>(
        &self,
        event: &str,
        args: impl serde::Serialize,
    ) -> Result<T, Error> {
        let receipt = self.emit_with(event, args, EmitOptions::new().ack());
        receipt.await.into_reply()?.get(0)
    }

    /// Waits until a message would not be refused as [`Error::Overloaded`].
    pub async fn writable(&self) {
        let writer = self.handle.shared.writer(self.id);
        poll_fn(|cx| writer.poll(cx)).await;
    }

    /// What the socket and its link have done so far, in numbers.
    pub fn stats(&self) -> Stats {
        let shared = &self.handle.shared;
        let now = shared.sys.now();
        shared.lock().core.stats(self.id, now.mono)
    }

    /// What waits to be sent or acknowledged, in order.
    pub fn pending(&self) -> Vec<Pending> {
        self.handle.shared.lock().core.pending(self.id)
    }

    /// Takes the message with this receipt number back, if it was not written yet. Says whether it did.
    pub fn cancel(&self, receipt: u64) -> bool {
        self.input(|core, now| core.cancel(now, self.id, receipt))
    }

    /// Takes back everything that waits to be written: those messages end `Cancelled`.
    pub fn clear(&self) {
        self.input(|core, now| core.clear(now, self.id));
    }

    /// Which of its client's sockets it is, as an [`Observer`](crate::observer::Observer) is told.
    #[doc(hidden)]
    pub fn number(&self) -> SocketId {
        self.id
    }

    /// Answers an event of which an observer was told.
    #[doc(hidden)]
    pub fn reply_to(&self, to: ReplyTo, args: RawArgs) -> Result<(), Error> {
        self.own.reply(to, args)
    }

    pub(crate) fn send(&self, emission: Result<Emission, Error>) -> Receipt {
        let receipt = match emission {
            Ok(emission) => self.input(|core, now| core.emit(now, self.id, emission)),
            Err(error) => self.handle.shared.lock().core.refuse(self.id, error),
        };
        self.steered(receipt)
    }

    pub(crate) fn steered(&self, receipt: Receipt) -> Receipt {
        receipt.steered(self.own.clone())
    }

    pub(crate) fn input<R>(&self, input: impl FnOnce(&mut Core, Now) -> R) -> R {
        self.handle.shared.input(input)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
