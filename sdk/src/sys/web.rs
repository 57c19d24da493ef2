//! The web: the browser's WebSocket, fetch, timers and clock, through web-sys, gloo-net and gloo-timers.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use gloo_timers::future::TimeoutFuture;

use super::exchange::Exchange;
use super::{Alarm, Dialer, LinkOptions, Sys, Task, Wire};
use crate::core::{Method, Now, Request};
use crate::error::Error;

mod clock;
mod http;
mod tasks;
#[cfg(test)]
mod tests;
mod websocket;

/// The one platform of a page or a worker.
pub(crate) fn platform() -> Result<Arc<dyn Sys>, Error> {
    Ok(Arc::new(Web))
}

/// Whether an IP address, one of version 6 without its brackets, is this machine; `None` for what is no address.
///
/// The browser reads it: the standard library's parser would be three kilobytes of what a page downloads.
pub(crate) fn is_loopback(address: &str) -> Option<bool> {
    let url = match address.contains(':') {
        true => ["http://[", address, "]"].concat(),
        false => ["http://", address].concat(),
    };
    let host = web_sys::Url::new(&url).ok()?.hostname();
    // Names are left: an address of version 4 comes back as four numbers.
    let is_address = host.starts_with('[') || host.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    is_address.then(|| host == "[::1]" || host.starts_with("127."))
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
        clock::now()
    }

    fn can_ping(&self) -> bool {
        false
    }

    fn seed(&self) -> u64 {
        let half = || (js_sys::Math::random() * f64::from(u32::MAX)) as u64;
        (half() << 32) ^ half()
    }

    fn spawn(&self, task: Task<()>) {
        tasks::spawn(task);
    }

    fn alarm(&self) -> Box<dyn Alarm> {
        Box::new(Timer::default())
    }

    fn dialer(&self, options: LinkOptions) -> Result<Box<dyn Dialer>, Error> {
        check(&options)?;
        Ok(Box::new(WebDialer { options }))
    }
}

/// Opens links by the browser.
struct WebDialer {
    options: LinkOptions,
}

impl Dialer for WebDialer {
    fn open(&self, request: Request) -> Box<dyn Wire> {
        if request.method == Method::WebSocket {
            return Box::new(websocket::WebSocket::dial(&request));
        }
        let is_post = request.method != Method::Get;
        let answer = http::exchange(request, self.options.with_credentials, self.options.max_body());
        Box::new(Exchange::new(is_post, Box::pin(answer), |time| {
            Box::pin(TimeoutFuture::new(u32::try_from(time.as_millis()).unwrap_or(u32::MAX)))
        }))
    }
}

/// One timeout of the browser's, which is not set anew for a time that is later than its own: deadlines move on with every
/// message, and a timeout that goes off early looks at the clock and is set for the rest.
#[derive(Default)]
struct Timer {
    at: Option<Duration>,
    timeout: Option<(Duration, TimeoutFuture)>,
}

impl Alarm for Timer {
    fn set(&mut self, at: Option<Duration>) -> bool {
        self.at = at;
        match (at, &self.timeout) {
            (Some(at), Some((set_for, _))) if at < *set_for => self.timeout = None,
            (Some(_), None) => {}
            _ => return false,
        }
        true
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some((_, timeout)) = &mut self.timeout else {
                let Some(at) = self.at else { return Poll::Pending };
                let left = at.saturating_sub(Web.now().mono).as_millis();
                // More than setTimeout can hold is waited for in parts.
                let left = u32::try_from(left).unwrap_or(u32::MAX).min(i32::MAX as u32);
                self.timeout = Some((at, TimeoutFuture::new(left)));
                continue;
            };
            if timeout.poll_unpin(cx).is_pending() {
                return Poll::Pending;
            }
            self.timeout = None;
            if self.at.is_some_and(|at| at <= Web.now().mono) {
                self.at = None;
                return Poll::Ready(());
            }
        }
    }
}
