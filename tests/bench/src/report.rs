//! From samples to ratios, and the table of them beside the design's goals.

use std::fmt::{self, Display};

use serde::Serialize;
use serde_json::{Value, json};

use crate::machine::Machine;
use crate::measure::Spread;
use crate::rounds::Cores;
use crate::workload::{ClientKind, Sample, Workload};

/// What one run of one client came to.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) round: u32,
    pub(crate) workload: Workload,
    pub(crate) client: ClientKind,
    pub(crate) sample: Option<Sample>,
    pub(crate) error: Option<String>,
}

/// All samples, and on what they were taken.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    machine: Machine,
}

/// One column of the samples.
#[derive(Clone, Copy, Debug)]
struct Metric {
    workload: Workload,
    name: &'static str,
    unit: &'static str,
    value: fn(&Sample) -> f64,
    /// The design's aim for rejoin.
    goal: Goal,
}

#[derive(Clone, Copy, Debug)]
enum Goal {
    /// At most this share of the bare socket's.
    Ratio(f64),
    /// At most this much of `unit`.
    Absolute(f64),
}

const METRICS: [Metric; 8] = {
    const CPU: fn(&Sample) -> f64 = |s| s.cpu_ns as f64 / s.count as f64 / 1e3;
    const WALL: fn(&Sample) -> f64 = |s| s.wall_ns as f64 / s.count as f64 / 1e3;
    const fn metric(workload: Workload, name: &'static str, value: fn(&Sample) -> f64, goal: Goal) -> Metric {
        Metric {
            workload,
            name,
            unit: "µs",
            value,
            goal,
        }
    }
    [
        metric(Workload::Emit, "CPU per message emitted", CPU, Goal::Ratio(0.35)),
        metric(
            Workload::Receive,
            "CPU per message received, typed handler",
            CPU,
            Goal::Ratio(1.0),
        ),
        metric(
            Workload::RoundTrip,
            "CPU per acknowledged round trip",
            CPU,
            Goal::Ratio(1.1),
        ),
        metric(Workload::RoundTrip, "wall time of a round trip", WALL, Goal::Ratio(1.1)),
        metric(Workload::Connect, "CPU per connection", CPU, Goal::Ratio(1.15)),
        metric(
            Workload::Connect,
            "wall time to a connected namespace",
            WALL,
            Goal::Ratio(1.15),
        ),
        Metric {
            workload: Workload::Idle,
            name: "heap of an idle connection",
            unit: "KiB",
            value: |s| s.heap as f64 / s.count as f64 / 1024.0,
            goal: Goal::Absolute(12.0),
        },
        Metric {
            workload: Workload::Idle,
            name: "resident memory of an idle connection",
            unit: "KiB",
            value: |s| s.rss as f64 / s.count as f64 / 1024.0,
            goal: Goal::Absolute(12.0),
        },
    ]
};

impl Report {
    pub(crate) fn new(rounds: u32, placement: Cores) -> Self {
        Self {
            rows: Vec::new(),
            machine: Machine::here(rounds, placement),
        }
    }

    /// Everything, for other programs.
    pub(crate) fn to_json(&self) -> Value {
        let metrics: Vec<Value> = self.metrics().map(|metric| self.metric_json(metric)).collect();
        json!({ "machine": self.machine, "metrics": metrics, "samples": self.rows })
    }

    fn metric_json(&self, metric: &Metric) -> Value {
        let clients: Vec<Value> = metric
            .workload
            .clients()
            .iter()
            .map(|&client| {
                json!({
                    "client": client,
                    "value": Spread::of(self.values(metric, client)),
                    "ratio": Spread::of(self.ratios(metric, client)),
                })
            })
            .collect();
        let (ratio, absolute) = match metric.goal {
            Goal::Ratio(most) => (Some(most), None),
            Goal::Absolute(most) => (None, Some(most)),
        };
        json!({
            "workload": metric.workload, "name": metric.name, "unit": metric.unit,
            "goal_ratio": ratio, "goal_value": absolute, "clients": clients,
        })
    }

    /// Those of the workloads that were run.
    fn metrics(&self) -> impl Iterator<Item = &'static Metric> {
        METRICS
            .iter()
            .filter(|metric| self.rows.iter().any(|row| row.workload == metric.workload))
    }

    fn values(&self, metric: &Metric, client: ClientKind) -> Vec<f64> {
        self.samples(metric, client)
            .map(|(_, sample)| (metric.value)(sample))
            .collect()
    }

    /// Each round's value divided by the bare socket's of that round.
    fn ratios(&self, metric: &Metric, client: ClientKind) -> Vec<f64> {
        self.samples(metric, client)
            .filter_map(|(round, sample)| {
                let mut bare = self.samples(metric, ClientKind::Bare);
                let (_, base) = bare.find(|(other, _)| *other == round)?;
                Some((metric.value)(sample) / (metric.value)(base))
            })
            .collect()
    }

    fn samples(&self, metric: &Metric, client: ClientKind) -> impl Iterator<Item = (u32, &Sample)> {
        let workload = metric.workload;
        self.rows
            .iter()
            .filter(move |row| row.workload == workload && row.client == client)
            .filter_map(|row| Some((row.round, row.sample.as_ref()?)))
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, metric: &Metric, client: ClientKind) -> fmt::Result {
        let values = Spread::of(self.values(metric, client));
        let (Some(value), Some(ratio)) = (values, Spread::of(self.ratios(metric, client))) else {
            return writeln!(f, "  {client:<14} no result");
        };
        write!(f, "  {client:<14} {:>9.3} {:<3}", value.median, metric.unit)?;
        write!(
            f,
            " {:>7.3}  [{:.3}, {:.3}]",
            ratio.median, ratio.lower_quartile, ratio.upper_quartile
        )?;
        write!(f, "  {:.3}..{:.3}", ratio.min, ratio.max)?;
        if client == ClientKind::Rejoin {
            let (measured, most, unit) = match metric.goal {
                Goal::Ratio(most) => (ratio.median, most, String::new()),
                Goal::Absolute(most) => (value.median, most, format!(" {}", metric.unit)),
            };
            let verdict = if measured <= most { "met" } else { "missed" };
            write!(f, "  goal ≤ {most}{unit}: {verdict}")?;
        }
        writeln!(f)
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        writeln!(
            f,
            "Columns: median; ratio to the bare socket of the same round: median [quartiles] min..max"
        )?;
        for metric in self.metrics() {
            writeln!(f, "\n{}", metric.name)?;
            for &client in metric.workload.clients() {
                self.line(f, metric, client)?;
            }
        }
        let failures = self.rows.iter().filter_map(|row| Some((row, row.error.as_ref()?)));
        for (number, (row, error)) in failures.enumerate() {
            let gap = if number == 0 { "\n" } else { "" };
            writeln!(
                f,
                "{gap}failed: {}, {}, round {}: {error}",
                row.workload,
                row.client,
                row.round + 1
            )?;
        }
        Ok(())
    }
}
