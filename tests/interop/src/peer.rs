//! A process that speaks JSON lines: commands with an `id` on its standard input, answers with `re` and
//! happenings on its output.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::transcript::{DEADLINE, Direction, Transcript};

/// Killed on drop; then, if its case has failed, what was said is printed.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) transcript: Arc<Transcript>,
    child: Child,
    /// `None` once standard input is closed.
    input: Option<UnboundedSender<String>>,
    next_id: AtomicU64,
}

impl Peer {
    /// Must be called inside a tokio runtime.
    pub(crate) fn spawn(name: &str, mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}: {command:?}"));
        let transcript = Arc::new(Transcript::new(name));
        let (input, commands) = unbounded_channel();
        tokio::spawn(write(child.stdin.take().expect("piped"), commands));
        tokio::spawn(listen(child.stdout.take().expect("piped"), transcript.clone()));
        tokio::spawn(overhear(child.stderr.take().expect("piped"), transcript.clone()));
        Self {
            transcript,
            child,
            input: Some(input),
            next_id: AtomicU64::new(1),
        }
    }

    /// Sends a command and waits for the answer to it.
    pub(crate) async fn command(&self, mut command: Value) -> Value {
        let id = self.next_id.fetch_add(1, Relaxed);
        command["id"] = json!(id);
        self.write(&command.to_string());
        self.transcript
            .wait(&format!("answer to {command}"), |lines| {
                let line = lines.iter_mut().find(|line| line.value["re"] == json!(id))?;
                line.taken = true;
                Some(line.value.clone())
            })
            .await
    }

    /// Writes one line as it is.
    pub(crate) fn write(&self, line: &str) {
        self.transcript.say(Direction::ToProcess, line);
        // Where the process is gone, the next wait says so.
        if let Some(input) = &self.input {
            let _ = input.send(format!("{line}\n"));
        }
    }

    /// Waits for the first line that no wait has taken and for which `wanted` holds.
    pub(crate) async fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.transcript
            .wait(what, |lines| {
                let line = lines.iter_mut().find(|line| !line.taken && wanted(&line.value))?;
                line.taken = true;
                Some(line.value.clone())
            })
            .await
    }

    /// Ends its standard input.
    pub(crate) fn close_input(&mut self) {
        self.transcript.say(Direction::Aside, "standard input closed");
        self.input = None;
    }

    /// Waits until it has ended by itself; its exit status, `None` where a signal ended it.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let status = timeout(DEADLINE, self.child.wait()).await;
        status
            .expect("the process did not end in time")
            .expect("a child can be waited for")
            .code()
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("a child can be killed");
        self.transcript.say(Direction::Aside, "killed");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?))
            .expect("it still runs");
        kill_process(pid, signal).expect("a child can be signalled");
        self.transcript.say(Direction::Aside, &format!("{signal:?}"));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.transcript);
        }
    }
}

async fn write(mut input: ChildStdin, mut lines: UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        if input.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn listen(output: ChildStdout, transcript: Arc<Transcript>) {
    let mut lines = BufReader::new(output).lines();
    loop {
        match lines.next_line().await {
            Ok(Some(line)) => transcript.receive(&line),
            Ok(None) => return transcript.end("closed its output"),
            Err(error) => return transcript.end(&format!("cannot be read: {error}")),
        }
    }
}

async fn overhear(errors: ChildStderr, transcript: Arc<Transcript>) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        transcript.say(Direction::Aside, &line);
    }
}
