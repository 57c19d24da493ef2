//! Clocks, memory, and the statistics of a handful of rounds.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::alloc;
use crate::workload::Sample;

/// Both clocks at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch {
    cpu: Duration,
    wall: Duration,
}

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        // The kernel's sum of user and system time of all threads, in nanoseconds: what `getrusage` rounds.
        Self {
            cpu: read(ClockId::ProcessCPUTime),
            wall: read(ClockId::Monotonic),
        }
    }

    /// What has passed since the start, as the sample of `count` messages.
    pub(crate) fn stop(self, count: u64) -> Sample {
        let end = Self::start();
        Sample {
            count,
            cpu_ns: nanos(end.cpu.saturating_sub(self.cpu)),
            wall_ns: nanos(end.wall.saturating_sub(self.wall)),
            ..Sample::default()
        }
    }
}

fn read(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Heap and resident set at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    heap: i64,
    rss: i64,
}

impl Memory {
    /// As it is now.
    pub(crate) fn now() -> Self {
        Self {
            heap: alloc::live(),
            rss: resident(),
        }
    }

    /// What was added since, as the sample of `count` connections.
    pub(crate) fn growth(self, count: u64) -> Sample {
        let now = Self::now();
        Sample {
            count,
            heap: now.heap - self.heap,
            rss: now.rss - self.rss,
            ..Sample::default()
        }
    }
}

/// The resident set in bytes; 0 where `/proc` is not there.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<i64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Allows as many open files as the system lets this process have: 1,000 connections pass the usual 1,024.
pub(crate) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Refused, the run itself fails with a clear error from the system.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}

/// Keeps this process on one core, so that the scheduler's choice does not differ between rounds.
pub(crate) fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    // Refused (a container with other cores), the process runs where it likes.
    let _ = sched_setaffinity(None, &set);
}

/// The median of some values and how far they spread.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) lower_quartile: f64,
    pub(crate) median: f64,
    pub(crate) upper_quartile: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let position = share * (values.len() - 1) as f64;
            let below = position.floor() as usize;
            let above = position.ceil() as usize;
            values[below] + (values[above] - values[below]) * position.fract()
        };
        (!values.is_empty()).then(|| Self {
            min: at(0.0),
            lower_quartile: at(0.25),
            median: at(0.5),
            upper_quartile: at(0.75),
            max: at(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_spread_interpolates_between_neighbours() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]).expect("four values");
        assert_eq!(
            (
                spread.min,
                spread.lower_quartile,
                spread.median,
                spread.upper_quartile,
                spread.max
            ),
            (1.0, 1.75, 2.5, 3.25, 4.0)
        );
    }

    #[test]
    fn nothing_has_no_spread() {
        assert!(Spread::of(Vec::new()).is_none());
    }
}
