//! One WebSocket over TCP or TLS.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytestring::ByteString;
use futures::{FutureExt, Sink, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::Request as Upgrade;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::super::{Task, Wire};
use super::origin::{Origin, response, unreachable};
use super::stream::Stream;
use crate::core::{Frame, LinkEvent, Request};
use crate::error::Error;

/// How long a close may take before the connection is dropped.
const CLOSE: Duration = Duration::from_secs(1);

/// Small, because thousands of idle connections each hold one; a flood is read at the same speed with it.
const READ_BUFFER: usize = 4096;

/// Above this, what was encoded is given to the system before the batch is complete.
const WRITE_BUFFER: usize = 64 << 10;

/// TCP or TLS.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

type Stage<S> = WebSocketStream<S>;

/// Two types rather than one boxed: the plain one is the fast path.
enum Open {
    Plain(Box<Stage<TcpStream>>),
    #[cfg(feature = "tls")]
    Tls(Box<Stage<tokio_rustls::client::TlsStream<TcpStream>>>),
}

pub(super) struct WebSocket {
    state: State,
    /// What is being written.
    batch: std::vec::IntoIter<Frame>,
    sending: bool,
    /// The last read found nothing: until the system has something, another would be wasted.
    drained: bool,
}

enum State {
    Dialing(Task<Result<Open, LinkEvent>>),
    Open(Open),
    Done,
}

impl WebSocket {
    /// Starts to dial.
    pub(super) fn dial(request: Request, origin: Arc<Origin>) -> Self {
        Self {
            state: State::Dialing(Box::pin(dial(request, origin))),
            batch: Vec::new().into_iter(),
            sending: false,
            drained: false,
        }
    }

    /// Goes on with writing; ready when the batch is with the system.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let State::Open(open) = &mut self.state else {
            return Poll::Pending;
        };
        loop {
            ready!(open.poll_ready(cx)).map_err(|error| failure(&error))?;
            let Some(frame) = self.batch.next() else { break };
            let message = match frame {
                Frame::Text(text) => match Utf8Bytes::try_from(text) {
                    Ok(text) => Message::Text(text),
                    Err(_) => return Poll::Ready(Err(Error::protocol("a frame to be sent was not UTF-8"))),
                },
                Frame::Binary(bytes) => Message::Binary(bytes),
                Frame::Ping => Message::Ping(bytes::Bytes::new()),
            };
            open.start_send(message).map_err(|error| failure(&error))?;
        }
        ready!(open.poll_flush(cx)).map_err(|error| failure(&error))?;
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<LinkEvent> {
        let State::Open(open) = &mut self.state else {
            return Poll::Pending;
        };
        if self.drained {
            // An error here is found again, and told, by the read.
            let _ = ready!(open.tcp().poll_read_ready(cx));
        }
        loop {
            let next = open.poll_next(cx);
            self.drained = next.is_pending();
            return Poll::Ready(match ready!(next) {
                Some(Ok(Message::Text(text))) => match ByteString::try_from(bytes::Bytes::from(text)) {
                    Ok(text) => LinkEvent::Text(text),
                    Err(_) => LinkEvent::Closed(Some(Error::protocol("a text frame that is not UTF-8"))),
                },
                Some(Ok(Message::Binary(bytes))) => LinkEvent::Binary(bytes),
                Some(Ok(Message::Pong(_))) => LinkEvent::Pong,
                Some(Ok(Message::Close(_))) | None => LinkEvent::Closed(None),
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Err(WsError::ConnectionClosed | WsError::AlreadyClosed)) => LinkEvent::Closed(None),
                Some(Err(error)) => LinkEvent::Closed(Some(failure(&error))),
            });
        }
    }
}

impl Wire for WebSocket {
    fn poll_event(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<LinkEvent> {
        if let State::Dialing(dialing) = &mut self.state {
            match ready!(dialing.poll_unpin(cx)) {
                Ok(open) => self.state = State::Open(open),
                Err(end) => {
                    self.state = State::Done;
                    return Poll::Ready(end);
                }
            }
        }
        if self.sending
            && let Poll::Ready(result) = self.poll_send(cx)
        {
            self.sending = false;
            match result {
                Ok(()) => return Poll::Ready(LinkEvent::Sent),
                Err(error) => {
                    self.state = State::Done;
                    return Poll::Ready(LinkEvent::Closed(Some(error)));
                }
            }
        }
        if !read {
            return Poll::Pending;
        }
        let event = ready!(self.poll_read(cx));
        if matches!(event, LinkEvent::Closed(_)) {
            self.state = State::Done;
        }
        Poll::Ready(event)
    }

    fn send(&mut self, frames: Vec<Frame>) {
        self.batch = frames.into_iter();
        self.sending = true;
    }

    fn close(mut self: Box<Self>) -> Task<()> {
        Box::pin(async move {
            let goodbye = async {
                if self.sending {
                    let sent = std::future::poll_fn(|cx| self.poll_send(cx)).await;
                    sent.ok()?;
                }
                if let State::Open(open) = &mut self.state {
                    std::future::poll_fn(|cx| open.poll_close(cx)).await.ok()?;
                    // The other side answers the close frame; until then it may still be reading what was sent.
                    while let Some(Ok(_)) = std::future::poll_fn(|cx| open.poll_next(cx)).await {}
                }
                Some(())
            };
            let _ = tokio::time::timeout(CLOSE, goodbye).await;
        })
    }
}

macro_rules! each {
    ($open:expr, $stream:ident => $body:expr) => {
        match $open {
            Open::Plain($stream) => $body,
            #[cfg(feature = "tls")]
            Open::Tls($stream) => $body,
        }
    };
}

impl Open {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        each!(self, stream => Pin::new(stream.as_mut()).poll_ready(cx))
    }

    /// The TCP connection underneath.
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream.get_ref(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_ref().get_ref().0,
        }
    }

    fn start_send(&mut self, message: Message) -> Result<(), WsError> {
        each!(self, stream => stream.start_send_unpin(message))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        each!(self, stream => Pin::new(stream.as_mut()).poll_flush(cx))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WsError>> {
        each!(self, stream => Pin::new(stream.as_mut()).poll_close(cx))
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, WsError>>> {
        each!(self, stream => stream.poll_next_unpin(cx))
    }
}

async fn dial(request: Request, origin: Arc<Origin>) -> Result<Open, LinkEvent> {
    let stream = origin.connect(&request).await.map_err(closed)?;
    Ok(match stream {
        Stream::Plain(tcp) => Open::Plain(Box::new(shake(tcp, &request, &origin).await?)),
        #[cfg(feature = "tls")]
        Stream::Tls(tls) => Open::Tls(Box::new(shake(*tls, &request, &origin).await?)),
    })
}

fn closed(error: Error) -> LinkEvent {
    LinkEvent::Closed(Some(error))
}

async fn shake<S: Io>(stream: S, request: &Request, origin: &Origin) -> Result<WebSocketStream<S>, LinkEvent> {
    let upgrade = upgrade(request, origin).map_err(closed)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(origin.max_message))
        .max_frame_size(Some(origin.max_message));
    // Boxed: its state is large and needed for a moment only.
    let shaken = Box::pin(tokio_tungstenite::client_async_with_config(
        upgrade,
        stream,
        Some(config),
    ))
    .await;
    match shaken {
        Ok((stream, answer)) => {
            origin.heard(request, answer.headers());
            // The session goes on here.
            origin.pool.clear();
            Ok(stream)
        }
        Err(WsError::Http(refusal)) => {
            let (head, body) = refusal.into_parts();
            origin.heard(request, &head.headers);
            let body = body.unwrap_or_default().into();
            Err(LinkEvent::Response(response(head.status, &head.headers, body)))
        }
        Err(error @ (WsError::Io(_) | WsError::HttpFormat(_))) => Err(closed(failure(&error))),
        Err(other) => {
            let text = ["it did not answer as a WebSocket server does: ", &other.to_string()].concat();
            Err(closed(Error::Handshake(text.into())))
        }
    }
}

fn upgrade(request: &Request, origin: &Origin) -> Result<Upgrade, Error> {
    let scheme = if request.secure { "wss://" } else { "ws://" };
    let uri = [scheme, &request.authority, &request.target].concat();
    let mut upgrade = uri
        .into_client_request()
        .map_err(|error| Error::InvalidUrl(error.to_string().into()))?;
    origin.dress(request, upgrade.headers_mut());
    Ok(upgrade)
}

/// Says what went wrong without giving tungstenite's types away.
fn failure(error: &WsError) -> Error {
    match error {
        WsError::Io(error) => unreachable(error),
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Error::Unreachable("the connection was reset".into())
        }
        WsError::Capacity(CapacityError::MessageTooLong { .. }) => Error::protocol("a message over the limit"),
        WsError::HttpFormat(error) => Error::Handshake(error.to_string().into()),
        other => Error::Protocol(other.to_string().into()),
    }
}
