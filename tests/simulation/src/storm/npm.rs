//! socket.io-client's reconnection, written anew from what its documentation and its behaviour say (4.8).
//!
//! `reconnectionDelay` 1 s, `reconnectionDelayMax` 5 s, `randomizationFactor` 0.5, `timeout` 20 s: its defaults. The delay
//! doubles with every attempt and is jittered by up to half in either direction; *then* it is cut off at the maximum. From
//! the fifth attempt on even the shortest draw is beyond it, so that each delay is 5 s sharp: who came together once comes
//! together for ever. A draw decides by its first decimal place whether it lengthens (odd) or shortens (even).

use std::time::Duration;

use rejoin::core::rng::Rng;

use super::client::{Act, Client, Input, Wire};

const MIN_MS: f64 = 1_000.0;
const MAX_MS: f64 = 5_000.0;
const JITTER: f64 = 0.5;

/// How long opening an Engine.IO session may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// One client with socket.io's formula. It makes one connection an attempt, as with `transports: ["websocket"]`.
pub(super) struct Npm {
    rng: Rng,
    /// Failed attempts since a session was open last.
    attempts: i32,
    /// The newest connection.
    wire: Wire,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Opening,
    Joining,
    Connected,
}

impl Npm {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            attempts: 0,
            wire: 0,
            phase: Phase::Waiting,
        }
    }

    fn dial(&mut self, now: Duration, acts: &mut Vec<Act>) {
        self.wire += 1;
        self.phase = Phase::Opening;
        acts.extend([Act::Dial(self.wire), Act::Wake(Some(now + TIMEOUT))]);
    }

    fn try_later(&mut self, now: Duration, acts: &mut Vec<Act>) {
        self.phase = Phase::Waiting;
        let delay = delay(self.attempts, self.rng.fraction());
        self.attempts = self.attempts.saturating_add(1);
        acts.push(Act::Wake(Some(now + delay)));
    }
}

impl Client for Npm {
    fn handle(&mut self, now: Duration, input: Input, acts: &mut Vec<Act>) {
        match (input, self.phase) {
            (Input::Begin, _) | (Input::Due, Phase::Waiting) => self.dial(now, acts),
            (Input::Due, Phase::Opening) => {
                acts.push(Act::Hangup(self.wire));
                self.try_later(now, acts);
            }
            (Input::Opened(wire), Phase::Opening) => {
                self.phase = Phase::Joining;
                self.attempts = 0;
                acts.extend([Act::Join(wire), Act::Wake(None)]);
            }
            (Input::Accepted(_), Phase::Joining) => self.phase = Phase::Connected,
            // It knows no `Retry-After`.
            (Input::Ended(..), _) => self.try_later(now, acts),
            _ => {}
        }
    }

    fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }
}

/// The delay before attempt `n`, counted from 0, for a draw from [0, 1).
fn delay(n: i32, draw: f64) -> Duration {
    let grown = MIN_MS * 2_f64.powi(n.min(1_000));
    let deviation = (draw * JITTER * grown).floor();
    let is_longer = (draw * 10.0).floor() % 2.0 == 1.0;
    let jittered = if is_longer {
        grown + deviation
    } else {
        grown - deviation
    };
    Duration::from_millis(jittered.min(MAX_MS) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socketio_jitters_before_it_cuts_off_so_that_the_fifth_delay_is_5_s_sharp() {
        let range = |n| {
            let draws = (0..10_000).map(|step| delay(n, f64::from(step) / 10_000.0).as_millis());
            draws.fold((u128::MAX, 0), |(low, high), ms| (low.min(ms), high.max(ms)))
        };
        assert_eq!(range(0), (551, 1_499), "draws of 0.8999 and 0.9999");
        assert_eq!(range(3), (4_401, 5_000));
        for n in [4, 5, 100, i32::MAX] {
            assert_eq!(range(n), (5_000, 5_000), "attempt {n}");
        }
    }
}
