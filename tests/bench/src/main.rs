//! The benchmark: rejoin, a bare WebSocket, and `rust_socketio`, one after another against one server.
//!
//! ```text
//! cargo run --release -p rejoin-bench
//! cargo run --release -p rejoin-bench -- --quick --only emit,receive --json bench.json
//! cargo run --release -p rejoin-bench -- --store
//! ```
//!
//! Each run of a client is a process of its own (this binary with the subcommand `client`), on tokio's
//! current-thread runtime; the server is another. A round runs every client once, in one order and in the next
//! round in the other, so that what drifts (temperature, a neighbour's load) falls on all alike. Every value is
//! divided by the bare socket's of the same round; the report gives the median of these ratios and their spread.
//! Time is the kernel's count of the client's process, so that the server's share is in none of it.
//!
//! Time wanders, instruction counts do not. To see where they go, run one client alone under callgrind:
//!
//! ```text
//! CARGO_PROFILE_RELEASE_DEBUG=line-tables-only cargo build --release -p rejoin-bench
//! target/release/rejoin-bench server --port 4600 &
//! valgrind --tool=callgrind target/release/rejoin-bench \
//!     client rejoin emit --url http://127.0.0.1:4600 --count 20000 --warmup 0
//! callgrind_annotate --inclusive=yes callgrind.out.*
//! ```
//!
//! The total of a run with `--count 40000` less that of one with 20000, divided by 20000, is instructions per
//! message without the cost of starting.

mod alloc;
mod clients;
mod machine;
mod measure;
mod report;
mod rounds;
mod server;
mod store;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::rounds::Cores;
use crate::workload::{BoxError, ClientKind, Job, Workload};

#[derive(Parser)]
#[command(about = "Compares rejoin with a bare WebSocket and with rust_socketio")]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    options: Options,
}

/// What a whole comparison takes.
#[derive(Args, Debug)]
struct Options {
    /// How often each client runs each workload: 9, or 2 with --quick.
    #[arg(long)]
    rounds: Option<u32>,
    /// Only these, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Workload>,
    /// Few rounds of few messages: shows that everything runs, measures little.
    #[arg(long)]
    quick: bool,
    /// Where the server and the client run. CPU time is counted per process in any case.
    #[arg(long, value_enum, default_value_t = Cores::Shared)]
    cores: Cores,
    /// Writes everything, each sample too, into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only the store on disk, in this folder; without one, in that for temporary files. Where that is in memory the disk's
    /// share is missing.
    #[arg(long, num_args = 0..=1, value_name = "FOLDER")]
    store: Option<Option<PathBuf>>,
}

#[derive(Subcommand)]
enum Part {
    /// The server alone; prints its address.
    Server {
        #[arg(long, default_value_t = 0)]
        port: u16,
        #[arg(long)]
        core: Option<usize>,
    },
    /// One run of one client; prints its sample as JSON.
    Client {
        client: ClientKind,
        workload: Workload,
        #[arg(long)]
        url: String,
        #[arg(long)]
        count: Option<u64>,
        /// A tenth of the count, unless given.
        #[arg(long)]
        warmup: Option<u64>,
        #[arg(long)]
        core: Option<usize>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rejoin-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, BoxError> {
    match arguments.part {
        None => match arguments.options.store {
            None => rounds::run(&arguments.options),
            Some(folder) => {
                let folder = folder.unwrap_or_else(std::env::temp_dir);
                runtime()?.block_on(store::run(&folder))?;
                Ok(ExitCode::SUCCESS)
            }
        },
        Some(Part::Server { port, core }) => {
            prepare(core);
            runtime()?.block_on(server::run(port))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Part::Client {
            client,
            workload,
            url,
            count,
            warmup,
            core,
        }) => {
            if workload == Workload::Idle {
                alloc::count();
            }
            prepare(core);
            let count = count.unwrap_or_else(|| workload.default_count(client, false));
            let job = Job {
                workload,
                url,
                count,
                warmup: warmup.unwrap_or(count / 10),
            };
            // A task, as in most programs: tokio polls what `block_on` is given only after it has asked the system for
            // events once more, which a client with a task of its own would pay for and a bare socket would not.
            let sample = runtime()?.block_on(async { tokio::spawn(clients::run(client, job)).await })??;
            println!("{}", serde_json::to_string(&sample)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn prepare(core: Option<usize>) {
    measure::raise_file_limit();
    if let Some(core) = core {
        measure::pin(core);
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, BoxError> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
