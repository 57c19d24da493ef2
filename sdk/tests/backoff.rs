//! The delay schedule against the `backoff` crate's, an implementation that none of us wrote.
//!
//! The oracle multiplies the delay before by the multiplier and cuts it to whole nanoseconds each time, so that it drifts
//! from the formula; the schedules here are those in which the drift stays under a millisecond.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use rejoin::BackoffConfig;
use rejoin::core::backoff::delay;
use rejoin::core::rng::Rng;

#[test]
fn without_jitter_every_delay_is_the_oracles_to_a_millisecond() {
    for (initial, max, multiplier) in [
        (1000, 5000, 2.0),
        (100, 60_000, 1.5),
        (250, 250, 3.0),
        (500, 600_000, 1.1),
        (700, 9000, 1.0),
    ] {
        let mut config = BackoffConfig::default();
        config.initial = Duration::from_millis(initial);
        config.max = Duration::from_millis(max);
        config.multiplier = multiplier;
        config.jitter = false;
        let mut oracle = ExponentialBackoff {
            current_interval: config.initial,
            initial_interval: config.initial,
            randomization_factor: 0.0,
            multiplier,
            max_interval: config.max,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        for n in 0..500 {
            let expected = oracle.next_backoff().expect("it has no end");
            let ours = delay(&config, n, &mut Rng::new(0));
            let apart = expected.abs_diff(ours);
            assert!(
                apart <= Duration::from_millis(1),
                "attempt {n}: {ours:?}, the oracle {expected:?}"
            );
        }
    }
}
