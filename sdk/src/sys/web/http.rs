//! One HTTP exchange by the browser's fetch.
//!
//! gloo-net makes the request and reads the answer's head. It panics, which is the end of a page's client, at anything
//! thrown that is no `Error` of the module's own realm. Browsers throw none such here, but test runners that give each
//! file a realm of its own do, as Jest does, and so may a script that replaced fetch. Hence what can fail is not left to
//! it: an address that is none, and fetch itself, which is called here and not by its `send`. What remains is a
//! `Request` that refuses the signal, where a page has the two from different realms.

use std::time::Duration;

use bytes::Bytes;
use gloo_net::http::{self, RequestBuilder};
use js_sys::{Date, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, RequestCache, RequestCredentials, RequestRedirect, Url};

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
    let answer = fetch(build(&request, with_credentials, &abort)?).await.map_err(lost)?;
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
    // To a page, a server that does not allow it is as one that is not there.
    Error::Unreachable(
        "the browser could not fetch it and does not say why; a server of another origin has to allow it (CORS)".into(),
    )
}

fn build(request: &Request, with_credentials: bool, abort: &Abort) -> Result<http::Request, Error> {
    let scheme = if request.secure { "https://" } else { "http://" };
    let url = [scheme, &request.authority, &request.target].concat();
    Url::new(&url).map_err(lost)?;
    let builder = RequestBuilder::new(&url)
        .cache(RequestCache::NoStore)
        .redirect(RequestRedirect::Manual)
        .credentials(match with_credentials {
            true => RequestCredentials::Include,
            false => RequestCredentials::SameOrigin,
        })
        .abort_signal(Some(&abort.0.signal()));
    let Method::Post(body) = &request.method else {
        return builder.build().map_err(lost);
    };
    let text = std::str::from_utf8(body).map_err(|_| Error::protocol("a body to be sent was not UTF-8"))?;
    // From a string the browser makes `text/plain;charset=UTF-8`, which needs no question to a server elsewhere.
    builder.method(http::Method::POST).body(text).map_err(lost)
}

/// By the global function, which pages and workers both have.
async fn fetch(request: http::Request) -> Result<http::Response, JsValue> {
    let global = js_sys::global();
    let function: Function = Reflect::get(&global, &JsValue::from_str("fetch"))?.dyn_into()?;
    let answer = function.call1(&global, &web_sys::Request::from(request))?;
    // A promise of another realm would not pass for one here.
    let answer = JsFuture::from(Promise::resolve(&answer)).await?;
    Ok(answer.unchecked_into::<web_sys::Response>().into())
}

/// Seconds, or a date (RFC 9110, section 10.2.3). From another origin only a server that exposes it lets it be seen.
fn retry_after(headers: &http::Headers) -> Option<Duration> {
    let text = headers.get("retry-after")?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: String| Some(Date::parse(&text)).filter(|millis| millis.is_finite());
    let now = headers.get("date").and_then(date).unwrap_or_else(Date::now);
    Some(Duration::from_millis((date(text)? - now).max(0.0) as u64))
}

async fn read(answer: &http::Response, limit: usize) -> Result<Bytes, Error> {
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
