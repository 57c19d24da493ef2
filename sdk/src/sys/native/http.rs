//! One HTTP exchange: a GET or a POST, and its answer.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method as HttpMethod, Request as HttpRequest};

use super::super::{Task, Wire};
use super::origin::Origin;
use crate::core::{Frame, LinkEvent, Method, Request, Response};
use crate::error::Error;

mod connection;
mod pool;

use connection::{Connection, Unanswered};
pub(super) use pool::Pool;

/// How long a POST may take that nobody waits for any more.
const CLOSE: Duration = Duration::from_secs(1);

/// A request as hyper takes it.
type Message = HttpRequest<Full<Bytes>>;

/// One exchange on a connection of its own; so dropping it ends both.
pub(super) struct Exchange {
    /// None once it has been handed over.
    answer: Option<Task<Result<Response, Error>>>,
    is_post: bool,
}

impl Exchange {
    /// Starts with the first poll.
    pub(super) fn start(request: Request, origin: Arc<Origin>) -> Self {
        Self {
            is_post: matches!(request.method, Method::Post(_)),
            answer: Some(Box::pin(exchange(request, origin))),
        }
    }
}

impl Wire for Exchange {
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent> {
        // What a GET brings waits in the system's buffers, so that the server feels it.
        let Some(answer) = self.answer.as_mut().filter(|_| read || self.is_post) else {
            return Poll::Pending;
        };
        let result = ready!(answer.poll_unpin(cx));
        self.answer = None;
        Poll::Ready(match result {
            Ok(response) => LinkEvent::Response(response),
            Err(error) => LinkEvent::Closed(Some(error)),
        })
    }

    fn send(&mut self, _: Vec<Frame>) {}

    fn close(self: Box<Self>) -> Task<()> {
        Box::pin(async move {
            if let Some(answer) = self.answer.filter(|_| self.is_post) {
                let _ = tokio::time::timeout(CLOSE, answer).await;
            }
        })
    }
}

async fn exchange(request: Request, origin: Arc<Origin>) -> Result<Response, Error> {
    let mut message = message(&request, &origin)?;
    while let Some(kept) = origin.pool.take() {
        match kept.exchange(message, &request, &origin).await {
            // The server closed it while it was idle, and has not seen the request.
            Err(Unanswered::NotSent(unsent)) => message = *unsent,
            Err(Unanswered::Failed(error)) => return Err(error),
            Ok(response) => return Ok(response),
        }
    }
    let fresh = Connection::open(origin.connect(&request).await?).await?;
    match fresh.exchange(message, &request, &origin).await {
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
    if method == HttpMethod::POST {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    }
    *message.method_mut() = method;
    Ok(message)
}
