//! The comparison: starts the server, then client after client in alternating order, and gathers their samples.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::num::NonZero;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use serde::Serialize;

use crate::Options;
use crate::report::{Report, Row};
use crate::workload::{BoxError, ClientKind, Sample, Workload};

/// No run takes more than a few seconds; one that does hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs all rounds and prints the report. Fails when the bare socket or rejoin did in any of them.
pub(crate) fn run(options: &Options) -> Result<ExitCode, BoxError> {
    let rounds = options.rounds.unwrap_or(if options.quick { 2 } else { 9 });
    let (server_core, client_core) = options.cores.assign();
    let workloads: Vec<Workload> = Workload::ALL
        .into_iter()
        .filter(|workload| options.only.is_empty() || options.only.contains(workload))
        .collect();

    let mut report = Report::new(rounds, options.cores);
    let server = Server::start(server_core)?;
    for round in 0..rounds {
        for &workload in workloads.iter().filter(|workload| round < workload.most_rounds()) {
            let mut order = workload.clients().to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for client in order {
                eprint!("\r\x1b[Kround {} of {rounds}: {workload}, {client}", round + 1);
                let count = workload.default_count(client, options.quick);
                let result = run_client(&server.url, client, workload, count, client_core);
                report.rows.push(Row {
                    round,
                    workload,
                    client,
                    error: result.as_ref().err().map(ToString::to_string),
                    sample: result.ok(),
                });
            }
        }
    }
    eprint!("\r\x1b[K");

    print!("{report}");
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report.to_json())?)?;
    }
    let ours = |row: &Row| row.client != ClientKind::RustSocketio;
    let failed = report.rows.iter().any(|row| ours(row) && row.error.is_some());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Where the server and the client of a run are kept.
#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cores {
    /// On one core together. Waking the peer is then cheap and always the same. On two, the sender pays for an
    /// interrupt to the other core, which on a virtual machine costs more than all the rest and flatters batches.
    Shared,
    /// The server on the first core, the client on the last.
    Apart,
    /// Wherever the system puts them: in some rounds together, in some apart.
    Any,
}

impl Cores {
    /// The server's core and the client's.
    fn assign(self) -> (Option<usize>, Option<usize>) {
        let last = thread::available_parallelism().map_or(1, NonZero::get) - 1;
        match self {
            Self::Shared => (Some(last), Some(last)),
            Self::Apart => (Some(0), Some(last)),
            Self::Any => (None, None),
        }
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "server and client share a core",
            Self::Apart => "server on the first core, client on the last",
            Self::Any => "not pinned to cores",
        })
    }
}

fn run_client(
    url: &str,
    client: ClientKind,
    workload: Workload,
    count: u64,
    core: Option<usize>,
) -> Result<Sample, BoxError> {
    let mut command = this_program()?;
    command.arg("client").args([argument(client), argument(workload)]);
    command.args(["--url", url, "--count", &count.to_string()]);
    if let Some(core) = core {
        command.args(["--core", &core.to_string()]);
    }
    let mut process = Killed(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    let output = read_both(&mut process.0)?;
    let (stdout, stderr) = output
        .recv_timeout(DEADLINE)
        .map_err(|_| format!("no end within {} s", DEADLINE.as_secs()))?;
    let status = process.0.wait()?;
    if !status.success() {
        let message = stderr.trim().lines().last().unwrap_or_default();
        return Err(if message.is_empty() {
            status.to_string()
        } else {
            message.to_owned()
        }
        .into());
    }
    Ok(serde_json::from_str(&stdout)?)
}

/// What the process writes until it ends, read on a thread so that waiting can have a deadline.
fn read_both(process: &mut Child) -> Result<mpsc::Receiver<(String, String)>, BoxError> {
    let mut stdout = process.stdout.take().ok_or("no output")?;
    let mut stderr = process.stderr.take().ok_or("no error output")?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut out, mut err) = (String::new(), String::new());
        // One after the other is safe: a client writes a line or two, less than a pipe holds.
        let read = stdout.read_to_string(&mut out).and(stderr.read_to_string(&mut err));
        if read.is_ok() {
            // Nobody listens any more after the deadline.
            let _ = sender.send((out, err));
        }
    });
    Ok(receiver)
}

struct Server {
    url: String,
    _process: Killed,
}

impl Server {
    fn start(core: Option<usize>) -> Result<Self, BoxError> {
        let mut command = this_program()?;
        command.arg("server");
        if let Some(core) = core {
            command.args(["--core", &core.to_string()]);
        }
        let mut process = Killed(command.stdout(Stdio::piped()).spawn()?);
        let mut url = String::new();
        BufReader::new(process.0.stdout.take().ok_or("no output")?).read_line(&mut url)?;
        let url = url.trim().to_owned();
        if url.is_empty() {
            Err("the server did not start".into())
        } else {
            Ok(Self { url, _process: process })
        }
    }
}

/// A child that does not outlive us.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn this_program() -> Result<Command, BoxError> {
    Ok(Command::new(std::env::current_exe()?))
}

fn argument<T: ValueEnum>(value: T) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}
