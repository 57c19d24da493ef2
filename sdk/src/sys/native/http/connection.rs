//! One HTTP/1.1 connection. Whoever has an exchange on it drives it, so that there is no task to be ended.

use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;

use super::super::origin::{Origin, response, unreachable};
use super::super::stream::Stream;
use super::Message;
use crate::core::{Request, Response};
use crate::error::Error;

/// The longest section of headers that is read, in bytes; also the most that is read at once.
const HEADER_SECTION: usize = 64 << 10;

/// So many headers are read.
const HEADERS: usize = 100;

pub(super) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    /// None once it has ended.
    driven: Option<Driven>,
}

type Driven = Pin<Box<http1::Connection<Stream, Full<Bytes>>>>;

/// Why there is no answer.
pub(super) enum Unanswered {
    /// Not a byte of it was sent.
    NotSent(Box<Message>),
    Failed(Error),
}

impl Connection {
    pub(super) async fn open(stream: Stream) -> Result<Self, Error> {
        let shaken = http1::Builder::new()
            .max_buf_size(HEADER_SECTION)
            .max_headers(HEADERS)
            .handshake(stream)
            .await;
        let (sender, driven) = shaken.map_err(|error| failure(&error))?;
        Ok(Self {
            sender,
            driven: Some(Box::pin(driven)),
        })
    }

    /// Sends a request and reads the whole answer. If the server allows, the connection is kept for the next one.
    pub(super) async fn exchange(
        mut self,
        message: Message,
        request: &Request,
        origin: &Origin,
    ) -> Result<Response, Unanswered> {
        let answer = self.sender.try_send_request(message);
        let answer = self
            .drive(answer)
            .await
            .map_err(|mut error| match error.take_message() {
                Some(unsent) => Unanswered::NotSent(Box::new(unsent)),
                None => Unanswered::Failed(failure(error.error())),
            })?;
        let (head, body) = answer.into_parts();
        origin.heard(request, &head.headers);
        let body = self
            .drive(read(body, origin.max_body))
            .await
            .map_err(Unanswered::Failed)?;
        if self.is_idle().await {
            origin.pool.keep(self);
        }
        Ok(response(head.status, &head.headers, body))
    }

    /// Waits for `work`, which waits for the connection.
    async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll_drive(cx);
            work.as_mut().poll(cx)
        })
        .await
    }

    fn poll_drive(&mut self, cx: &mut Context<'_>) {
        if let Some(driven) = &mut self.driven
            && driven.as_mut().poll(cx).is_ready()
        {
            // An error has gone to whoever waits for the answer.
            self.driven = None;
        }
    }

    /// Whether another request can follow. It cannot where the server says so, and where it answered before it had read
    /// all of this one.
    async fn is_idle(&mut self) -> bool {
        poll_fn(|cx| {
            self.poll_drive(cx);
            Poll::Ready(matches!(self.sender.poll_ready(cx), Poll::Ready(Ok(()))))
        })
        .await
    }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Error> {
    let too_long = || Error::protocol("an HTTP response over the limit");
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(too_long());
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Trailers say nothing that is wanted here.
        let Ok(data) = frame.map_err(|error| failure(&error))?.into_data() else {
            continue;
        };
        if data.len() > limit - whole.len() {
            return Err(too_long());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// Says what went wrong without giving hyper's types away.
fn failure(error: &hyper::Error) -> Error {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match cause {
        // What hyper says of chunks that are none.
        Some(cause) if cause.kind() == io::ErrorKind::InvalidInput => garbage(cause),
        Some(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => unreachable(cause),
        _ if error.is_parse() => garbage(error),
        _ => Error::Unreachable("the connection ended before the answer did".into()),
    }
}

fn garbage(what: &dyn std::error::Error) -> Error {
    let text = ["it did not answer as an HTTP server does: ", &what.to_string()].concat();
    Error::Handshake(text.into())
}
