//! Cookies over all that a client does.

use super::*;

fn with_credentials() -> LinkOptions {
    LinkOptions {
        with_credentials: true,
        ..options()
    }
}

/// A GET to a server that sets a cookie; what it was sent.
async fn exchange(network: &Network, set: &str) -> Option<String> {
    let server = async {
        let mut peer = network.accept().await;
        let (head, _) = peer.hear().await;
        peer.say(format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n{set}content-length: 0\r\n\r\n"
        ))
        .await;
        head
    };
    let (head, event) = futures::join!(server, outcome(network.get()));
    assert_eq!(response(event).status, 200);
    header(&head, "cookie").map(str::to_owned)
}

#[tokio::test]
async fn what_the_server_set_comes_back_with_requests_and_with_the_upgrade() {
    let network = Network::new(with_credentials()).await;
    let set = "set-cookie: node=a; Path=/; HttpOnly\r\nset-cookie: io=s; Path=/socket.io\r\n";
    assert_eq!(exchange(&network, set).await, None);
    assert_eq!(exchange(&network, "").await.as_deref(), Some("io=s; node=a"));

    // A refusal of the upgrade sets another, and so does the upgrade itself.
    let upgrade = tokio::spawn(outcome(network.open(Method::WebSocket)));
    let mut peer = network.accept().await;
    let (head, _) = peer.hear().await;
    assert_eq!(header(&head, "cookie"), Some("io=s; node=a"));
    peer.say("HTTP/1.1 502 No\r\nset-cookie: node=b; Path=/\r\ncontent-length: 0\r\n\r\n")
        .await;
    assert_eq!(response(within(upgrade).await.unwrap()).status, 502);
    assert_eq!(exchange(&network, "").await.as_deref(), Some("io=s; node=b"));

    let wire = tokio::spawn(outcome(network.open(Method::WebSocket)));
    let mut peer = network.accept().await;
    let (head, _) = peer.hear().await;
    peer.say_upgraded(&head, "set-cookie: node=c; Path=/\r\n").await;
    // A frame, by which the client is open.
    peer.say([0x81, 1, b'0']).await;
    within(wire).await.unwrap();
    assert_eq!(exchange(&network, "").await.as_deref(), Some("io=s; node=c"));
}

#[tokio::test]
async fn the_apps_own_cookie_stays_in_one_line_with_them() {
    let mut options = with_credentials();
    options.headers = vec![("Cookie".into(), "mine=1".into()), ("cookie".into(), "too=2".into())];
    let network = Network::new(options).await;
    exchange(&network, "set-cookie: io=s\r\n").await;
    assert_eq!(exchange(&network, "").await.as_deref(), Some("mine=1; too=2; io=s"));
}

#[tokio::test]
async fn without_credentials_no_cookie_is_kept() {
    let network = Network::new(options()).await;
    exchange(&network, "set-cookie: io=s\r\n").await;
    assert_eq!(exchange(&network, "").await, None);
}
