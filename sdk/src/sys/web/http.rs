//! One HTTP exchange by the browser's fetch.
//!
//! What is thrown may come from another realm, as in test runners that give each file a realm of its own, or from a script
//! that replaced fetch. So nothing here depends on what kind of object an error is.

use std::time::Duration;

use bytes::Bytes;
use js_sys::{Date, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, ReadableStreamDefaultReader};

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
    let abort = Abort(AbortController::new().map_err(lost)?);
    let options = options(&request, with_credentials, &abort)?;
    let scheme = if request.secure { "https://" } else { "http://" };
    let url = [scheme, &request.authority, &request.target].concat();
    let answer = fetch(&url, &options).await.map_err(lost)?;
    let status = answer.status();
    if status == 0 {
        return Err(Error::Handshake("it redirects elsewhere, which is not followed".into()));
    }
    Ok(Response {
        status,
        retry_after: retry_after(&answer.headers()),
        body: read(&answer, limit).await?,
    })
}

fn lost<E>(_: E) -> Error {
    Error::Unreachable("the browser could not fetch it; it does not say why".into())
}

/// What `fetch` takes beside the address.
fn options(request: &Request, with_credentials: bool, abort: &Abort) -> Result<Object, Error> {
    let options = Object::new();
    // Only a frozen object refuses.
    let set = |name: &str, value: &JsValue| _ = Reflect::set(&options, &name.into(), value);
    set("cache", &"no-store".into());
    set("redirect", &"manual".into());
    set(
        "credentials",
        &if with_credentials { "include" } else { "same-origin" }.into(),
    );
    set("signal", &abort.0.signal());
    if let Method::Post(body) = &request.method {
        let text = std::str::from_utf8(body).map_err(|_| Error::protocol("a body to be sent was not UTF-8"))?;
        set("method", &"POST".into());
        // From a string the browser makes `text/plain;charset=UTF-8`, which needs no question to a server elsewhere.
        set("body", &text.into());
    }
    Ok(options)
}

/// By the global function, which pages and workers both have.
async fn fetch(url: &str, options: &Object) -> Result<web_sys::Response, JsValue> {
    let global = js_sys::global();
    let function: Function = Reflect::get(&global, &"fetch".into())?.dyn_into()?;
    let answer = function.call2(&global, &url.into(), options)?;
    // A promise of another realm would not pass for one here.
    let answer = JsFuture::from(Promise::resolve(&answer)).await?;
    Ok(answer.unchecked_into())
}

/// Seconds, or a date (RFC 9110, section 10.2.3). From another origin only a server that exposes it lets it be seen.
fn retry_after(headers: &Headers) -> Option<Duration> {
    let header = |name| headers.get(name).ok().flatten();
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
