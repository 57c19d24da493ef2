//! TLS by rustls with ring.

use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Error;

/// How many tickets of earlier sessions are kept. A client has one server, and few connections.
const TICKETS: usize = 8;

/// What the connections of one client share, so that a session can be resumed.
pub(super) struct Tls {
    ca_pem: Option<String>,
    /// Made when it is first needed: a client of `http` never does.
    config: OnceLock<Result<Arc<ClientConfig>, Error>>,
}

impl Tls {
    /// Checks the roots that the app gave.
    pub(super) fn new(ca_pem: Option<String>) -> Result<Self, Error> {
        let tls = Self {
            ca_pem,
            config: OnceLock::new(),
        };
        if tls.ca_pem.is_some() {
            tls.config()?;
        }
        Ok(tls)
    }

    /// Speaks TLS over `tcp`, and checks that the other side is `host`.
    pub(super) async fn connect(&self, host: &str, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| Error::Tls(error.to_string().into()))?;
        let connected = Box::pin(TlsConnector::from(self.config()?).connect(name, tcp)).await;
        connected.map_err(|error| failure(&error))
    }

    fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let made = self.config.get_or_init(|| config(self.ca_pem.as_deref()).map(Arc::new));
        made.clone()
    }
}

fn failure(error: &std::io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            Error::Tls("the other side speaks no TLS; check the port, or use http or ws".into())
        }
        Some(tls @ rustls::Error::InvalidCertificate(_)) => {
            let text = [
                &tls.to_string(),
                "; check the address, or add the certificate's root with `ca_pem`",
            ]
            .concat();
            Error::Tls(text.into())
        }
        Some(tls) => Error::Tls(tls.to_string().into()),
        None => super::origin::unreachable(error),
    }
}

fn config(ca_pem: Option<&str>) -> Result<ClientConfig, Error> {
    let roots = match ca_pem {
        Some(pem) => added_roots(pem)?,
        None => RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    };
    // Named here, so that another crate's choice of a default provider cannot change this one's.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(error.to_string().into()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(TICKETS);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn added_roots(pem: &str) -> Result<RootCertStore, Error> {
    let unreadable = |reason: String| Error::option("ca_pem", reason);
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("it holds no certificate in PEM form".to_owned()));
    }
    Ok(roots)
}
