//! What the links of one client share. All of them go to the same server.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use hyper::{HeaderMap, StatusCode};

use super::super::LinkOptions;
use super::cookies::Jar;
use super::http::Pool;
use super::stream::Stream;
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::{clock, date, tcp};
use crate::core::{Request, Response};
use crate::error::Error;

/// Headers that say how a message is framed, which only the transport knows.
const OURS: [&str; 8] = [
    "connection",
    "content-length",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-version",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// How long a connection for long-polling is kept without being used.
const IDLE: Duration = Duration::from_secs(20);

pub(super) struct Origin {
    /// The largest message that is read, in bytes.
    pub(super) max_message: usize,
    /// The longest body of a response, in bytes.
    pub(super) max_body: usize,
    /// Connections that wait for the next request.
    pub(super) pool: Pool,
    /// The app's.
    headers: HeaderMap,
    /// None: no cookies are kept.
    jar: Option<Mutex<Jar>>,
    #[cfg(feature = "tls")]
    tls: Tls,
}

impl Origin {
    /// Checks what the app gave.
    pub(super) fn new(options: LinkOptions) -> Result<Self, Error> {
        #[cfg(not(feature = "tls"))]
        if options.ca_pem.is_some() {
            return Err(Error::Unsupported("`ca_pem` needs the Cargo feature `tls`".into()));
        }
        Ok(Self {
            max_message: options.max_message,
            max_body: options.max_body(),
            pool: Pool::new(IDLE),
            headers: headers(&options.headers)?,
            jar: options.with_credentials.then(Mutex::default),
            #[cfg(feature = "tls")]
            tls: Tls::new(options.ca_pem)?,
        })
    }

    /// A new connection to the server.
    pub(super) async fn connect(&self, request: &Request) -> Result<Stream, Error> {
        let tcp = tcp::connect(&request.host, request.port)
            .await
            .map_err(|error| unreachable(&error))?;
        // Without this an emit that follows another within a millisecond waits 40 ms for the first one's TCP ACK.
        tcp.set_nodelay(true).map_err(|error| unreachable(&error))?;
        if !request.secure {
            return Ok(Stream::Plain(tcp));
        }
        #[cfg(feature = "tls")]
        {
            let tls = self.tls.connect(&request.host, tcp).await?;
            Ok(Stream::Tls(Box::new(tls)))
        }
        #[cfg(not(feature = "tls"))]
        Err(Error::Unsupported(
            "wss:// and https:// need the Cargo feature `tls`".into(),
        ))
    }

    /// Adds the app's headers and the cookies. What the app names replaces what is there.
    pub(super) fn dress(&self, request: &Request, headers: &mut HeaderMap) {
        headers.extend(self.headers.clone());
        if let Some(jar) = &self.jar {
            let mut jar = jar.lock().unwrap_or_else(PoisonError::into_inner);
            // One header for both, as servers expect it.
            let given: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
            let mut line = given.join(&b"; "[..]);
            jar.write(clock::now().unix_ms, &request.target, request.secure, &mut line);
            if let Ok(mut value) = HeaderValue::try_from(line)
                && !value.is_empty()
            {
                value.set_sensitive(true);
                headers.insert(COOKIE, value);
            }
        }
    }

    /// Keeps the cookies that the server set.
    pub(super) fn heard(&self, request: &Request, headers: &HeaderMap) {
        if let Some(jar) = &self.jar {
            let mut jar = jar.lock().unwrap_or_else(PoisonError::into_inner);
            for line in headers.get_all(SET_COOKIE) {
                jar.set(clock::now().unix_ms, &request.target, line.as_bytes());
            }
        }
    }
}

/// The answer as the core takes it.
pub(super) fn response(status: StatusCode, headers: &HeaderMap, body: Bytes) -> Response {
    Response {
        status: status.as_u16(),
        retry_after: date::retry_after(headers, clock::now().unix_ms),
        body,
    }
}

/// The system's words for a connection that could not be made or broke.
pub(super) fn unreachable(error: &std::io::Error) -> Error {
    Error::Unreachable(error.to_string().into())
}

/// Whether every header can be sent, and their form for that.
fn headers(given: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let bad = |what: &str, why: &str| Error::option("headers", [what, " of `", name, "` ", why].concat());
        let parsed = HeaderName::try_from(name).map_err(|_| bad("the name", "cannot be used in HTTP"))?;
        if OURS.contains(&parsed.as_str()) {
            return Err(bad("the value", "is for the client alone to choose"));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| bad("the value", "cannot be used in HTTP"))?;
        // Most are credentials.
        value.set_sensitive(true);
        headers.append(parsed, value);
    }
    Ok(headers)
}
