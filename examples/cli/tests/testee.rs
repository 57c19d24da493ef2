//! The testee's own promises: how it answers what makes no sense, and how it ends. What the client does is the
//! conformance suite's.
#![allow(clippy::unwrap_used)]

mod program;

use std::time::Duration;

use program::Program;
use rejoin_server::{Server, ServerConfig};
use serde_json::{Value, json};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn create(options: Value) -> Value {
    json!({ "id": 1, "op": "create", "client": "a", "url": NOWHERE, "options": options })
}

async fn code(testee: &mut Program, command: Value) -> Value {
    let answer = testee.ask(&command.to_string()).await;
    assert_eq!(answer["ok"], json!(false), "{command} was taken");
    assert_eq!(answer["re"], command["id"]);
    assert!(answer["error"]["message"].is_string(), "{answer}");
    answer["error"]["code"].clone()
}

#[tokio::test]
async fn a_line_that_is_no_command_is_answered_and_the_program_goes_on() {
    let mut testee = Program::start(&["testee"]);
    for line in ["{not json", "[]", "12", "null", "{}", r#"{"op":7}"#] {
        let answer = testee.ask(line).await;
        assert_eq!((&answer["re"], &answer["ok"]), (&Value::Null, &json!(false)), "{line}");
        assert_eq!(answer["error"]["kind"], "invalidPayload", "{line}");
    }
    let answer = testee.ask(r#"{"id":"x","op":"fly"}"#).await;
    assert_eq!((&answer["re"], &answer["ok"]), (&json!("x"), &json!(false)));
    assert!(answer["error"]["message"].as_str().unwrap().contains("fly"));
    testee.take(&create(json!({})).to_string()).await;
}

#[tokio::test]
async fn an_option_that_is_unknown_or_of_the_wrong_kind_makes_no_client() {
    let mut testee = Program::start(&["testee"]);
    for options in [
        json!({ "recnonect": {} }),
        json!({ "queue": { "capacity": "many" } }),
        json!({ "path": 1 }),
        json!({ "transports": [] }),
        json!({ "transports": ["polling", "polling"] }),
        json!({ "transports": ["polling"], "protocol": "json" }),
    ] {
        assert_eq!(code(&mut testee, create(options)).await, 1002);
    }
    assert_eq!(
        code(&mut testee, json!({ "id": 2, "op": "connect", "client": "a" })).await,
        1003
    );
}

#[tokio::test]
async fn what_the_client_cannot_do_is_unsupported() {
    let mut testee = Program::start(&["testee"]);
    let typing = json!({ "chat": false, "typing": { "autoStop": 100 } });
    assert_eq!(code(&mut testee, create(typing)).await, 1005);
    testee.take(&create(json!({ "account": "u1" })).to_string()).await;
    // A store is a client's, with all its namespaces.
    let of =
        json!({ "id": 2, "op": "create", "client": "b", "of": "a", "options": { "queue": { "store": "folder" } } });
    assert_eq!(code(&mut testee, of).await, 1005);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_makes_no_client() {
    let mut testee = Program::start(&["testee"]);
    let options = json!({ "queue": { "store": "/dev/null/outbox" } });
    assert_eq!(code(&mut testee, create(options)).await, 5001);
    testee.take(&create(json!({})).to_string()).await;
}

#[tokio::test]
async fn the_chat_layer_is_there_on_every_namespace_unless_it_is_not_wanted() {
    let mut testee = Program::start(&["testee"]);
    testee
        .take(&create(json!({ "namespace": "/chat", "typing": { "autoStop": 100 } })).to_string())
        .await;
    let call = json!({ "id": 2, "op": "call", "client": "a", "method": "sendPrivateMessage", "args": ["u2", "hi"] });
    testee.take(&call.to_string()).await;
    let generic = create(json!({ "chat": false })).to_string();
    testee.take(&generic.replace("\"a\"", "\"b\"")).await;
    let call = call.to_string().replace("\"a\"", "\"b\"");
    assert_eq!(testee.ask(&call).await["error"]["code"], 1005);
}

#[tokio::test]
async fn a_command_for_nobody_or_with_a_field_missing_is_refused() {
    let mut testee = Program::start(&["testee"]);
    testee.take(&create(json!({})).to_string()).await;
    for command in [
        json!({ "id": 2, "op": "connect", "client": "nobody" }),
        json!({ "id": 2, "op": "emit", "client": "a" }),
        json!({ "id": 2, "op": "emit", "client": "a", "event": "x", "args": 1 }),
        json!({ "id": 2, "op": "emit", "client": "a", "event": "x", "args": [{ "$binary": "?" }] }),
        json!({ "id": 2, "op": "reply", "client": "a", "ack": 1, "args": [] }),
        json!({ "id": 2, "op": "cancel", "client": "a", "receipt": 1 }),
        json!({ "id": 2, "op": "token", "client": "a", "token": 1 }),
        json!({ "id": 2, "op": "hint", "client": "a", "hint": "asleep" }),
        json!({ "id": 2, "op": "create", "client": "a", "url": NOWHERE }),
        json!({ "id": 2, "op": "create", "client": "b" }),
        json!({ "id": 2, "op": "call", "client": "a", "method": "joinRoom", "args": [1] }),
        json!({ "id": 2, "op": "call", "client": "a", "method": "joinRoom", "args": ["r", null, "more"] }),
        json!({ "id": 2, "op": "call", "client": "a", "method": "sendGameMove", "args": ["g"] }),
        json!({ "id": 2, "op": "call", "client": "a", "method": "markNotificationsRead", "args": [["n", 1]] }),
    ] {
        assert_eq!(code(&mut testee, command).await, 1003);
    }
}

#[tokio::test]
async fn an_emit_is_answered_before_its_outcome_and_an_outcome_has_the_answers_number() {
    let mut testee = Program::start(&["testee"]);
    testee.take(&create(json!({})).to_string()).await;
    let emit = json!({ "id": 2, "op": "emit", "client": "a", "event": "x", "volatile": true });
    let answer = testee.take(&emit.to_string()).await;
    let outcome = testee.next_line().await;
    assert_eq!(
        outcome,
        json!({ "client": "a", "receipt": answer["receipt"], "outcome": "dropped" })
    );
}

#[tokio::test]
async fn an_acknowledgement_is_asked_for_by_ack_and_not_by_its_timeout() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    let token = server.mint_token("u1", "Alice", Duration::from_secs(60));
    let mut testee = Program::start(&["testee"]);
    // One delay of the two is given: the other one's default may well be on the wrong side of it.
    let options = json!({ "token": token, "reconnect": { "maxDelay": 200 } });
    let create = json!({ "id": 1, "op": "create", "client": "a", "url": server.url(), "options": options });
    testee.take(&create.to_string()).await;
    let emit = r#"{"id":2,"op":"emit","client":"a","event":"x","ack":null,"timeout":5000}"#;
    testee.take(emit).await;
    testee.take(r#"{"id":3,"op":"connect","client":"a"}"#).await;
    testee.wait_for(r#""outcome":"sent""#).await;
}

#[tokio::test]
async fn exit_closes_every_client_and_leaves_no_emit_without_an_outcome() {
    let server = Server::start(ServerConfig::default()).await.unwrap();
    let token = server.mint_token("u1", "Alice", Duration::from_secs(60));
    for by_command in [true, false] {
        let mut testee = Program::start(&["testee"]);
        let options = json!({ "token": token });
        let create = json!({ "id": 1, "op": "create", "client": "a", "url": server.url(), "options": options });
        testee.take(&create.to_string()).await;
        testee
            .take(&self::create(json!({})).to_string().replace("\"a\"", "\"b\""))
            .await;
        testee.take(r#"{"id":2,"op":"emit","client":"b","event":"x"}"#).await;
        testee.take(r#"{"id":3,"op":"connect","client":"a"}"#).await;
        testee.wait_for(r#""state":"connected""#).await;
        if by_command {
            testee.take(r#"{"id":4,"op":"exit"}"#).await;
        } else {
            testee.close_input();
        }
        let ended = testee.ended().await;
        assert_eq!(ended.status, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(r#""outcome":"rejected""#), "{ended:?}");
        assert!(ended.stdout.contains(r#"{"client":"a","state":"closed""#), "{ended:?}");
    }
}
