//! The program under test, started as a process of its own. Every wait has a deadline.
#![allow(dead_code)] // Each file of tests uses its own part of it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

/// Killed on drop.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    /// What it has printed so far.
    printed: String,
}

/// What a program has left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rejoin"))
            .args(args)
            .env_remove("REJOIN_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            printed: String::new(),
        }
    }

    /// Starts it, and waits until it has ended.
    pub(crate) async fn run(args: &[&str]) -> Ended {
        Self::start(args).ended().await
    }

    pub(crate) async fn ended(mut self) -> Ended {
        self.close_input();
        let end = async {
            let mut errors = self.child.stderr.take().unwrap();
            let mut stderr = String::new();
            let output = async { while self.read_line().await.is_some() {} };
            let (_, read) = tokio::join!(output, errors.read_to_string(&mut stderr));
            read.unwrap();
            (self.child.wait().await.unwrap().code(), stderr)
        };
        let (status, stderr) = timeout(DEADLINE, end).await.expect("it ends");
        Ended {
            status,
            stdout: self.printed,
            stderr,
        }
    }

    /// The next line, as JSON.
    pub(crate) async fn next_line(&mut self) -> Value {
        let line = timeout(DEADLINE, self.read_line())
            .await
            .expect("a line")
            .expect("it still runs");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Waits for a line that holds this.
    pub(crate) async fn wait_for(&mut self, text: &str) {
        let found = async {
            while let Some(line) = self.read_line().await {
                if line.contains(text) {
                    return;
                }
            }
            panic!("it ended without {text}");
        };
        let late = timeout(DEADLINE, found).await.is_err();
        assert!(!late, "no {text} in:\n{}", self.printed);
    }

    /// Writes a line; the answer to it, passing over other lines.
    pub(crate) async fn ask(&mut self, line: &str) -> Value {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        loop {
            let answer = self.next_line().await;
            if answer.get("re").is_some() {
                return answer;
            }
        }
    }

    /// Writes a line, which has to be taken; the answer.
    pub(crate) async fn take(&mut self, line: &str) -> Value {
        let answer = self.ask(line).await;
        assert_eq!(answer["ok"], true, "{line} was refused: {answer}");
        answer
    }

    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Does as Ctrl-C does.
    #[cfg(unix)]
    pub(crate) async fn interrupt(&self) {
        let id = self.child.id().expect("it still runs").to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().await.unwrap();
        assert!(status.success());
    }

    async fn read_line(&mut self) -> Option<String> {
        let line = self.output.next_line().await.unwrap()?;
        self.printed.push_str(&line);
        self.printed.push('\n');
        Some(line)
    }
}
