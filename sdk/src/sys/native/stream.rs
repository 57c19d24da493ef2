//! One TCP connection, plain or with TLS, as tokio and hyper want it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How much is read at once for hyper.
const CHUNK: usize = 8 << 10;

/// TCP or TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

macro_rules! each {
    ($stream:expr, $inner:ident => $body:expr) => {
        match $stream {
            Stream::Plain($inner) => $body,
            #[cfg(feature = "tls")]
            Stream::Tls($inner) => $body,
        }
    };
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut target: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // Copied, because hyper's buffer cannot be advanced in safe code.
        let mut space = [0; CHUNK];
        let room = target.remaining().min(CHUNK);
        let mut buffer = ReadBuf::new(&mut space[..room]);
        ready!(each!(&mut *self, inner => Pin::new(inner).poll_read(cx, &mut buffer)))?;
        target.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(&mut *self, inner => Pin::new(inner).poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut *self, inner => Pin::new(inner).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(&mut *self, inner => Pin::new(inner).poll_shutdown(cx))
    }
}
