//! The delay before the next attempt to connect.

use std::time::Duration;

use super::rng::Rng;
use crate::config::BackoffConfig;

/// No server can ask for a longer delay.
const LONGEST_TOLD: Duration = Duration::from_secs(300);

/// The delay before attempt `n`, counted from 0: `min(max, initial * multiplier^n)`, then jittered.
///
/// One expression that is right at any `n`: `powi` saturates to infinity, and `min` takes the cap then. Jitter comes
/// after the cap; a jitter that ends at the cap brings all clients of a long outage back in the same instant.
pub fn delay(config: &BackoffConfig, n: u32, rng: &mut Rng) -> Duration {
    let grown = config.initial.as_secs_f64() * config.multiplier.powi(n.min(i32::MAX as u32) as i32);
    let capped = grown.min(config.max.as_secs_f64());
    let factor = if config.jitter { 0.5 + rng.fraction() / 2.0 } else { 1.0 };
    seconds(capped * factor)
}

/// The delay that a server asked for: at most 5 min, and a draw from [0, max] longer, so that not all of its clients come
/// back in the same instant.
pub(crate) fn told(config: &BackoffConfig, after: Duration, rng: &mut Rng) -> Duration {
    after.min(LONGEST_TOLD) + seconds(config.max.as_secs_f64() * rng.fraction())
}

/// To the nearest nanosecond, and at most 584 years.
fn seconds(seconds: f64) -> Duration {
    Duration::from_nanos((seconds * 1e9 + 0.5) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> BackoffConfig {
        BackoffConfig {
            jitter: false,
            ..BackoffConfig::default()
        }
    }

    #[test]
    fn delays_double_to_the_cap_and_stay_there_for_ever() {
        let mut rng = Rng::new(1);
        let seconds: Vec<u64> = (0..5).map(|n| delay(&plain(), n, &mut rng).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
        for n in [31, 32, 63, 64, 1_000, 1 << 30, u32::MAX] {
            assert_eq!(delay(&plain(), n, &mut rng), Duration::from_secs(5), "attempt {n}");
        }
    }

    #[test]
    fn jitter_is_as_wide_at_the_cap_as_before_it() {
        let mut rng = Rng::new(7);
        let config = BackoffConfig::default();
        for n in [0, 3, 1_000_000] {
            let base = delay(&plain(), n, &mut rng).as_secs_f64();
            let draws: Vec<f64> = (0..2_000)
                .map(|_| delay(&config, n, &mut rng).as_secs_f64() / base)
                .collect();
            assert!(draws.iter().all(|factor| (0.5..=1.0).contains(factor)));
            let (low, high) = draws
                .iter()
                .fold((1.0_f64, 0.5_f64), |(l, h), d| (l.min(*d), h.max(*d)));
            assert!(low < 0.51 && high > 0.99, "attempt {n}: {low}..{high}");
        }
    }
}
