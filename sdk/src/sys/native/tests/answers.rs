//! What a server may answer.

use super::*;

#[tokio::test]
async fn a_get_and_a_post_say_what_they_are() {
    let mut options = options();
    options.headers = vec![("X-Trace".into(), "1".into()), ("x-trace".into(), "2".into())];
    let network = Network::new(options).await;
    let get = tokio::spawn(outcome(network.get()));
    let mut peer = network.accept().await;
    let (head, body) = peer.hear().await;
    assert!(head.starts_with("GET /socket.io/?EIO=4 HTTP/1.1\r\n"), "{head}");
    assert_eq!(
        header(&head, "host"),
        Some(network.request(Method::Get).authority.as_str())
    );
    assert_eq!(header(&head, "accept"), Some("*/*"));
    assert_eq!(header(&head, "content-length"), None);
    assert!(head.contains("x-trace: 1\r\nx-trace: 2\r\n"), "{head}");
    assert_eq!(body, "");
    peer.say_ok("0{}").await;
    let answer = response(within(get).await.unwrap());
    assert_eq!(
        (answer.status, &answer.body[..], answer.retry_after),
        (200, &b"0{}"[..], None)
    );

    let post = tokio::spawn(outcome(network.post("4\u{e9}")));
    let (head, body) = peer.hear().await;
    assert!(head.starts_with("POST /socket.io/?EIO=4 HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(&head, "content-type"), Some("text/plain;charset=UTF-8"));
    assert_eq!(body, "4\u{e9}");
    peer.say_ok("ok").await;
    assert_eq!(response(within(post).await.unwrap()).body, "ok");
}

#[tokio::test]
async fn the_apps_headers_replace_the_clients_own() {
    let mut options = options();
    options.headers = vec![
        ("Host".into(), "chat.example".into()),
        ("Accept".into(), "text/plain".into()),
    ];
    let network = Network::new(options).await;
    for method in [Method::Get, Method::WebSocket] {
        let _wire = tokio::spawn(outcome(network.open(method)));
        let (head, _) = network.accept().await.hear().await;
        assert_eq!(header(&head, "host"), Some("chat.example"));
        assert_eq!(head.matches("chat.example").count(), 1);
        assert_eq!(header(&head, "accept"), Some("text/plain"));
    }
}

#[test]
fn headers_that_frame_a_message_are_refused() {
    for name in [
        "Content-Length",
        "Transfer-Encoding",
        "Upgrade",
        "Sec-WebSocket-Key",
        "a b",
    ] {
        let mut options = options();
        options.headers = vec![(name.into(), "1".into())];
        let refused = Origin::new(options).map(drop).unwrap_err();
        assert!(matches!(refused, Error::InvalidOption { .. }), "{name}: {refused:?}");
    }
}

#[tokio::test]
async fn redirects_and_refusals_are_handed_over_as_they_are() {
    let network = Network::new(options()).await;
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(response(network.answer(redirect).await).status, 302);
    let html = b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 15\r\n\r\n<h1>nginx</h1>\n";
    let answer = response(network.answer(html).await);
    assert_eq!((answer.status, &answer.body[..]), (502, &b"<h1>nginx</h1>\n"[..]));
}

#[tokio::test]
async fn bodies_come_by_length_in_chunks_or_until_the_end() {
    let network = Network::new(options()).await;
    let by_length = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n4abc";
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n4\r\n3;x=y\r\nabc\r\n0\r\nt: 1\r\n\r\n";
    let to_the_end = b"HTTP/1.0 200 OK\r\n\r\n4abc";
    let after_a_hint = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n4abc";
    for bytes in [&by_length[..], &chunked[..], &to_the_end[..], &after_a_hint[..]] {
        assert_eq!(response(network.answer(bytes).await).body, "4abc");
    }
    let none = b"HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(response(network.answer(none).await).body, "");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_comes() {
    let mut options = options();
    options.max_message = 10;
    let network = Network::new(options).await;
    let fits = format!("HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{}", "x".repeat(40));
    assert_eq!(response(network.answer(fits.as_bytes()).await).body.len(), 40);
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: 41\r\n\r\n{}", "x".repeat(41));
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n29\r\n{}\r\n0\r\n\r\n",
        "x".repeat(41)
    );
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(1 << 20));
    for bytes in [announced, chunked, endless] {
        let refused = error(network.answer(bytes.as_bytes()).await);
        assert_eq!(refused, Error::protocol("an HTTP response over the limit"));
    }
}

#[tokio::test]
async fn garbage_is_told_from_a_connection_that_breaks() {
    let network = Network::new(options()).await;
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(101));
    let long = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(70_000));
    for garbage in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "<html><body>hello</body></html>",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        &many,
        &long,
    ] {
        let failed = error(network.answer(garbage.as_bytes()).await);
        let Error::Handshake(text) = &failed else {
            panic!("{garbage:.60}: {failed:?}");
        };
        assert!(text.starts_with("it did not answer as an HTTP server does: "), "{text}");
    }
    for half in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n4abc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n4abc",
    ] {
        let failed = error(network.answer(half.as_bytes()).await);
        assert!(matches!(failed, Error::Unreachable(_)), "{half}: {failed:?}");
    }
}

#[tokio::test]
async fn retry_after_is_told() {
    let network = Network::new(options()).await;
    let seconds = b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let date = b"HTTP/1.1 429 Slow\r\ndate: Sun, 06 Nov 1994 08:49:30 GMT\r\n\
        retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 0\r\n\r\n";
    for bytes in [&seconds[..], &date[..]] {
        assert_eq!(
            response(network.answer(bytes).await).retry_after,
            Some(Duration::from_secs(7))
        );
    }
}

#[tokio::test]
async fn a_websocket_that_the_server_refuses_is_an_answer() {
    let network = Network::new(options()).await;
    let refused = tokio::spawn(outcome(network.open(Method::WebSocket)));
    let mut peer = network.accept().await;
    let (head, _) = peer.hear().await;
    assert_eq!(header(&head, "upgrade"), Some("websocket"));
    peer.say("HTTP/1.1 503 Busy\r\nretry-after: 3\r\ncontent-length: 4\r\n\r\nfull")
        .await;
    let answer = response(within(refused).await.unwrap());
    assert_eq!((answer.status, answer.retry_after), (503, Some(Duration::from_secs(3))));
    assert_eq!(answer.body, "full");
}
