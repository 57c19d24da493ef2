//! What a figure depends on besides the code: processor, system, versions, load.

use std::fmt::{self, Display, Write as _};
use std::num::NonZero;
use std::process::Command;
use std::thread::available_parallelism;

use serde::Serialize;

use crate::rounds::Cores;

/// On what the samples were taken.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cores: usize,
    processor: String,
    kernel: String,
    rustc: String,
    versions: String,
    load_at_start: String,
    rounds: u32,
    placement: Cores,
}

impl Machine {
    /// This machine, now.
    pub(crate) fn here(rounds: u32, placement: Cores) -> Self {
        let uname = rustix::system::uname();
        Self {
            cores: available_parallelism().map_or(1, NonZero::get),
            processor: proc_field("/proc/cpuinfo", "model name"),
            kernel: format!(
                "{} {}",
                uname.sysname().to_string_lossy(),
                uname.release().to_string_lossy()
            ),
            rustc: rustc(),
            versions: versions(),
            load_at_start: load(),
            rounds,
            placement,
        }
    }
}

impl Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} cores ({}), {}, load {}",
            self.cores, self.processor, self.kernel, self.load_at_start
        )?;
        writeln!(f, "{}; {}", self.rustc, self.versions)?;
        write!(
            f,
            "{} rounds in alternating order, current-thread runtime, {}",
            self.rounds, self.placement
        )
    }
}

/// The versions that cargo resolved, from the lock file this was built with; of several the newest, which is ours.
fn versions() -> String {
    const LOCK: &str = include_str!("../../../Cargo.lock");
    let mut text = String::new();
    for name in ["rejoin", "rust_socketio", "tokio", "tokio-tungstenite"] {
        let package = LOCK
            .rsplit("[[package]]")
            .find(|p| p.contains(&format!("name = \"{name}\"\n")));
        let version = package.and_then(|p| p.split("version = \"").nth(1)?.split('"').next());
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{name} {}", version.unwrap_or("?"));
    }
    text
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map_or_else(
        |_| "rustc unknown".into(),
        |o| String::from_utf8_lossy(&o.stdout).trim().to_owned(),
    )
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

fn proc_field(file: &str, key: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_once(": "))
        .map_or("?", |(_, value)| value)
        .to_owned()
}
