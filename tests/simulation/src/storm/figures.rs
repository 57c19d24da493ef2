//! What is measured of a storm.

use std::time::Duration;

/// The window in which arrivals are counted.
pub(super) const WINDOW: Duration = Duration::from_millis(100);

/// When the clients of one storm were back, counted from the server's return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrivals {
    clients: usize,
    /// In order. Who never came back is not in it.
    times: Vec<Duration>,
    /// Connections that reached the server from its return on.
    asked: u64,
}

impl Arrivals {
    pub(super) fn new(clients: usize, mut times: Vec<Duration>, asked: u64) -> Self {
        times.sort_unstable();
        Self { clients, times, asked }
    }

    /// The time by which this share of all clients was back; `None` is never.
    pub(super) fn percentile(&self, share: f64) -> Option<Duration> {
        let rank = (share * self.clients as f64).ceil() as usize;
        self.times.get(rank.saturating_sub(1)).copied()
    }

    /// The largest share of all clients that came within any [`WINDOW`].
    pub(super) fn largest_share(&self) -> f64 {
        self.fullest().1 as f64 / self.clients as f64
    }

    /// When the fullest [`WINDOW`] began.
    pub(super) fn fullest_from(&self) -> Option<Duration> {
        self.times.get(self.fullest().0).copied()
    }

    /// Who came first in the fullest [`WINDOW`], and how many came in it.
    fn fullest(&self) -> (usize, usize) {
        let (mut first, mut fullest) = (0, (0, 0));
        for (index, time) in self.times.iter().enumerate() {
            while *time - self.times[first] >= WINDOW {
                first += 1;
            }
            let count = index + 1 - first;
            if count > fullest.1 {
                fullest = (first, count);
            }
        }
        fullest
    }

    /// How often a client had to ask until it was taken, on average.
    pub(super) fn asked_each(&self) -> f64 {
        self.asked as f64 / self.clients as f64
    }

    /// Arrivals in each [`WINDOW`] from the return on.
    pub(super) fn histogram(&self) -> Vec<u32> {
        let mut counts = Vec::new();
        for time in &self.times {
            let slot = (time.as_nanos() / WINDOW.as_nanos()) as usize;
            counts.resize(counts.len().max(slot + 1), 0);
            counts[slot] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_count_whoever_never_came_back_and_let_the_window_slide() {
        let millis = Duration::from_millis;
        let times = [950, 60, 130, 159, 160, 300].map(millis).to_vec();
        let arrivals = Arrivals::new(10, times, 15);
        assert_eq!(arrivals.percentile(0.5), Some(millis(300)));
        assert_eq!(arrivals.percentile(0.6), Some(millis(950)));
        assert_eq!(arrivals.percentile(0.61), None, "four of ten are not back");
        assert_eq!(arrivals.largest_share(), 0.3, "60, 130 and 159, not 160");
        assert_eq!(arrivals.fullest_from(), Some(millis(60)));
        assert_eq!(arrivals.histogram(), [1, 3, 0, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!(arrivals.asked_each(), 1.5);
    }
}
