//! Connections that are kept, given up, and closed.

use super::*;

/// Whether nobody connects while `work` goes on.
async fn alone<T>(network: &Network, work: impl Future<Output = T>) -> T {
    futures::pin_mut!(work);
    let accepted = network.listener.accept();
    futures::pin_mut!(accepted);
    match within(futures::future::select(work, accepted)).await {
        futures::future::Either::Left((done, _)) => done,
        futures::future::Either::Right(_) => panic!("another connection was made"),
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let network = Network::new(options()).await;
    let first = tokio::spawn(outcome(network.get()));
    let mut peer = network.accept().await;
    peer.hear().await;
    peer.say_ok("1").await;
    response(within(first).await.unwrap());
    let body = "x".repeat(300_000);
    let by_length = format!("content-length: 300000\r\n\r\n{body}");
    let chunked = format!("transfer-encoding: chunked\r\n\r\n493e0\r\n{body}\r\n0\r\n\r\n");
    alone(&network, async {
        for framed in [by_length, chunked] {
            for wire in [network.get(), network.post("3")] {
                let server = async {
                    peer.hear().await;
                    // In two parts, so that the end comes alone.
                    let answer = format!("HTTP/1.1 200 OK\r\n{framed}");
                    let (begin, end) = answer.split_at(answer.len() - 2);
                    peer.say(begin).await;
                    tokio::task::yield_now().await;
                    peer.say(end).await;
                };
                let (event, ()) = futures::join!(outcome(wire), server);
                assert_eq!(response(event).body, body);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_exchange_that_breaks_off_ends_what_is_kept() {
    let network = Network::new(options()).await;
    for closing in [false, true] {
        let (first, second) = (
            tokio::spawn(outcome(network.get())),
            tokio::spawn(outcome(network.post("2"))),
        );
        let mut peers = [network.accept().await, network.accept().await];
        for peer in &mut peers {
            peer.hear().await;
            peer.say_ok("1").await;
        }
        response(within(first).await.unwrap());
        response(within(second).await.unwrap());
        let mut wire = network.get();
        let [one, other] = &mut peers;
        tokio::select! {
            _ = one.hear() => {}
            _ = other.hear() => {}
            event = next(&mut wire) => panic!("{event:?}"),
        }
        if closing {
            within(wire.close()).await;
        } else {
            drop(wire);
        }
        one.closed().await;
        other.closed().await;
    }
}

#[tokio::test]
async fn once_a_websocket_is_open_no_connection_is_kept() {
    let network = Network::new(options()).await;
    let get = tokio::spawn(outcome(network.get()));
    let mut kept = network.accept().await;
    kept.hear().await;
    kept.say_ok("0").await;
    response(within(get).await.unwrap());
    let upgrade = tokio::spawn(outcome(network.open(Method::WebSocket)));
    let mut peer = network.accept().await;
    let (head, _) = peer.hear().await;
    peer.say_upgraded(&head, "").await;
    kept.closed().await;
    upgrade.abort();
}

#[tokio::test]
async fn a_get_that_waits_and_a_post_have_a_connection_each_and_no_more_are_kept() {
    let network = Network::new(options()).await;
    let mut peers = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(tokio::spawn(outcome(network.get())));
        let mut peer = network.accept().await;
        peer.hear().await;
        peers.push(peer);
    }
    for (wire, peer) in waiting.into_iter().zip(&mut peers) {
        peer.say_ok("6").await;
        response(within(wire).await.unwrap());
    }
    peers[0].closed().await;
    drop(network);
    peers[1].closed().await;
    peers[2].closed().await;
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let mut network = Network::new(options()).await;
    Arc::get_mut(&mut network.dialer.origin).unwrap().pool = http::Pool::new(Duration::from_millis(20));
    // Twice: whoever waits for the first one's time is there for the second one's too.
    for _ in 0..2 {
        let get = tokio::spawn(outcome(network.get()));
        let mut peer = network.accept().await;
        peer.hear().await;
        peer.say_ok("6").await;
        response(within(get).await.unwrap());
        peer.closed().await;
    }
}

#[tokio::test]
async fn a_server_that_wants_no_more_requests_gets_none() {
    let network = Network::new(options()).await;
    let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n6";
    let early = b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n6";
    for bytes in [&answer[..], &early[..]] {
        let get = tokio::spawn(outcome(network.get()));
        let mut peer = network.accept().await;
        peer.hear().await;
        peer.say(bytes).await;
        response(within(get).await.unwrap());
        peer.closed().await;
    }
}

#[tokio::test]
async fn a_request_on_a_connection_that_the_server_closed_meanwhile_is_made_on_a_new_one() {
    let network = Network::new(options()).await;
    for method in [Method::Get, Method::Post(Bytes::from_static(b"once"))] {
        let first = tokio::spawn(outcome(network.get()));
        let mut stale = network.accept().await;
        stale.hear().await;
        stale.say_ok("1").await;
        response(within(first).await.unwrap());
        within(stale.0.shutdown()).await.unwrap();
        let second = tokio::spawn(outcome(network.open(method)));
        let mut fresh = network.accept().await;
        fresh.hear().await;
        fresh
            .say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n2")
            .await;
        assert_eq!(response(within(second).await.unwrap()).body, "2");
        stale.closed().await;
    }
}

#[tokio::test]
async fn a_post_that_may_have_arrived_is_not_made_again() {
    let network = Network::new(options()).await;
    let first = tokio::spawn(outcome(network.post("first")));
    let mut peer = network.accept().await;
    assert_eq!(peer.hear().await.1, "first");
    peer.say_ok("ok").await;
    response(within(first).await.unwrap());
    let second = tokio::spawn(outcome(network.post("second")));
    assert_eq!(peer.hear().await.1, "second");
    drop(peer);
    let failed = alone(&network, second).await.unwrap();
    assert!(matches!(error(failed), Error::Unreachable(_)));
}

#[tokio::test]
async fn a_get_that_is_dropped_or_closed_drops_its_connection() {
    let network = Network::new(options()).await;
    for closing in [false, true] {
        let mut wire = network.get();
        let server = async {
            let mut peer = network.accept().await;
            peer.hear().await;
            peer
        };
        let mut peer = tokio::select! {
            peer = server => peer,
            event = next(&mut wire) => panic!("{event:?}"),
        };
        if closing {
            within(wire.close()).await;
        } else {
            drop(wire);
        }
        peer.closed().await;
    }
}

#[tokio::test]
async fn a_post_that_is_closed_is_finished_first() {
    let network = Network::new(options()).await;
    let closing = tokio::spawn(network.post("goodbye").close());
    let mut peer = network.accept().await;
    assert_eq!(peer.hear().await.1, "goodbye");
    peer.say_ok("ok").await;
    within(closing).await.unwrap();
}

#[tokio::test]
async fn a_post_that_is_closed_waits_a_second_at_most() {
    let network = Network::new(options()).await;
    let closing = tokio::spawn(network.post("goodbye").close());
    let mut peer = network.accept().await;
    assert_eq!(peer.hear().await.1, "goodbye");
    tokio::time::timeout(Duration::from_secs(5), closing)
        .await
        .unwrap()
        .unwrap();
    peer.closed().await;
}

#[tokio::test]
async fn while_nothing_is_read_a_post_goes_on_and_a_get_waits() {
    let network = Network::new(options()).await;
    let mut get = network.get();
    // Begun, so that only its answer is missing.
    let mut peer = tokio::select! {
        event = next(&mut get) => panic!("{event:?}"),
        peer = async { let mut peer = network.accept().await; peer.hear().await; peer } => peer,
    };
    peer.say_ok("6").await;
    // A wire that had something to hand over would do it when it is woken.
    let unread = tokio::time::timeout(Duration::from_millis(100), poll_fn(|cx| get.poll_event(cx, false))).await;
    assert!(unread.is_err(), "{unread:?}");
    assert_eq!(response(next(&mut get).await).body, "6");
    let mut post = network.post("4");
    let server = async {
        peer.hear().await;
        peer.say_ok("ok").await;
    };
    let ((), event) = futures::join!(server, within(poll_fn(|cx| post.poll_event(cx, false))));
    assert_eq!(response(event).body, "ok");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let network = Network::new(options()).await;
    let request = network.request(Method::Get);
    let Network { dialer, listener, .. } = network;
    drop(listener);
    let failed = error(outcome(dialer.open(request)).await);
    assert!(matches!(failed, Error::Unreachable(_)), "{failed:?}");
}
