//! The platform: a clock, a seed, tasks, alarms, one WebSocket, and one HTTP exchange. Everything that differs between
//! platforms is here.
//!
//! - `native`: tokio, tokio-tungstenite, hyper and rustls.
//! - `web`: the browser's own WebSocket, fetch, timers and clock.
//! - `sim`: virtual time and simulated links, for tests, beside the platform that the program really runs on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::core::{Frame, LinkEvent, Now, Request};
use crate::error::Error;

mod exchange;
#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(target_arch = "wasm32")]
mod web;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{blocking, files, is_loopback, platform};
#[cfg(target_arch = "wasm32")]
pub(crate) use web::{is_loopback, platform};

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod maybe {
    /// `Send` where there are threads; nothing on the web, where a handler may hold a JavaScript function.
    pub trait MaybeSend: Send {}
    impl<T: Send + ?Sized> MaybeSend for T {}
    /// `Send + Sync` where there are threads.
    pub trait MaybeSync: Send + Sync {}
    impl<T: Send + Sync + ?Sized> MaybeSync for T {}
}

#[cfg(target_arch = "wasm32")]
pub(crate) mod maybe {
    /// `Send` where there are threads; nothing on the web, where a handler may hold a JavaScript function.
    pub trait MaybeSend {}
    impl<T: ?Sized> MaybeSend for T {}
    /// `Send + Sync` where there are threads.
    pub trait MaybeSync {}
    impl<T: ?Sized> MaybeSync for T {}
}

pub(crate) use maybe::{MaybeSend, MaybeSync};

/// What a task can own: [`MaybeSend`] and without borrows.
pub trait Spawned: MaybeSend + 'static {}
impl<T: MaybeSend + 'static> Spawned for T {}

/// A future that may move between threads where there are threads.
pub(crate) trait Work<T>: Future<Output = T> + MaybeSend {}
impl<T, F: Future<Output = T> + MaybeSend> Work<T> for F {}

/// A boxed [`Work`].
pub(crate) type Task<T> = Pin<Box<dyn Work<T>>>;

/// One platform.
pub(crate) trait Sys: MaybeSync {
    /// The time, asleep or awake.
    fn now(&self) -> Now;

    /// Whether [`Frame::Ping`] can be sent.
    fn can_ping(&self) -> bool;

    /// A seed that no other client has.
    fn seed(&self) -> u64;

    /// Runs a task to its end, apart from the caller.
    fn spawn(&self, task: Task<()>);

    /// An alarm that is not set.
    fn alarm(&self) -> Box<dyn Alarm>;

    /// Who opens the links of one client.
    ///
    /// # Errors
    /// What this platform cannot do, or what is wrong with a value.
    fn dialer(&self, options: LinkOptions) -> Result<Box<dyn Dialer>, Error>;
}

/// Opens the links of one client. What they share is here: trusted roots, cookies, connections that are kept.
pub(crate) trait Dialer: MaybeSync {
    /// Opens a WebSocket or makes an HTTP request. Failure is the wire's first event.
    fn open(&self, request: Request) -> Box<dyn Wire>;
}

/// Wakes the driver at a time.
pub(crate) trait Alarm: MaybeSend {
    /// Sets the alarm; without a time it may still go off once. Says whether it has to be polled for the new time.
    fn set(&mut self, at: Option<Duration>) -> bool;

    /// Ready once the time has come; then it is not set any more.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// One WebSocket from dialling to its end, or one HTTP exchange.
pub(crate) trait Wire: MaybeSend {
    /// The next thing that happened. With `read` false only what was sent is driven on, an HTTP POST included.
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent>;

    /// Starts to write a batch, once the WebSocket is open; [`LinkEvent::Sent`] follows. There is never more than one
    /// under way, and none on an HTTP exchange.
    fn send(&mut self, frames: Vec<Frame>);

    /// Finishes what was being sent, an HTTP POST included, and closes, within a second.
    fn close(self: Box<Self>) -> Task<()>;
}

/// What every link of a client is opened with, beside its request.
#[derive(Clone, Default)]
pub(crate) struct LinkOptions {
    /// Headers of the handshake.
    pub(crate) headers: Vec<(String, String)>,
    /// Roots that are trusted instead of the public ones, as PEM.
    pub(crate) ca_pem: Option<String>,
    /// The largest message that is read, in bytes.
    pub(crate) max_message: usize,
    /// Whether cookies are kept and sent.
    pub(crate) with_credentials: bool,
}

impl LinkOptions {
    /// The longest body of an HTTP response, in bytes: that of long-polling holds many messages.
    fn max_body(&self) -> usize {
        self.max_message.saturating_mul(4)
    }
}
