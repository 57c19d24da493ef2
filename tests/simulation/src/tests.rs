//! A smaller run, for every day.

use rejoin::sim::Defect;

use crate::{many, mutations};

/// So many seeds in an optimised build; fewer where each takes longer.
const SEEDS: u64 = if cfg!(debug_assertions) { 400 } else { 2_000 };

#[test]
fn what_the_client_promises_holds_in_simulated_worlds() {
    let total = many::sum(0, SEEDS, 2);
    assert!(total.failures.is_empty(), "{:#?}", total.failures);
    for covered in [
        "outcome: delivered",
        "outcome: cancelled",
        "outcome: expired",
        "outcome: dropped",
        "outcome: sent",
        "fault: a link went silent",
        "fault: a link was cut before a frame to the server",
        "fault: a link was cut behind a frame to the client",
        "fault: a dial was swallowed",
        "fault: the server restarted",
        "fault: killed",
        "fault: the device slept",
        "fault: the wall clock stepped",
        "fault: tokens expired",
        "server: took up a lost session",
        "server: a copy of a message",
        "server: refused a message over the limit",
        "server: dropped the link for a message",
        "state: connected -> paused",
        "state: waiting -> offline",
    ] {
        assert!(total.counts.contains_key(covered), "{covered}: never in {SEEDS} seeds");
    }
}

#[test]
fn a_seed_gives_the_same_world_again() {
    for seed in [1, 7, 42, 385] {
        let (first, second) = (many::one(seed, false), many::one(seed, false));
        assert_eq!(first.digest, second.digest, "seed {seed}");
        assert_ne!(first.digest, 0);
    }
    assert_ne!(many::one(1, false).digest, many::one(2, false).digest);
}

#[test]
fn defects_are_found() {
    // Those that take few seeds; `--mutations` has all of them.
    for defect in [
        Defect::SendsLastFirst,
        Defect::LosesOutcomes,
        Defect::DeliversRefusals,
        Defect::TellsTwice,
        Defect::GivesUpTooEarly,
        Defect::KeepsWhatIsDone,
        Defect::DialsTooEarly,
        Defect::JoinsNothingAgain,
        Defect::GivesReceiptsForNothing,
        Defect::LosesWhatWasMissed,
    ] {
        let found = mutations::find(defect, 0, 400);
        assert!(found.is_some(), "not found: {}", defect.what());
    }
}
