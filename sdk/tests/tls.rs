//! `wss` against a server with a certificate of its own.

#![cfg(feature = "typed")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests run on tokio and fail by panics"
)]
#![cfg(feature = "tls")]

mod support;

use std::sync::Arc;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rejoin::{Client, Error};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use support::{Peer, backoff, listen, until, within};
use tokio_rustls::TlsAcceptor;

/// A root, and a server whose certificate for `name` that root has signed.
fn server(name: &str) -> (String, TlsAcceptor) {
    let root_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(params, root_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    (root.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn a_server_whose_root_the_app_adds_is_trusted() {
    let (root, acceptor) = server("localhost");
    let (listener, address) = listen().await;
    let url = format!("wss://localhost:{}", address.port());
    let socket = Client::builder(url)
        .ca_pem(root)
        .require_tls(true)
        .build()
        .unwrap()
        .socket("/");
    let mut states = socket.states();
    socket.connect();
    let (tcp, _) = within(listener.accept()).await.unwrap();
    let mut peer = Peer::connected(within(acceptor.accept(tcp)).await.unwrap()).await;
    until(&mut states, "connected").await;
    let said = socket.emit("hello", (1,));
    assert_eq!(peer.hear().await, r#"42["hello",1]"#);
    assert_eq!(within(said).await, rejoin::Outcome::Sent);
}

#[tokio::test]
async fn a_wrong_certificate_is_refused() {
    let (root, localhost) = server("localhost");
    let (other_root, _) = server("localhost");
    let (elsewhere_root, elsewhere) = server("elsewhere.example");
    for (case, root, acceptor) in [
        ("no root added", None, localhost.clone()),
        ("another root", Some(other_root), localhost),
        ("another name", Some(elsewhere_root), elsewhere),
    ] {
        let (listener, address) = listen().await;
        let mut builder = Client::builder(format!("https://localhost:{}", address.port())).backoff(backoff());
        if let Some(root) = root {
            builder = builder.ca_pem(root);
        }
        let socket = builder.build().unwrap().socket("/");
        let mut states = socket.states();
        socket.connect();
        let server = tokio::spawn(async move {
            let (tcp, _) = listener.accept().await.unwrap();
            acceptor.accept(tcp).await.is_ok()
        });
        let change = until(&mut states, "waiting").await;
        assert!(matches!(change.error, Some(Error::Tls(_))), "{case}: {change:?}");
        assert!(
            !within(server).await.unwrap(),
            "{case}: the server believes in a connection"
        );
    }
    drop(root);
}
