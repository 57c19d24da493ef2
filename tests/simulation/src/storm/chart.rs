//! The picture: how many clients were back in each 100 ms, a panel for each server.

use super::figures::Arrivals;
use super::report::grouped;
use super::scenario::{Both, IDEAL, Storm};
use super::svg::{Anchor, Stroke, Svg};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 650.0;

/// Where the panels are.
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 64.0;
const TALL: f64 = 200.0;
const FIRST: f64 = 84.0;
const SECOND: f64 = 392.0;

const REJOIN: &str = "#2f81f7";
const NPM: &str = "#db6d28";

/// One server's panel: what is where.
struct Panel {
    top: f64,
    /// What stands at its right end.
    seconds: f64,
    /// What stands at its top.
    clients: f64,
}

/// Draws both storms.
pub(super) fn draw(storm: &Storm, open: &Both, limited: &Both) -> String {
    let clients = grouped(storm.clients);
    let title = format!("{clients} clients come back after an outage of 60 s");
    let label = format!("{title}: arrivals over time, rejoin and socket.io");
    let mut svg = Svg::new(WIDTH, HEIGHT, &label);
    svg.heading(LEFT, 24.0, 16, &title);
    svg.key(RIGHT - 220.0, 24.0, REJOIN, "rejoin");
    svg.key(RIGHT - 130.0, 24.0, NPM, "socket.io's formula");

    let panel = Panel::new(FIRST, open);
    panel.frame(&mut svg, "A server that takes all at once");
    panel.level(&mut svg, f64::from(storm.clients) * 0.03, "aim: 3 %");
    panel.curves(&mut svg, open);

    let rate = storm.per_second();
    let panel = Panel::new(SECOND, limited);
    panel.frame(&mut svg, &format!("A server that takes {} a second", grouped(rate)));
    panel.level(&mut svg, f64::from(rate) / 10.0, "its rate");
    panel.moment(&mut svg, f64::from(IDEAL), "all, at its rate");
    panel.curves(&mut svg, limited);
    svg.finish()
}

impl Panel {
    fn new(top: f64, both: &Both) -> Self {
        let counts = [both.rejoin.histogram(), both.npm.histogram()];
        let most = counts.iter().flatten().max().copied().unwrap_or(0);
        let last = counts.iter().map(Vec::len).max().unwrap_or(0);
        Self {
            top,
            seconds: (last as f64 / 10.0 + 0.1).ceil(),
            // Room for what stands above the highest line.
            clients: f64::from(most.max(1)) * 1.1,
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * seconds / self.seconds
    }

    fn y(&self, clients: f64) -> f64 {
        self.top + TALL * (1.0 - clients / self.clients)
    }

    /// Its title, its axes and what stands at them.
    fn frame(&self, svg: &mut Svg, title: &str) {
        svg.heading(LEFT, self.top - 30.0, 13, title);
        svg.text(LEFT, self.top - 10.0, Anchor::Start, "clients back in 100 ms");
        for clients in ticks(self.clients, 5.0) {
            let y = self.y(clients);
            svg.line((LEFT, y), (RIGHT, y), Stroke::Faint);
            svg.text(LEFT - 8.0, y + 4.0, Anchor::End, &grouped(clients as u32));
        }
        let bottom = self.y(0.0);
        for seconds in ticks(self.seconds, 10.0) {
            let x = self.x(seconds);
            svg.line((x, bottom), (x, bottom + 5.0), Stroke::Faint);
            svg.text(x, bottom + 18.0, Anchor::Middle, &seconds.to_string());
        }
        let middle = f64::midpoint(LEFT, RIGHT);
        svg.text(
            middle,
            bottom + 36.0,
            Anchor::Middle,
            "seconds after the server's return",
        );
    }

    /// A line at a number of clients.
    fn level(&self, svg: &mut Svg, clients: f64, name: &str) {
        let y = self.y(clients);
        svg.line((LEFT, y), (RIGHT, y), Stroke::Dashed);
        svg.text(RIGHT + 6.0, y + 4.0, Anchor::Start, name);
    }

    /// A line at a time.
    fn moment(&self, svg: &mut Svg, seconds: f64, name: &str) {
        let x = self.x(seconds);
        svg.line((x, self.top), (x, self.y(0.0)), Stroke::Dashed);
        svg.text(x, self.top - 10.0, Anchor::Middle, name);
    }

    fn curves(&self, svg: &mut Svg, both: &Both) {
        self.curve(svg, &both.npm, NPM);
        self.curve(svg, &both.rejoin, REJOIN);
    }

    fn curve(&self, svg: &mut Svg, arrivals: &Arrivals, colour: &str) {
        let counts = arrivals.histogram();
        let points = counts.into_iter().chain([0]).enumerate().map(|(slot, count)| {
            let seconds = slot as f64 / 10.0 + 0.05;
            (self.x(seconds), self.y(f64::from(count)))
        });
        let points: Vec<_> = points.collect();
        svg.curve(&points, self.y(0.0), colour);
    }
}

/// Round numbers from 0 to `end`: about so many.
fn ticks(end: f64, about: f64) -> impl Iterator<Item = f64> {
    let rough = end / about;
    let unit = 10_f64.powf(rough.log10().floor()).max(1.0);
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * unit);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(10.0 * unit);
    (0..)
        .map(move |index| f64::from(index) * step)
        .take_while(move |tick| *tick <= end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let ticks = |end, about| ticks(end, about).map(|tick| tick as u32).collect::<Vec<_>>();
        assert_eq!(ticks(31.0, 10.0), [0, 5, 10, 15, 20, 25, 30]);
        assert_eq!(ticks(3_300.0, 5.0), [0, 1_000, 2_000, 3_000]);
        assert_eq!(ticks(2.0, 5.0), [0, 1, 2], "clients and seconds are whole");
    }
}
