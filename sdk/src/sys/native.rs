//! Native platforms: tokio, tokio-tungstenite, hyper and rustls.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use origin::Origin;
use tokio::runtime::Handle;

use super::exchange::Exchange;
use super::{Alarm, Dialer, LinkOptions, Sys, Task, Wire};
use crate::core::{Method, Now, Request};
use crate::error::Error;

mod clock;
mod cookies;
mod date;
pub(crate) mod files;
mod http;
mod origin;
mod stream;
mod tcp;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
mod websocket;

/// Whether an IP address, one of version 6 without its brackets, is this machine; `None` for what is no address.
pub(crate) fn is_loopback(address: &str) -> Option<bool> {
    let address = address.parse::<std::net::IpAddr>().ok()?;
    Some(address.is_loopback())
}

/// The platform of the tokio runtime that the caller is in.
pub(crate) fn platform() -> Result<Arc<dyn Sys>, Error> {
    match Handle::try_current() {
        Ok(runtime) => Ok(Arc::new(Native { runtime })),
        Err(_) => Err(Error::Unsupported(
            "a client has to be built inside a tokio runtime; call `build` from an async function or after `Runtime::enter`"
                .into(),
        )),
    }
}

struct Native {
    runtime: Handle,
}

impl Sys for Native {
    fn now(&self) -> Now {
        clock::now()
    }

    fn can_ping(&self) -> bool {
        true
    }

    fn seed(&self) -> u64 {
        RandomState::new().build_hasher().finish()
    }

    fn spawn(&self, task: Task<()>) {
        self.runtime.spawn(task);
    }

    fn alarm(&self) -> Box<dyn Alarm> {
        Box::new(Sleep { at: None, sleep: None })
    }

    fn dialer(&self, options: LinkOptions) -> Result<Box<dyn Dialer>, Error> {
        Ok(Box::new(NativeDialer {
            origin: Arc::new(Origin::new(options)?),
        }))
    }
}

/// Runs work that waits for a disk where that stops nothing else, from its first poll on, and to its end whoever waits;
/// outside of a runtime in the caller's place. `None` if the runtime ended before it began, or the work panicked.
pub(crate) fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Task<Option<T>> {
    Box::pin(async {
        match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(work).await.ok(),
            Err(_) => Some(work()),
        }
    })
}

/// Opens links by tokio.
struct NativeDialer {
    origin: Arc<Origin>,
}

impl Dialer for NativeDialer {
    fn open(&self, request: Request) -> Box<dyn Wire> {
        let origin = Arc::clone(&self.origin);
        if request.method == Method::WebSocket {
            return Box::new(websocket::WebSocket::dial(request, origin));
        }
        let is_post = request.method != Method::Get;
        let answer = http::exchange(request, origin);
        Box::new(Exchange::new(is_post, Box::pin(answer), |time| Box::pin(sleep(time))))
    }
}

/// The runtime's time, which its timers count in. It stops in suspend; the core compares with the other clock.
#[allow(
    clippy::disallowed_methods,
    reason = "the one place where the platform's clock is read"
)]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "sys/ is where timers of the platform are used")]
async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

/// An alarm further away than this is set anew when it is reached.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// Is set again and again, mostly to a later time. Only an earlier one moves the timer; a later one lets it go off and is
/// set then, which is cheaper than to move it for every message.
struct Sleep {
    at: Option<Duration>,
    sleep: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Alarm for Sleep {
    fn set(&mut self, at: Option<Duration>) -> bool {
        let Some(at) = at else { return false };
        if self.at.is_some_and(|armed| armed <= at) {
            return false;
        }
        self.at = Some(at);
        // Rounded up to the timer's own resolution, so that it does not go off just before the time.
        // A wait longer than a month is cut short, which the core takes for a look at the clock.
        let wait = at.saturating_sub(clock::mono()).min(LONGEST) + Duration::from_millis(1);
        let deadline = now() + wait;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(deadline),
            None => self.sleep = Some(Box::pin(tokio::time::sleep_until(deadline))),
        }
        true
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match (&mut self.sleep, self.at) {
            (Some(sleep), Some(_)) => {
                ready!(sleep.as_mut().poll(cx));
                self.at = None;
                Poll::Ready(())
            }
            _ => Poll::Pending,
        }
    }
}
