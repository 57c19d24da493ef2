//! Several namespaces over one link, each with settings and a life of its own; and credentials that are replaced.

use rejoin_interop::{NodeServer, Testee, merged, options};
use serde_json::{Value, json};

/// A client of `/`, and a server that lets in whoever has the token, if there is one.
async fn connected(token: Option<&str>, more: Value) -> (NodeServer, Testee) {
    let settings = json!({ "namespaces": ["/news", "/admin"] });
    let settings = match token {
        Some(token) => merged(settings, json!({ "token": token })),
        None => settings,
    };
    let server = NodeServer::start(settings).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), merged(options(json!({})), more))
        .await;
    testee.connected("a").await;
    (server, testee)
}

async fn create_of(testee: &Testee, client: &str, options: Value) {
    testee
        .command(json!({ "op": "create", "client": client, "of": "a", "options": options }))
        .await;
}

#[tokio::test]
async fn each_namespace_has_credentials_of_its_own() {
    let (server, testee) = connected(None, json!({ "token": "root" })).await;
    for (client, options, auth) in [
        (
            "news",
            json!({ "namespace": "/news", "token": "reader" }),
            json!({ "token": "reader" }),
        ),
        (
            "admin",
            json!({ "namespace": "/admin", "auth": { "key": [1, "ü"] } }),
            json!({ "key": [1, "ü"] }),
        ),
    ] {
        create_of(&testee, client, options).await;
        testee.connected(client).await;
        assert_eq!(server.wait_join(&format!("/{client}")).await["auth"], auth);
    }
    assert_eq!(server.wait_join("/").await["auth"], json!({ "token": "root" }));

    // And again after a reconnect, over one link.
    server.drop_links().await;
    for (client, namespace) in [("a", "/"), ("news", "/news"), ("admin", "/admin")] {
        testee.wait_state(client, "connected").await;
        assert_eq!(testee.request(client, "echo", json!([client])).await, [json!(client)]);
        server.wait_join(namespace).await;
    }
    assert_eq!(server.links(), 2);
}

#[tokio::test]
async fn each_namespace_has_a_provider_of_its_own() {
    let (server, testee) = connected(None, json!({})).await;
    create_of(&testee, "news", json!({ "namespace": "/news", "provider": true })).await;
    testee.connect("news").await;
    testee.wait_state("news", "connecting").await;
    // Nobody else waits for it.
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);
    testee.token("news", "late").await;
    testee.wait_state("news", "connected").await;
    assert_eq!(server.wait_join("/news").await["auth"], json!({ "token": "late" }));
}

#[tokio::test]
async fn each_namespace_has_a_queue_of_its_own() {
    let (_server, testee) = connected(None, json!({})).await;
    let small = json!({ "capacity": 2, "overflow": "reject" });
    create_of(
        &testee,
        "news",
        json!({ "namespace": "/news", "queue": small, "ackTimeout": 200 }),
    )
    .await;
    for n in 0..2 {
        testee.emit("news", "echo", json!([n])).await;
    }
    let third = json!({ "op": "emit", "client": "news", "event": "echo", "args": [2] });
    assert_eq!(testee.refused(third).await.code, 4001);
    assert_eq!(testee.pending("news").await, 2);
    assert_eq!(testee.pending("a").await, 0);

    testee.connected("news").await;
    let silent = testee
        .emit_with("news", "silence", json!([]), json!({ "ack": true }))
        .await;
    let outcome = testee.outcome("news", silent).await;
    assert_eq!(
        (outcome.name.as_str(), outcome.error.expect("why").code),
        ("unconfirmed", 4002)
    );
}

#[tokio::test]
async fn an_option_of_the_link_is_refused_for_a_namespace_and_so_is_an_unknown_one() {
    let (_server, testee) = connected(None, json!({})).await;
    for option in [
        json!({ "path": "/x" }),
        json!({ "transports": ["polling"] }),
        json!({ "reconnect": {} }),
        json!({ "requireTls": true }),
        json!({ "tokne": "x" }),
        json!({ "queue": { "size": 1 } }),
        json!({ "queue": { "capacity": 0 } }),
    ] {
        let options = merged(json!({ "namespace": "/news" }), option);
        let create = json!({ "op": "create", "client": "news", "of": "a", "options": options });
        assert_eq!(testee.refused(create).await.code, 1002, "{options}");
    }
    create_of(&testee, "news", json!({ "namespace": "/news" })).await;
}

#[tokio::test]
async fn a_new_token_joins_the_namespace_again_over_the_same_link() {
    let (server, testee) = connected(Some("one"), json!({ "token": "one" })).await;
    server.wait_join("/").await;
    server.admit(json!("two"), json!(null)).await;
    testee.token("a", "two").await;
    assert_eq!(server.wait_leave("/").await, "client namespace disconnect");
    let joined = server.wait_join("/").await;
    assert_eq!(
        (&joined["auth"], &joined["link"]),
        (&json!({ "token": "two" }), &json!(1))
    );
    testee.wait_state("a", "connecting").await;
    testee.wait_state("a", "connected").await;
    assert_eq!(
        testee.states("a"),
        ["connecting", "connected", "connecting", "connected"]
    );
    assert_eq!(testee.request("a", "echo", json!([1])).await, [json!(1)]);

    // What it was refused for is mended the same way.
    server.admit(json!("three"), json!(null)).await;
    testee.token("a", "stale").await;
    testee.wait_state("a", "failed").await;
    let queued = testee
        .emit_with("a", "echo", json!(["queued"]), json!({ "ack": true }))
        .await;
    testee.token("a", "three").await;
    testee.wait_state("a", "connected").await;
    assert_eq!(testee.outcome("a", queued).await.reply, [json!("queued")]);
}

#[tokio::test]
async fn a_namespace_can_be_left_and_joined_in_one_breath() {
    for transport in ["websocket", "polling"] {
        let (server, testee) = connected(None, json!({ "transports": [transport] })).await;
        create_of(&testee, "news", json!({ "namespace": "/news" })).await;
        testee.connected("news").await;
        for n in 0..3 {
            testee.disconnect("news").await;
            testee.connect("news").await;
            testee.wait_state("news", "connected").await;
            assert_eq!(testee.request("news", "echo", json!([n])).await, [json!(n)]);
        }
        assert_eq!(testee.states("a"), ["connecting", "connected"]);
        assert_eq!(server.links(), 1);
    }
}

#[tokio::test]
async fn a_new_token_of_the_client_is_for_every_namespace_without_one_of_its_own() {
    let (server, testee) = connected(None, json!({ "token": "one" })).await;
    create_of(&testee, "news", json!({ "namespace": "/news" })).await;
    create_of(&testee, "admin", json!({ "namespace": "/admin", "token": "own" })).await;
    for client in ["news", "admin"] {
        testee.connected(client).await;
    }
    for namespace in ["/", "/news", "/admin"] {
        server.wait_join(namespace).await;
    }
    testee.token("a", "two").await;
    for namespace in ["/", "/news"] {
        assert_eq!(server.wait_join(namespace).await["auth"], json!({ "token": "two" }));
    }
    testee.token("admin", "other").await;
    assert_eq!(server.wait_join("/admin").await["auth"], json!({ "token": "other" }));
    assert_eq!(server.links(), 1);
}

#[tokio::test]
async fn a_token_before_the_first_connection_is_the_one_that_is_used() {
    let server = NodeServer::start(json!({ "token": "two" })).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), options(json!({ "token": "one" })))
        .await;
    testee.token("a", "two").await;
    assert_eq!(testee.states("a"), [] as [&str; 0]);
    testee.connected("a").await;
    assert_eq!(server.refusals(), 0);
}

#[tokio::test]
async fn a_refusal_says_the_servers_message_and_data() {
    let server = NodeServer::start(json!({ "token": "sesame" })).await;
    let testee = Testee::start();
    testee
        .create("a", &server.url(), options(json!({ "token": "open" })))
        .await;
    testee.connect("a").await;
    let failed = testee.wait_state("a", "failed").await;
    let data = json!({ "code": "invalid_token", "given": "open" });
    assert_eq!(failed["error"]["data"], data, "{failed}");
}
