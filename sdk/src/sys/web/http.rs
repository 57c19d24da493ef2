//! One HTTP exchange by the browser's fetch.
//!
//! By web-sys rather than gloo-net, whose fetch panics, and a panic is the end of a page's client, where a promise is
//! rejected with something that is no `Error` of the same realm, as under test runners.

use std::time::Duration;

use bytes::Bytes;
use js_sys::{Date, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestInit, RequestRedirect,
};

use crate::core::{Method, Request, Response};
use crate::error::Error;

/// Dropping it ends what it was given to. Without it a fetch that nobody waits for goes on.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes a request and reads the whole answer, of at most `limit` bytes.
pub(super) async fn exchange(request: Request, with_credentials: bool, limit: usize) -> Result<Response, Error> {
    let lost = |_| Error::Unreachable("the browser could not fetch it; it does not say why".into());
    let abort = Abort(AbortController::new().map_err(lost)?);
    let init = init(&request, with_credentials)?;
    init.set_signal(Some(&abort.0.signal()));
    let scheme = if request.secure { "https://" } else { "http://" };
    let url = [scheme, &request.authority, &request.target].concat();
    let promise = fetch(&url, &init).map_err(lost)?;
    let answer: web_sys::Response = JsFuture::from(promise).await.map_err(lost)?.unchecked_into();
    let status = answer.status();
    if status == 0 {
        return Err(Error::Handshake("it redirects elsewhere, which is not followed".into()));
    }
    Ok(Response {
        status,
        retry_after: retry_after(&answer),
        body: read(&answer, limit).await?,
    })
}

fn init(request: &Request, with_credentials: bool) -> Result<RequestInit, Error> {
    let init = RequestInit::new();
    init.set_cache(RequestCache::NoStore);
    init.set_redirect(RequestRedirect::Manual);
    init.set_credentials(match with_credentials {
        true => RequestCredentials::Include,
        false => RequestCredentials::SameOrigin,
    });
    if let Method::Post(body) = &request.method {
        let text = std::str::from_utf8(body).map_err(|_| Error::protocol("a body to be sent was not UTF-8"))?;
        init.set_method("POST");
        // From a string the browser makes `text/plain;charset=UTF-8`, which needs no question to a server elsewhere.
        init.set_body(&JsValue::from_str(text));
    }
    Ok(init)
}

/// The global function, which pages and workers both have.
fn fetch(url: &str, init: &RequestInit) -> Result<Promise, JsValue> {
    let global = js_sys::global();
    let function: Function = Reflect::get(&global, &JsValue::from_str("fetch"))?.dyn_into()?;
    let answer = function.call2(&global, &JsValue::from_str(url), init)?;
    // A promise of another realm would not pass for one here.
    Ok(Promise::resolve(&answer))
}

/// Seconds, or a date (RFC 9110, section 10.2.3). From another origin only a server that exposes it lets it be seen.
fn retry_after(answer: &web_sys::Response) -> Option<Duration> {
    let header = |name| answer.headers().get(name).ok().flatten();
    let text = header("retry-after")?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: String| Some(Date::parse(&text)).filter(|millis| millis.is_finite());
    let now = header("date").and_then(date).unwrap_or_else(Date::now);
    Some(Duration::from_millis((date(text)? - now).max(0.0) as u64))
}

async fn read(answer: &web_sys::Response, limit: usize) -> Result<Bytes, Error> {
    let broken = |_| Error::Unreachable("the connection ended before the answer did".into());
    let Some(stream) = answer.body() else {
        return Ok(Bytes::new());
    };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut whole = Vec::new();
    loop {
        let part = JsFuture::from(reader.read()).await.map_err(broken)?;
        let value = Reflect::get(&part, &JsValue::from_str("value")).map_err(broken)?;
        if value.is_undefined() {
            return Ok(whole.into());
        }
        let chunk: Uint8Array = value.unchecked_into();
        let (at, more) = (whole.len(), chunk.length() as usize);
        if more > limit - at {
            return Err(Error::protocol("an HTTP response over the limit"));
        }
        whole.resize(at + more, 0);
        chunk.copy_to(&mut whole[at..]);
    }
}
