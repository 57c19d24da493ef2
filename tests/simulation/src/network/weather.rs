//! What the network is like for a person, at a time.

use std::time::Duration;

use super::link::{Course, Fate};
use crate::rng::Rng;

/// What becomes of a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dials {
    #[default]
    Open,
    Refused,
    /// Nobody ever answers.
    Swallowed,
}

/// The network of one person.
#[derive(Debug, Clone)]
pub(crate) struct Weather {
    pub(crate) dials: Dials,
    /// One way, in microseconds: at least, and how much more.
    pub(crate) latency: (u64, u64),
    /// How long the system takes for a frame, in microseconds at most.
    pub(crate) writing: u64,
    /// In so many of a hundred cases a link is going to be cut at a frame.
    pub(crate) cuts: u64,
    /// And in so many it is going to be silent from a frame on.
    pub(crate) mutes: u64,
    /// And in so many its dial fails.
    pub(crate) misses: u64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            dials: Dials::Open,
            latency: (5_000, 20_000),
            writing: 200,
            cuts: 0,
            mutes: 0,
            misses: 0,
        }
    }
}

impl Weather {
    pub(super) fn latency(&self, rng: &mut Rng) -> Duration {
        let (least, more) = self.latency;
        Duration::from_micros(least + rng.below(more + 1))
    }

    pub(super) fn writing(&self, rng: &mut Rng) -> Duration {
        Duration::from_micros(rng.below(self.writing + 1))
    }

    /// What is going to happen to a link that is dialled now.
    pub(super) fn fate(&self, rng: &mut Rng) -> Fate {
        let mut fate = Fate {
            dials: self.dials,
            up: Course::default(),
            down: Course::default(),
        };
        if fate.dials == Dials::Open && rng.chance(self.misses) {
            fate.dials = *rng.pick(&[Dials::Refused, Dials::Refused, Dials::Swallowed]);
        }
        // Early frames matter most: opening, CONNECT, greeting, rooms, the queue.
        let frame = |rng: &mut Rng| match rng.below(3) {
            0 => rng.below(6),
            1 => rng.below(20),
            _ => rng.below(60),
        };
        if rng.chance(self.cuts) {
            let cut = Some((frame(rng), rng.chance(50)));
            match rng.chance(50) {
                true => fate.up.cut_at = cut,
                false => fate.down.cut_at = cut,
            }
        }
        if rng.chance(self.mutes) {
            let from = Some(frame(rng));
            match rng.below(4) {
                0 => fate.up.mute_at = from,
                1 => fate.down.mute_at = from,
                _ => (fate.up.mute_at, fate.down.mute_at) = (from, from),
            }
        }
        fate
    }
}
