//! What holds of every testee at any time, whatever its case looks at.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

const OUTCOMES: [&str; 7] = [
    "delivered",
    "sent",
    "rejected",
    "unconfirmed",
    "expired",
    "dropped",
    "cancelled",
];
const REASONS: [&str; 14] = [
    "io server disconnect",
    "io client disconnect",
    "ping timeout",
    "transport close",
    "transport error",
    "parse error",
    "connect timeout",
    "connect error",
    "offline",
    "background",
    "replaced",
    "banned",
    "shutdown",
    "slowConsumer",
];
const ERRORS: [(u64, &str); 26] = [
    (1001, "invalidUrl"),
    (1002, "invalidOption"),
    (1003, "invalidPayload"),
    (1004, "closed"),
    (1005, "unsupported"),
    (2001, "unreachable"),
    (2002, "tls"),
    (2003, "connectTimeout"),
    (2004, "handshake"),
    (2005, "protocol"),
    (2006, "linkLost"),
    (2007, "slowConsumer"),
    (2008, "kicked"),
    (3001, "refused"),
    (3002, "authFailed"),
    (4001, "overloaded"),
    (4002, "ackTimeout"),
    (4003, "poison"),
    (4004, "server"),
    (4005, "rateLimited"),
    (4006, "roomRefused"),
    (5001, "store"),
    (5002, "storeBusy"),
    (5003, "storeDamaged"),
    (5004, "accountChanged"),
    (6001, "handler"),
];
const STATES: [&str; 8] = [
    "idle",
    "connecting",
    "connected",
    "waiting",
    "offline",
    "paused",
    "closed",
    "failed",
];

/// One sentence for each line that breaks a promise.
pub(crate) fn broken(lines: &[Value]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut resolved = HashSet::new();
    let mut states: HashMap<&str, &str> = HashMap::new();
    for line in lines {
        let client = line["client"].as_str().unwrap_or_default();
        if let Some(outcome) = line["outcome"].as_str() {
            if !OUTCOMES.contains(&outcome) {
                broken.push(format!("an unknown outcome: {line}"));
            }
            if !resolved.insert((client, line["receipt"].to_string())) {
                broken.push(format!("a second outcome of the same emit: {line}"));
            }
        }
        if let Some(state) = line["state"].as_str() {
            if !STATES.contains(&state) {
                broken.push(format!("an unknown state: {line}"));
            }
            let before = states.insert(client, state).unwrap_or("idle");
            if line["previous"] != before {
                broken.push(format!("a change that was left out, after {before}: {line}"));
            }
            if state == "waiting" && !line["retryIn"].is_u64() {
                broken.push(format!("waiting, and for how long is not said: {line}"));
            }
            if (state == "connected") != line["transport"].is_string() {
                broken.push(format!("a transport belongs to a connection: {line}"));
            }
            if !line["reason"].is_null() && !REASONS.iter().any(|reason| line["reason"] == *reason) {
                broken.push(format!("an unknown reason: {line}"));
            }
            if ["waiting", "failed"].contains(&state) && line["reason"].is_null() {
                broken.push(format!("a failure without a reason: {line}"));
            }
        }
        let error = &line["error"];
        let known = |(code, kind): &(u64, &str)| error["code"] == *code && error["kind"] == *kind;
        let complete = ERRORS.iter().any(known) && error["message"].is_string();
        if !error.is_null() && !complete {
            broken.push(format!("an error that the table does not have: {line}"));
        }
        if line["outcome"] == "unconfirmed" && error.is_null() {
            broken.push(format!("nobody knows what became of it, and not why: {line}"));
        }
        if line["outcome"] == "delivered" && !line["reply"].is_array() {
            broken.push(format!("an answer without its arguments: {line}"));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_second_outcome_of_one_emit_is_noticed() {
        let sent = json!({ "client": "a", "receipt": 1, "outcome": "sent" });
        let other = json!({ "client": "b", "receipt": 1, "outcome": "sent" });
        assert_eq!(broken(&[sent.clone(), other]), Vec::<String>::new());
        assert_eq!(broken(&[sent.clone(), sent]).len(), 1);
    }

    #[test]
    fn a_change_of_state_that_was_left_out_is_noticed() {
        let connecting = json!({ "client": "a", "state": "connecting", "previous": "idle" });
        let connected =
            json!({ "client": "a", "state": "connected", "previous": "connecting", "transport": "polling" });
        assert_eq!(broken(&[connecting, connected.clone()]), Vec::<String>::new());
        assert_eq!(broken(&[connected]).len(), 1);
    }

    #[test]
    fn a_wait_without_its_length_is_noticed() {
        let waiting = json!({ "client": "a", "state": "waiting", "previous": "idle", "reason": "offline" });
        assert_eq!(broken(&[waiting]).len(), 1);
    }

    #[test]
    fn what_no_table_has_is_noticed() {
        for line in [
            json!({ "state": "failed", "previous": "idle", "reason": "bad luck" }),
            json!({ "state": "failed", "previous": "idle" }),
            json!({ "state": "connected", "previous": "idle" }),
            json!({ "re": 1, "ok": false, "error": { "code": 2001, "kind": "tls", "message": "no" } }),
            json!({ "receipt": 1, "outcome": "unconfirmed" }),
            json!({ "receipt": 1, "outcome": "delivered" }),
            json!({ "receipt": 1, "outcome": "lost" }),
        ] {
            assert_eq!(broken(std::slice::from_ref(&line)).len(), 1, "{line}");
        }
    }
}
