//! Whether the checks can fail: the client is broken on purpose, in one way after the other, and each has to be found.

use rejoin::sim::Defect;

use crate::many;

/// Breaks the client in every way. Says whether each was found within so many seeds.
pub(crate) fn run(from: u64, most: u64) -> bool {
    let mut all = true;
    for defect in Defect::ALL {
        match find(*defect, from, most) {
            Some((tried, failure)) => println!("found after {tried:>5} seeds: {}\n    {failure}", defect.what()),
            None => {
                println!("NOT FOUND in {most} seeds: {}", defect.what());
                all = false;
            }
        }
    }
    all
}

/// Runs seeds until one fails. Gives how many that took, and what it said.
pub(crate) fn find(defect: Defect, from: u64, most: u64) -> Option<(u64, String)> {
    Defect::set(Some(defect));
    let found = (from..from + most).find_map(|seed| {
        let failure = many::one(seed, false).failures.into_iter().next()?;
        Some((seed - from + 1, format!("--seed {seed}: {failure}")))
    });
    Defect::set(None);
    found
}
