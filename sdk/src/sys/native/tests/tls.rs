//! HTTP over TLS.

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{HandshakeKind, ServerConfig};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;

/// A root, and a server of `localhost` whose certificate that root has signed.
fn server() -> (String, TlsAcceptor) {
    let root_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &Issuer::new(params, root_key))
        .unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
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

async fn secure(network: &Network, acceptor: &TlsAcceptor) -> Peer<TlsStream<TcpStream>> {
    let tcp = within(network.listener.accept()).await.unwrap().0;
    Peer(BufReader::new(within(acceptor.accept(tcp)).await.unwrap()))
}

fn request(network: &Network) -> Request {
    let mut request = network.request(Method::Get);
    request.secure = true;
    request.host = "localhost".into();
    request
}

#[tokio::test]
async fn exchanges_go_over_tls_and_the_next_connection_resumes_the_session() {
    let (root, acceptor) = server();
    let mut options = options();
    options.ca_pem = Some(root);
    let network = Network::new(options).await;
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let get = tokio::spawn(outcome(network.dialer.open(request(&network))));
        let mut peer = secure(&network, &acceptor).await;
        peer.hear().await;
        assert_eq!(peer.0.get_ref().get_ref().1.handshake_kind(), Some(kind));
        peer.say_ok("6").await;
        assert_eq!(response(within(get).await.unwrap()).body, "6");
        // The next one uses the same connection, which then ends.
        let get = tokio::spawn(outcome(network.dialer.open(request(&network))));
        peer.hear().await;
        peer.say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n6")
            .await;
        assert_eq!(response(within(get).await.unwrap()).body, "6");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused() {
    let (_, acceptor) = server();
    let network = Network::new(options()).await;
    let get = tokio::spawn(outcome(network.dialer.open(request(&network))));
    let tcp = within(network.listener.accept()).await.unwrap().0;
    assert!(within(acceptor.accept(tcp)).await.is_err());
    let failed = error(within(get).await.unwrap());
    assert!(matches!(failed, Error::Tls(_)), "{failed:?}");
}
