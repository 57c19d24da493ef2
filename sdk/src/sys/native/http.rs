//! One HTTP exchange: a GET or a POST, and its answer.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method as HttpMethod, Request as HttpRequest};

use super::origin::Origin;
use crate::core::{Method, Request, Response};
use crate::error::Error;

mod connection;
mod pool;

use connection::{Connection, Unanswered};
pub(super) use pool::Pool;

/// A request as hyper takes it.
type Message = HttpRequest<Full<Bytes>>;

/// Makes a request and reads the whole answer. Dropping it drops the connection.
pub(super) async fn exchange(request: Request, origin: Arc<Origin>) -> Result<Response, Error> {
    let doubt = Doubt(&origin.pool);
    let answer = ask(&request, &origin).await?;
    std::mem::forget(doubt);
    Ok(answer)
}

/// An exchange that breaks off casts doubt on all that is kept: after a change of network every connection is dead, and
/// each would take its time to show it.
struct Doubt<'a>(&'a Pool);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

async fn ask(request: &Request, origin: &Origin) -> Result<Response, Error> {
    let mut message = message(request, origin)?;
    while let Some(kept) = origin.pool.take() {
        // Lets the runtime look at its sockets, so that a connection which the server has closed is known to be.
        tokio::task::yield_now().await;
        match kept.exchange(message, request, origin).await {
            // The server closed it while it was idle, and has not seen the request.
            Err(Unanswered::NotSent(unsent)) => message = *unsent,
            Err(Unanswered::Failed(error)) => return Err(error),
            Ok(response) => return Ok(response),
        }
    }
    let fresh = Connection::open(origin.connect(request).await?).await?;
    match fresh.exchange(message, request, origin).await {
        Ok(response) => Ok(response),
        Err(Unanswered::Failed(error)) => Err(error),
        Err(Unanswered::NotSent(_)) => Err(Error::Unreachable("the server closed the connection at once".into())),
    }
}

fn message(request: &Request, origin: &Origin) -> Result<Message, Error> {
    let (method, body) = match &request.method {
        Method::Post(body) => (HttpMethod::POST, body.clone()),
        Method::Get | Method::WebSocket => (HttpMethod::GET, Bytes::new()),
    };
    let unusable = |what: &str| Error::InvalidUrl(["its ", what, " cannot be used in HTTP"].concat().into());
    let mut message = HttpRequest::new(Full::new(body));
    *message.uri_mut() = request.target.parse().map_err(|_| unusable("path"))?;
    let host = HeaderValue::try_from(&request.authority).map_err(|_| unusable("host"))?;
    let headers = message.headers_mut();
    headers.insert(HOST, host);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    origin.dress(request, headers);
    // Nothing here unpacks an answer.
    headers.remove(ACCEPT_ENCODING);
    if method == HttpMethod::POST {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    }
    *message.method_mut() = method;
    Ok(message)
}
