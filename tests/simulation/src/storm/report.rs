//! Figures beside the aims, as a table.

use std::fmt;
use std::time::Duration;

use super::figures::Arrivals;
use super::scenario::{Both, IDEAL, Scenario, Storm};

/// What was measured at one server.
#[derive(Debug)]
pub(super) struct Section {
    title: String,
    pub(super) figures: Vec<Figure>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Figure {
    name: &'static str,
    pub(super) rejoin: f64,
    pub(super) npm: f64,
    unit: Unit,
    /// What ours may be at most.
    most: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    Seconds,
    /// A share, shown in percent.
    Share,
    Number,
}

impl Section {
    /// A server that takes all at once.
    pub(super) fn all_at_once(both: &Both) -> Self {
        Self {
            title: "A server that takes all at once".to_owned(),
            figures: vec![
                back(both, "half are back after", 0.5).at_most(2.0),
                back(both, "99 % are back after", 0.99).at_most(5.0),
                back(both, "all are back after", 1.0),
                share(both).at_most(0.03),
                fullest(both),
            ],
        }
    }

    /// A server with a limit.
    pub(super) fn limited(storm: &Storm, both: &Both) -> Self {
        let rate = grouped(storm.per_second());
        Self {
            title: format!("A server that takes {rate} a second: {IDEAL} s for all of them"),
            figures: vec![
                back(both, "half are back after", 0.5),
                back(both, "99 % are back after", 0.99),
                back(both, "all are back after", 1.0),
                over_ideal(both).at_most(1.1),
                share(both),
                asked(both),
            ],
        }
    }

    /// Another, without an aim.
    pub(super) fn variant(scenario: &Scenario, both: &Both) -> Self {
        let mut figures = vec![
            back(both, "half are back after", 0.5),
            back(both, "99 % are back after", 0.99),
            share(both),
            fullest(both),
        ];
        if scenario.is_limited() {
            figures.extend([over_ideal(both), asked(both)]);
        }
        Self {
            title: format!("Variant: {}", scenario.name),
            figures,
        }
    }

    /// How many aims are missed.
    pub(super) fn missed(&self) -> usize {
        self.figures
            .iter()
            .filter(|figure| figure.is_met() == Some(false))
            .count()
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}\n", self.title)?;
        writeln!(f, "  {:32}{:>10}{:>12}   aim", "", "rejoin", "socket.io")?;
        for figure in &self.figures {
            writeln!(f, "  {figure}")?;
        }
        Ok(())
    }
}

impl Figure {
    fn new(name: &'static str, unit: Unit, both: &Both, measure: impl Fn(&Arrivals) -> f64) -> Self {
        Self {
            name,
            rejoin: measure(&both.rejoin),
            npm: measure(&both.npm),
            unit,
            most: None,
        }
    }

    fn at_most(self, most: f64) -> Self {
        Self {
            most: Some(most),
            ..self
        }
    }

    /// Whether its aim is met, if it has one.
    pub(super) fn is_met(&self) -> Option<bool> {
        self.most.map(|most| self.rejoin <= most)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rejoin, npm] = [self.rejoin, self.npm].map(|value| self.unit.show(value));
        write!(f, "{:32}{rejoin:>10}{npm:>12}", self.name)?;
        if let (Some(most), Some(met)) = (self.most, self.is_met()) {
            let verdict = if met { "met" } else { "MISSED" };
            write!(f, "   at most {}: {verdict}", self.unit.show(most))?;
        }
        Ok(())
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            _ if value.is_infinite() => "never".to_owned(),
            Self::Seconds => format!("{value:.2} s"),
            Self::Share => format!("{:.2} %", value * 100.0),
            Self::Number => format!("{value:.2}"),
        }
    }
}

/// When this share of the clients was back.
fn back(both: &Both, name: &'static str, share: f64) -> Figure {
    Figure::new(name, Unit::Seconds, both, |arrivals| {
        seconds(arrivals.percentile(share))
    })
}

fn share(both: &Both) -> Figure {
    Figure::new("most in any 100 ms", Unit::Share, both, Arrivals::largest_share)
}

fn fullest(both: &Both) -> Figure {
    Figure::new("of which the fullest begin at", Unit::Seconds, both, |arrivals| {
        seconds(arrivals.fullest_from())
    })
}

fn over_ideal(both: &Both) -> Figure {
    Figure::new("99 %, as a multiple of 20 s", Unit::Number, both, |arrivals| {
        seconds(arrivals.percentile(0.99)) / f64::from(IDEAL)
    })
}

fn asked(both: &Both) -> Figure {
    Figure::new("connections asked for, each", Unit::Number, both, Arrivals::asked_each)
}

/// Infinite is never.
fn seconds(time: Option<Duration>) -> f64 {
    time.map_or(f64::INFINITY, |time| time.as_secs_f64())
}

/// A number with commas, as in 100,000.
pub(super) fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(times: [u64; 4]) -> Both {
        let arrivals = Arrivals::new(4, times.map(Duration::from_secs).to_vec(), 4);
        Both {
            rejoin: arrivals.clone(),
            npm: arrivals,
        }
    }

    #[test]
    fn each_aim_can_be_missed_and_never_is_a_miss() {
        let spread = Section::all_at_once(&both([1, 2, 3, 4]));
        let met: Vec<_> = spread.figures.iter().map(Figure::is_met).collect();
        assert_eq!(met, [Some(true), Some(true), None, Some(false), None]);
        let late = Section::all_at_once(&both([1, 3, 3, 6]));
        assert_eq!(late.missed(), 3);

        let storm = Storm {
            clients: 4,
            seed: 1,
            jitter: true,
        };
        assert_eq!(Section::limited(&storm, &both([1, 2, 3, 22])).missed(), 0);
        assert_eq!(Section::limited(&storm, &both([1, 2, 3, 23])).missed(), 1);
        let mut lost = both([1, 2, 3, 4]);
        lost.rejoin = Arrivals::new(5, vec![Duration::ZERO; 4], 4);
        let section = Section::limited(&storm, &lost);
        assert_eq!(section.missed(), 1);
        assert!(section.to_string().contains("never"));
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!(
            [7, 999, 5_000, 1_234_567].map(grouped),
            ["7", "999", "5,000", "1,234,567"]
        );
    }
}
