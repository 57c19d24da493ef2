//! Proof by simulation: the shipped client against a simulated server and network, in virtual time.
//!
//! A seed decides everything: server, network, two people with their devices, what they do, and what goes wrong. After a
//! while it becomes quiet, and then what the app saw and what the server saw has to fit together. The client is the shipped
//! one, with driver, dispatch, chat layer and store; time, tasks and links are simulated (`rejoin::sim`).
//!
//! ```sh
//! cargo run --release -p rejoin-simulation -- --seeds 100000    # prints what was covered, and every seed that failed
//! cargo run --release -p rejoin-simulation -- --seed 4711       # again, with a trace
//! cargo run --release -p rejoin-simulation -- --mutations       # whether it would find defects
//! ```

mod book;
mod check;
mod disk;
mod expected;
mod many;
mod mutations;
mod network;
mod person;
mod plan;
mod rng;
mod server;
mod stage;
mod storm;
#[cfg(test)]
mod tests;

use clap::Parser;
use rejoin::sim::Defect;

/// What to run.
#[derive(Debug, Parser)]
#[command(about = "The client against a simulated server and network, in virtual time")]
struct Options {
    /// How many seeds to run; with `--mutations`, for each defect at most.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Runs one seed, and prints what happens.
    #[arg(long)]
    seed: Option<u64>,
    /// Breaks the client in one way after the other: each has to be found.
    #[arg(long)]
    mutations: bool,
    /// With `--seed`: breaks the client in the way of this number.
    #[arg(long)]
    defect: Option<usize>,
    /// On how many threads.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// `storm`: the reconnect storm instead.
    what: Option<String>,
}

fn main() {
    let options = Options::parse();
    let good = match (options.what.as_deref(), options.seed) {
        (Some("storm"), _) => {
            storm::run();
            true
        }
        (_, Some(seed)) => {
            Defect::set(options.defect.and_then(|number| Defect::ALL.get(number).copied()));
            many::replay(seed)
        }
        _ if options.mutations => mutations::run(options.from, options.seeds),
        _ => many::run(options.from, options.seeds, options.threads),
    };
    if !good {
        std::process::exit(1);
    }
}
