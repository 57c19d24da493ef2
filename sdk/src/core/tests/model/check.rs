//! What the client promises: at every step, and once the network is quiet.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::world::World;
use super::{ROOMS, Step};
use crate::core::Happening;
use crate::error::Error;
use crate::receipt::Outcome;
use crate::state::{Reason, State, StateChange};

/// What the app heard.
#[derive(Debug, Default)]
pub(super) struct Heard {
    state: Option<State>,
    /// From when on no living link has an excuse.
    pub(super) calm_from: Option<Duration>,
    /// The server's numbered events.
    told: Vec<u64>,
}

/// Which state may follow which.
fn follows(before: State, change: &StateChange) -> bool {
    use State::{Closed, Connected, Connecting, Failed, Idle, Offline, Paused, Waiting};
    match (before, change.state) {
        // The user wants it, or its time has come; or the token is new and it joins once more.
        (_, Connecting) => true,
        (Connecting, Connected) => true,
        // The user does not want it any more.
        (Idle | Connecting | Connected | Waiting { .. } | Offline | Paused | Failed, Closed) => true,
        // The link is lost, or the attempt has failed; or the platform lets it go on, and the server does not yet.
        (Connecting | Connected | Offline | Paused, Waiting { .. }) => true,
        // The platform holds it back, or changes its mind why.
        (Connecting | Connected | Waiting { .. } | Paused, Offline) => true,
        (Connecting | Connected | Waiting { .. } | Offline, Paused) => true,
        // The server does not want it.
        (Connecting | Connected, Failed) => true,
        _ => false,
    }
}

impl World {
    /// Takes note of what the app was told.
    pub(super) fn note_events(&mut self) {
        for (_, happening) in self.pair.events.drain(..) {
            match happening {
                Happening::State(change) => {
                    let before = self.heard.state.replace(change.state).unwrap_or(State::Idle);
                    assert_eq!(change.previous, before);
                    assert!(follows(before, &change), "{before:?} to {change:?}");
                    let connected = change.state == State::Connected;
                    assert_eq!(change.transport.is_some(), connected, "{change:?}");
                    assert!(!change.recovered || connected && self.server.recovers, "{change:?}");
                    if change.reason == Some(Reason::PingTimeout) {
                        let calm = self.heard.calm_from.is_some_and(|from| from < self.pair.now.mono);
                        assert!(!calm, "a link that lives is given up");
                    }
                    if change.state == State::Failed {
                        assert!(
                            matches!(change.reason, Some(Reason::Replaced | Reason::Banned)),
                            "{change:?}"
                        );
                    }
                }
                Happening::Message { name, payload, .. } if &*name == "told" => {
                    let json = payload.to_json();
                    let digits = json.chars().skip_while(|char| !char.is_ascii_digit());
                    let digits: String = digits.take_while(char::is_ascii_digit).collect();
                    self.heard.told.push(digits.parse().unwrap());
                }
                _ => {}
            }
        }
        let state = self.pair.state();
        if matches!(state, State::Connecting | State::Connected | State::Waiting { .. }) {
            assert!(self.pair.wake.is_some(), "{state:?}, and nothing would end it");
        }
    }

    /// What the client promises once the network is quiet.
    pub(super) fn check(&mut self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.pair.state(), State::Connected);
        let pending = self.pair.core.pending(self.pair.socket);
        prop_assert!(pending.is_empty(), "{:?}", pending);
        prop_assert!(self.pair.core.is_writable(self.pair.socket));
        prop_assert!(self.net.wires.len() <= 2, "{:?}", self.net.wires);
        let session = &self.server.sessions[&self.current().unwrap()];
        prop_assert!(session.joined);
        prop_assert!(!session.typing, "a typing_stop was lost");
        for (room, wanted) in ROOMS.iter().zip(self.wishes) {
            prop_assert_eq!(session.rooms.contains(*room), wanted, "in room {}", room);
        }
        for receipt in &self.others {
            prop_assert!(receipt.outcome().is_some(), "message {} has no outcome", receipt.id());
        }
        self.check_order()?;
        self.check_outcomes()?;
        self.check_heard()
    }

    fn check_order(&self) -> Result<(), TestCaseError> {
        let mut last = BTreeMap::new();
        for (lane, n) in &self.server.taken {
            let sent = self.sent.iter().find(|(other, _)| other == n);
            if sent.is_some_and(|(_, receipt)| matches!(receipt.outcome(), Some(Outcome::Delivered(_)))) {
                let before = last.insert(lane, n);
                prop_assert!(
                    before.is_none_or(|before| before < n),
                    "lane {:?}: {:?} then {}",
                    lane,
                    before,
                    n
                );
            }
        }
        Ok(())
    }

    fn check_outcomes(&self) -> Result<(), TestCaseError> {
        for (n, receipt) in &self.sent {
            let handed = self.handed.contains(receipt.message_id().unwrap());
            let taken = self.server.taken.iter().filter(|(_, other)| other == n).count();
            let outcome = receipt.outcome();
            let right = match &outcome {
                Some(Outcome::Delivered(_)) => taken == 1,
                Some(Outcome::Rejected(Error::Server { .. })) => taken == 0 && !self.welcome.contains(n),
                Some(Outcome::Rejected(_)) => taken == 0,
                // A batch behind one that a closed link never finished counts as written.
                Some(Outcome::Unconfirmed(_)) => taken <= 1,
                Some(Outcome::Dropped | Outcome::Cancelled | Outcome::Expired) => !handed,
                Some(Outcome::Sent) | None => false,
            };
            prop_assert!(
                right,
                "message {}: {:?}, handed over {}, taken {}",
                n,
                outcome,
                handed,
                taken
            );
        }
        Ok(())
    }

    /// The app heard the server's events in order and once. Of each session, however many links carried it, it heard them
    /// from the first to the last that got through; of the one that lives, all.
    fn check_heard(&self) -> Result<(), TestCaseError> {
        let (told, since) = (&self.heard.told, &self.server.since);
        prop_assert!(told.is_sorted_by(|a, b| a < b), "{:?}", told);
        let ends = since.iter().skip(1).copied().chain([self.server.told]);
        for (from, to) in since.iter().copied().zip(ends) {
            let heard: Vec<_> = told.iter().copied().filter(|n| (from..to).contains(n)).collect();
            let expected: Vec<_> = (from..to).take(heard.len()).collect();
            prop_assert_eq!(&heard, &expected, "of {}..{}", from, to);
            prop_assert!(
                Some(&from) != since.last() || heard.len() as u64 == to - from,
                "{:?} of {}..{}",
                heard,
                from,
                to
            );
        }
        Ok(())
    }

    /// The user leaves: after the time for last words nothing is left.
    pub(super) fn check_end(&mut self) -> Result<(), TestCaseError> {
        self.run(&Step::Disconnect);
        self.run(&Step::Sleep(1_500));
        prop_assert_eq!(self.pair.state(), State::Closed);
        prop_assert!(self.net.wires.is_empty(), "{:?}", self.net.wires);
        prop_assert_eq!(self.pair.wake, None);
        Ok(())
    }
}
