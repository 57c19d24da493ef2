//! Who the client says it is: a value, a provider, and a server that refuses.

use rejoin_interop::{NodeServer, Testee, options};
use serde_json::json;

#[tokio::test]
async fn an_auth_object_arrives_as_it_is() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    let auth = json!({ "user": "u1", "roles": ["a", { "b": null }], "name": "Zoë \"Z\"" });
    testee
        .create("a", &server.url(), options(json!({ "auth": auth.clone() })))
        .await;
    testee.connected("a").await;
    assert_eq!(server.wait_join("/").await["auth"], auth);
}

#[tokio::test]
async fn a_token_opens_the_door_that_a_wrong_one_does_not() {
    let server = NodeServer::start(json!({ "token": "sesame" })).await;
    let testee = Testee::start();
    testee
        .create("right", &server.url(), options(json!({ "token": "sesame" })))
        .await;
    testee.connected("right").await;
    assert_eq!(server.wait_join("/").await["auth"], json!({ "token": "sesame" }));

    testee
        .create("wrong", &server.url(), options(json!({ "token": "open" })))
        .await;
    testee.connect("wrong").await;
    let failed = testee.wait_state("wrong", "failed").await;
    assert_eq!(failed["reason"], "connect error");
    assert_eq!(failed["error"]["code"], 3001, "{failed}");
    assert_eq!(failed["error"]["kind"], "refused");
    assert!(
        failed["error"]["message"]
            .as_str()
            .is_some_and(|said| said.contains("not on the list")),
        "{failed}"
    );

    // A value does not get better by being sent again; and the link is not kept for nothing.
    server.wait_open_links(1).await;
    assert_eq!(server.refusals(), 1);
    assert_eq!(testee.states("wrong"), ["connecting", "failed"]);
}

#[tokio::test]
async fn a_provider_is_asked_anew_for_each_connection() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), options(json!({ "provider": true })))
        .await;
    testee.token("a", "first").await;
    testee.connected("a").await;
    assert_eq!(server.wait_join("/").await["auth"], json!({ "token": "first" }));

    testee.token("a", "second").await;
    server.disconnect_clients(true).await;
    assert_eq!(server.wait_join("/").await["auth"], json!({ "token": "second" }));
    testee.wait_state("a", "connected").await;
}

#[tokio::test]
async fn a_provider_may_answer_late() {
    let server = NodeServer::start(json!({ "token": "late" })).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), options(json!({ "provider": true })))
        .await;
    testee.connect("a").await;
    testee.wait_state("a", "connecting").await;
    assert_eq!(testee.state("a").await["state"], "connecting");

    testee.token("a", "late").await;
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.states("a"), ["connecting", "connected"]);
}

#[tokio::test]
async fn a_provider_that_never_answers_is_within_the_connect_timeout() {
    let server = NodeServer::start(json!({})).await;
    let testee = Testee::start();
    testee
        .create(
            "a",
            &server.url(),
            options(json!({ "provider": true, "connectTimeout": 150 })),
        )
        .await;
    testee.connect("a").await;
    assert_eq!(testee.wait_state("a", "waiting").await["reason"], "connect timeout");
    testee.wait_state("a", "connecting").await;

    testee.token("a", "at last").await;
    testee.wait_state("a", "connected").await;
    assert_eq!(server.wait_join("/").await["auth"], json!({ "token": "at last" }));
}

#[tokio::test]
async fn a_provider_is_asked_once_more_after_a_refusal_and_on_the_same_link() {
    let server = NodeServer::start(json!({ "token": "fresh" })).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), options(json!({ "provider": true })))
        .await;
    testee.token("a", "stale").await;
    testee.connect("a").await;
    let first = server.wait_refusal("/").await;
    let second = server.wait_refusal("/").await;
    assert_eq!(first["link"], second["link"]);
    assert_eq!(testee.wait_state("a", "failed").await["error"]["code"], 3001);
    server.wait_open_links(0).await;
    assert_eq!(server.refusals(), 2);

    testee.token("a", "fresh").await;
    testee.connected("a").await;
}

#[tokio::test]
async fn a_refusal_for_a_time_is_waited_out() {
    let server =
        NodeServer::start(json!({ "refuse": { "times": 1, "message": "too busy", "data": { "retryAfterMs": 300 } } }))
            .await;
    let testee = Testee::start();
    testee.create("a", &server.url(), options(json!({}))).await;
    testee.connect("a").await;
    let waiting = testee.wait_state("a", "waiting").await;
    assert!(waiting["retryIn"].as_u64().is_some_and(|wait| wait >= 300), "{waiting}");
    testee.wait_state("a", "connected").await;

    let times = (server.wait_refusal("/").await, server.wait_join("/").await);
    let waited = times.1["at"]
        .as_f64()
        .zip(times.0["at"].as_f64())
        .map(|(join, refusal)| join - refusal);
    assert!(waited.is_some_and(|waited| waited >= 299.0), "{waited:?}");
}

#[tokio::test]
async fn each_namespace_shows_its_auth() {
    let server = NodeServer::start(json!({ "namespaces": ["/news"], "token": "sesame" })).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), options(json!({ "token": "sesame" })))
        .await;
    testee.create_of("news", "a", "/news").await;
    testee.connected("a").await;
    testee.connected("news").await;
    assert_eq!(server.wait_join("/news").await["auth"], json!({ "token": "sesame" }));
}
