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
        let connected = json!({ "client": "a", "state": "connected", "previous": "connecting" });
        assert_eq!(broken(&[connecting, connected.clone()]), Vec::<String>::new());
        assert_eq!(broken(&[connected]).len(), 1);
    }

    #[test]
    fn a_wait_without_its_length_is_noticed() {
        let waiting = json!({ "client": "a", "state": "waiting", "previous": "idle", "retryIn": null });
        assert_eq!(broken(&[waiting]).len(), 1);
    }
}
