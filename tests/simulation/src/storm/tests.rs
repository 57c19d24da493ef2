//! The aims hold with fewer clients too, and can be missed.

use super::chart;
use super::report::{Figure, Section};
use super::scenario::{Scenario, Storm};

const STORM: Storm = Storm {
    clients: 5_000,
    seed: 1,
    jitter: true,
};

#[test]
fn a_server_that_takes_all_at_once_has_half_after_2_s_and_99_percent_after_5() {
    let section = Section::all_at_once(&STORM.run(&Scenario::all_at_once()));
    let met: Vec<_> = section.figures.iter().filter_map(Figure::is_met).collect();
    assert_eq!(met[..2], [true, true], "{section}");
}

/// By WebSocket alone. With the default transports the clients that were refused within the last round trip ask again by
/// polling just after the server's return, and at 20 ms that makes 2.9 % out of 2.7 %: chance decides about the aim.
///
/// There are more clients here than elsewhere: of 5,000 chance alone can bring 3.4 % together.
#[test]
fn at_most_3_percent_come_in_any_100_ms() {
    let storm = Storm {
        clients: 40_000,
        ..STORM
    };
    let arrivals = storm.run_rejoin(&Scenario::all_at_once().by_websocket("by WebSocket alone"));
    assert!(arrivals.largest_share() <= 0.03, "{}", arrivals.largest_share());
}

#[test]
fn a_server_with_a_limit_is_busy_until_all_are_back() {
    let section = Section::limited(&STORM, &STORM.run(&Scenario::limited(&STORM)));
    assert_eq!(section.missed(), 0, "{section}");
    let aim = section.figures.iter().find(|figure| figure.is_met().is_some());
    assert!(
        aim.is_some_and(|aim| aim.npm > 1.1),
        "socket.io's formula misses it: {section}"
    );
}

#[test]
fn without_jitter_the_aims_are_missed() {
    let storm = Storm { jitter: false, ..STORM };
    let both = storm.run(&Scenario::all_at_once());
    assert_eq!(both.rejoin.largest_share(), 1.0, "all of them in one instant");
    assert!(Section::all_at_once(&both).missed() > 0);
}

#[test]
fn the_same_seed_gives_the_same_storm_and_picture_and_another_does_not() {
    let storm = Storm { clients: 500, ..STORM };
    let run = |storm: Storm| [Scenario::all_at_once(), Scenario::limited(&storm)].map(|scenario| storm.run(&scenario));
    let (first, second) = (run(storm), run(storm));
    assert_eq!(first, second);
    let draw = |[open, limited]: &[_; 2]| chart::draw(&storm, open, limited);
    assert_eq!(draw(&first), draw(&second));
    assert_ne!(first, run(Storm { seed: 2, ..storm }));
}
