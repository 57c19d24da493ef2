//! The reconnect storm: what a server meets when it comes back.
//!
//! ```text
//! cargo run --release -p rejoin-simulation -- storm [--clients 100000] [--seed 1] [--svg storm.svg] [--variants]
//! ```
//!
//! 100,000 clients of the shipped core, each with its own seed and the default backoff, are connected; the server dies, all
//! links break in the same instant; for 60 s nobody is there; then it returns. Beside them, in the same world, as many
//! clients with socket.io's own formula (`npm`). Time is virtual: one heap of events, no threads, no sockets. The same seed
//! gives the same figures.
//!
//! # The model
//!
//! - *Network*: 10 ms each way, for everyone. A connection takes three round trips until CONNECT is accepted: TCP, the HTTP
//!   upgrade, CONNECT. TLS would add one or two.
//! - *Outage*: a dial is reset after one round trip, as by a host whose process has died.
//! - *A server that takes all at once* has no limit: what is seen is the formula and the network, nothing else.
//! - *A server that takes 5,000 a second* does one handshake each 0.2 ms, in the order of asking. As many as it takes in one
//!   second wait for it in its listen queue (Linux's default is 4,096); whoever finds that full is reset at once, and comes
//!   again as its formula says. Nobody waits longer than 1 s, so no timeout of any client plays a part. With fewer clients
//!   rate and queue are smaller in proportion: it needs 20 s for all of them, whatever it does.
//! - *A handshake* is a new connection that asks for a session. Our clients are as they are by default: where a WebSocket is
//!   refused they ask by long-polling in the same attempt, and that second question counts and costs as much as the first.
//!   socket.io's ask once an attempt, which is its default too. The session offers no upgrade from polling: clients are
//!   counted until CONNECT is accepted, and upgrades come after that. (socket.io's default begins every session on polling;
//!   had it to upgrade each, it would need two handshakes a client. That is not held against it.)
//!
//! What this leaves out stands beside it as a variant (`--variants`), without an aim: shorter and endless queues, silence
//! instead of a reset, `Retry-After`, and our clients by WebSocket alone.
//!
//! # Files
//!
//! `client`: what the world needs of a client; `rejoin`, `npm`: the two kinds; `server`; `world`: the heap; `figures`: what is
//! measured; `scenario`: which storms there are; `report`: figures beside aims; `chart` and `svg`: the picture.

mod chart;
mod client;
mod figures;
mod npm;
mod rejoin;
mod report;
mod scenario;
mod server;
mod svg;
#[cfg(test)]
mod tests;
mod world;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;
use std::{fs, io};

use clap::Parser;

use report::{Section, grouped};
use scenario::{Scenario, Storm};

/// The command's arguments.
#[derive(Parser, Debug)]
#[command(
    name = "storm",
    about = "100,000 clients come back after an outage: the core's formula beside socket.io's"
)]
struct Options {
    /// How many clients there are of each kind. With fewer than 50,000 it is chance how many come in 100 ms.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(20..))]
    clients: u32,
    /// What all randomness comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the picture goes; by default to `storm.svg` beside this crate's manifest.
    #[arg(long)]
    svg: Option<PathBuf>,
    /// Other servers too; they have no aims.
    #[arg(long)]
    variants: bool,
    /// Takes the jitter out of our formula, to see that the aims can be missed.
    #[arg(long)]
    without_jitter: bool,
}

/// Runs the storms, prints their figures and draws them. Ends the process with status 1 if an aim is missed or the picture
/// cannot be written.
pub(crate) fn run() {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|argument| argument == "storm") {
        arguments.remove(1);
    }
    match storms(&Options::parse_from(arguments)) {
        Ok(true) => {}
        Ok(false) => std::process::exit(1),
        Err(error) => {
            eprintln!("storm: the picture cannot be written: {error}");
            std::process::exit(1);
        }
    }
}

/// Says whether every aim is met.
fn storms(options: &Options) -> io::Result<bool> {
    let storm = Storm {
        clients: options.clients,
        seed: options.seed,
        jitter: !options.without_jitter,
    };
    let took = Instant::now();
    println!("{} clients of each kind, seed {}", grouped(storm.clients), storm.seed);
    let open = storm.run(&Scenario::all_at_once());
    let limited = storm.run(&Scenario::limited(&storm));
    let sections = [Section::all_at_once(&open), Section::limited(&storm, &limited)];
    sections.iter().for_each(|section| print!("{section}"));
    if options.variants {
        for scenario in Scenario::variants(&storm) {
            print!("{}", Section::variant(&scenario, &storm.run(&scenario)));
        }
    }
    let path = options.svg.clone().unwrap_or_else(picture);
    fs::write(&path, chart::draw(&storm, &open, &limited))?;
    let missed: usize = sections.iter().map(Section::missed).sum();
    println!(
        "\n{}; drawn in {}; {:.1} s",
        match missed {
            0 => "every aim is met".to_owned(),
            1 => "1 AIM IS MISSED".to_owned(),
            more => format!("{more} AIMS ARE MISSED"),
        },
        path.display(),
        took.elapsed().as_secs_f64()
    );
    Ok(missed == 0)
}

/// Where the picture goes unless it is said: cargo tells a program that it runs where its manifest is.
fn picture() -> PathBuf {
    let beside = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    beside.unwrap_or_default().join("storm.svg")
}
