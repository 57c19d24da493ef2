//! The web: the browser's WebSocket, timers and clock, through web-sys and gloo-timers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent};

use super::{Alarm, Dialer, LinkOptions, Sys, Task, Wire};
use crate::core::{Frame, LinkEvent, Now, Request};
use crate::error::Error;

/// The one platform of a page or a worker.
pub(crate) fn platform() -> Result<Arc<dyn Sys>, Error> {
    Ok(Arc::new(Web))
}

fn check(options: &LinkOptions) -> Result<(), Error> {
    if !options.headers.is_empty() {
        return Err(Error::Unsupported(
            "browsers allow no headers on a WebSocket; use `auth` or `query`".into(),
        ));
    }
    if options.ca_pem.is_some() {
        return Err(Error::Unsupported(
            "browsers decide themselves which certificates they trust".into(),
        ));
    }
    Ok(())
}

struct Web;

impl Sys for Web {
    fn now(&self) -> Now {
        // Date.now() counts sleep, which performance.now() does not everywhere. The core takes care that it never goes back.
        let millis = js_sys::Date::now();
        Now {
            mono: Duration::from_millis(millis as u64),
            unix_ms: millis as u64,
        }
    }

    fn can_ping(&self) -> bool {
        false
    }

    fn seed(&self) -> u64 {
        let half = || (js_sys::Math::random() * f64::from(u32::MAX)) as u64;
        (half() << 32) ^ half()
    }

    fn spawn(&self, task: Task<()>) {
        wasm_bindgen_futures::spawn_local(task);
    }

    fn alarm(&self) -> Box<dyn Alarm> {
        Box::new(Timer::default())
    }

    fn dialer(&self, options: LinkOptions) -> Result<Box<dyn Dialer>, Error> {
        check(&options)?;
        Ok(Box::new(Self))
    }
}

impl Dialer for Web {
    fn open(&self, request: Request) -> Box<dyn Wire> {
        Box::new(WebSocket::dial(&request))
    }
}

#[derive(Default)]
struct Timer {
    at: Option<Duration>,
    timeout: Option<TimeoutFuture>,
}

impl Alarm for Timer {
    fn set(&mut self, at: Option<Duration>) -> bool {
        if self.at == at {
            return false;
        }
        self.at = at;
        self.timeout = at.map(|at| {
            let left = at.saturating_sub(Web.now().mono).as_millis();
            // A later time than setTimeout can hold rings early, which the core takes for a look at the clock.
            TimeoutFuture::new(u32::try_from(left).unwrap_or(u32::MAX).min(i32::MAX as u32))
        });
        true
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(timeout) = &mut self.timeout else {
            return Poll::Pending;
        };
        match Pin::new(timeout).poll(cx) {
            Poll::Ready(()) => {
                *self = Self::default();
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What the browser's callbacks and the driver share.
#[derive(Default)]
struct Inbox {
    events: VecDeque<LinkEvent>,
    open: bool,
    waker: Option<Waker>,
}

struct WebSocket {
    socket: Option<web_sys::WebSocket>,
    inbox: Rc<RefCell<Inbox>>,
    /// What was given before the socket was open.
    batch: Option<Vec<Frame>>,
    sent: bool,
    _callbacks: Option<Callbacks>,
}

/// Kept as long as the socket may call them.
struct Callbacks {
    _open: Closure<dyn FnMut(Event)>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl WebSocket {
    fn dial(request: &Request) -> Self {
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
                sent: false,
                _callbacks: None,
            };
        };
        socket.set_binary_type(BinaryType::Arraybuffer);
        let callbacks = Callbacks {
            _open: callback(&inbox, |inbox, _: Event| inbox.open = true),
            _message: callback(&inbox, |inbox, message: MessageEvent| {
                inbox.events.push_back(read(&message))
            }),
            _close: callback(&inbox, |inbox, _: CloseEvent| {
                let lost = Error::Unreachable("the browser closed the WebSocket; it does not say why".into());
                let error = (!inbox.open).then_some(lost);
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
            sent: false,
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
            waker.wake();
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
        if !self.inbox.borrow().open {
            return;
        }
        let (Some(frames), Some(socket)) = (self.batch.take(), &self.socket) else {
            return;
        };
        for frame in frames {
            // The only error is a socket that is closing; its close event follows.
            let _ = match frame {
                Frame::Text(text) => socket.send_with_str(std::str::from_utf8(&text).unwrap_or_default()),
                Frame::Binary(bytes) => socket.send_with_u8_array(&bytes),
                // Browsers have none, and `can_ping` says so.
                Frame::Ping => Ok(()),
            };
        }
        self.sent = true;
    }
}

impl Wire for WebSocket {
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent> {
        self.write();
        if std::mem::take(&mut self.sent) {
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
