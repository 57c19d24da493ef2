//! The browser's WebSocket.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use bytestring::ByteString;
use futures::FutureExt;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent};

use super::super::{Task, Wire};
use super::tasks;
use crate::core::{Frame, LinkEvent, Request};
use crate::error::Error;

/// So much may wait in the browser, in bytes, before a batch counts as written: what is there can neither be bounded nor
/// taken back.
const MOST_WAITING: u32 = 64 << 10;

/// How often it is looked at how much waits, in ms: browsers do not tell when it becomes less.
const LOOK: u32 = 20;

/// What browsers say of a WebSocket that ended without a closing frame (RFC 6455, section 7.4.1).
const BROKEN: u16 = 1006;

/// What the browser's callbacks and the driver share.
#[derive(Default)]
struct Inbox {
    events: VecDeque<LinkEvent>,
    open: bool,
    waker: Option<Waker>,
}

pub(super) struct WebSocket {
    socket: Option<web_sys::WebSocket>,
    inbox: Rc<RefCell<Inbox>>,
    /// What was given before the socket was open.
    batch: Option<Vec<Frame>>,
    /// A batch was given to the browser, and is not told as sent yet.
    sending: bool,
    /// When the browser is looked at again.
    look: Option<TimeoutFuture>,
    _callbacks: Option<Callbacks>,
}

/// Kept as long as the socket may call them.
struct Callbacks {
    _open: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl WebSocket {
    pub(super) fn dial(request: &Request) -> Self {
        let inbox = Rc::new(RefCell::new(Inbox::default()));
        let scheme = if request.secure { "wss://" } else { "ws://" };
        let url = [scheme, &request.authority, &request.target].concat();
        let Ok(socket) = web_sys::WebSocket::new(&url) else {
            let refused =
                Error::InvalidUrl("the browser refuses it; from an https page only https can be reached".into());
            inbox.borrow_mut().events.push_back(LinkEvent::Closed(Some(refused)));
            return Self {
                socket: None,
                inbox,
                batch: None,
                sending: false,
                look: None,
                _callbacks: None,
            };
        };
        socket.set_binary_type(BinaryType::Arraybuffer);
        let callbacks = Callbacks {
            _open: callback(&inbox, |inbox, _: Event| inbox.open = true),
            _message: callback(&inbox, |inbox, message: MessageEvent| {
                inbox.events.push_back(read(&message))
            }),
            _close: callback(&inbox, |inbox, end: CloseEvent| {
                let why = match (inbox.open, end.code()) {
                    (false, _) => Some("the browser could not open a WebSocket; it does not say why"),
                    (true, BROKEN) => Some("the connection broke; the browser does not say why"),
                    (true, _) => None,
                };
                let error = why.map(|why| Error::Unreachable(why.into()));
                inbox.events.push_back(LinkEvent::Closed(error));
            }),
        };
        socket.set_onopen(Some(callbacks._open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(callbacks._message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(callbacks._close.as_ref().unchecked_ref()));
        Self {
            socket: Some(socket),
            inbox,
            batch: None,
            sending: false,
            look: None,
            _callbacks: Some(callbacks),
        }
    }
}

fn callback<E: wasm_bindgen::convert::FromWasmAbi + 'static>(
    inbox: &Rc<RefCell<Inbox>>,
    mut take: impl FnMut(&mut Inbox, E) + 'static,
) -> Closure<dyn FnMut(E)> {
    let inbox = Rc::clone(inbox);
    Closure::new(move |event| {
        let waker = {
            let mut inbox = inbox.borrow_mut();
            take(&mut inbox, event);
            inbox.waker.take()
        };
        if let Some(waker) = waker {
            tasks::run_with(waker);
        }
    })
}

fn read(message: &MessageEvent) -> LinkEvent {
    let data = message.data();
    match data.as_string() {
        Some(text) => LinkEvent::Text(ByteString::from(text)),
        None => LinkEvent::Binary(Bytes::from(js_sys::Uint8Array::new(&data).to_vec())),
    }
}

impl WebSocket {
    /// Gives a batch to the browser, if there is one and the socket is open.
    fn write(&mut self) {
        let Some(socket) = &self.socket else { return };
        // One that is closing takes everything and sends nothing; that it has closed comes later.
        if !self.inbox.borrow().open || socket.ready_state() != web_sys::WebSocket::OPEN {
            return;
        }
        let Some(frames) = self.batch.take() else { return };
        for frame in frames {
            // The only error is a socket that is closing; its close event follows.
            let _ = match frame {
                Frame::Text(text) => socket.send_with_str(std::str::from_utf8(&text).unwrap_or_default()),
                Frame::Binary(bytes) => socket.send_with_u8_array(&bytes),
                // Browsers have none, and `can_ping` says so.
                Frame::Ping => Ok(()),
            };
        }
        self.sending = true;
    }

    /// Whether the last batch has left, but for what may wait in the browser.
    fn has_sent(&mut self, cx: &mut Context<'_>) -> bool {
        while self.sending {
            let waiting = self.socket.as_ref().map_or(0, web_sys::WebSocket::buffered_amount);
            if waiting <= MOST_WAITING {
                self.sending = false;
                self.look = None;
                return true;
            }
            if self
                .look
                .get_or_insert_with(|| TimeoutFuture::new(LOOK))
                .poll_unpin(cx)
                .is_pending()
            {
                return false;
            }
            self.look = None;
        }
        false
    }
}

impl Wire for WebSocket {
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent> {
        self.write();
        if self.has_sent(cx) {
            return Poll::Ready(LinkEvent::Sent);
        }
        let mut inbox = self.inbox.borrow_mut();
        if read && let Some(event) = inbox.events.pop_front() {
            return Poll::Ready(event);
        }
        inbox.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn send(&mut self, frames: Vec<Frame>) {
        self.batch = Some(frames);
    }

    fn close(mut self: Box<Self>) -> Task<()> {
        // The browser itself sends what it was given before it closes.
        self.write();
        Box::pin(async {})
    }
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        if let Some(socket) = &self.socket {
            socket.set_onopen(None);
            socket.set_onmessage(None);
            socket.set_onclose(None);
            let _ = socket.close();
        }
    }
}
