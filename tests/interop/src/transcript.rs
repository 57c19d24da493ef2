//! What was said in both directions, in order: where waits look, and what a failed case prints.

use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// How long a wait lasts before its case fails: far beyond what anything takes, on a busy machine too.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A line that was received, until a wait has taken it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) value: Value,
    pub(crate) taken: bool,
}

#[derive(Debug)]
pub(crate) struct Transcript {
    name: String,
    started: Instant,
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    said: Vec<(Duration, Direction, String)>,
    lines: Vec<Line>,
    /// Why nothing will be received any more.
    ended: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    ToProcess,
    FromProcess,
    /// What it wrote to standard error, and what happened to it.
    Aside,
}

impl Transcript {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            started: Instant::now(),
            inner: Mutex::default(),
            changed: Notify::new(),
        }
    }

    pub(crate) fn say(&self, direction: Direction, text: &str) {
        let at = self.started.elapsed();
        self.inner().said.push((at, direction, text.to_owned()));
    }

    pub(crate) fn receive(&self, text: &str) {
        self.say(Direction::FromProcess, text);
        match serde_json::from_str(text) {
            Ok(value) => self.inner().lines.push(Line { value, taken: false }),
            Err(error) => self.end(&format!("wrote a line that is not JSON ({error}): {text}")),
        }
        self.changed.notify_waiters();
    }

    /// Nothing will be received any more; the first reason stands.
    pub(crate) fn end(&self, why: &str) {
        self.say(Direction::Aside, why);
        self.inner().ended.get_or_insert(why.to_owned());
        self.changed.notify_waiters();
    }

    /// Calls `look` on the received lines, now and after each new one, until it finds something.
    ///
    /// # Panics
    /// At the deadline, and once the process has ended: that is how a case fails.
    pub(crate) async fn wait<T>(&self, what: &str, mut look: impl FnMut(&mut [Line]) -> Option<T>) -> T {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut inner = self.inner();
                if let Some(found) = look(&mut inner.lines) {
                    return found;
                }
                if let Some(why) = &inner.ended {
                    let why = why.clone();
                    drop(inner);
                    panic!("no {what}: {} {why}", self.name);
                }
            }
            if timeout_at(deadline, changed).await.is_err() {
                panic!("no {what} from {} within {DEADLINE:?}", self.name);
            }
        }
    }

    /// Waits until nothing will be received any more; every line that was.
    ///
    /// # Panics
    /// At the deadline.
    pub(crate) async fn ended(&self) -> Vec<Value> {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.inner().ended.is_some() {
                return self.so_far(|_| true);
            }
            let in_time = timeout_at(deadline, changed).await;
            assert!(in_time.is_ok(), "{} goes on after its end", self.name);
        }
    }

    /// Every line received so far for which `keep` holds, taken or not.
    pub(crate) fn so_far(&self, keep: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.inner()
            .lines
            .iter()
            .map(|line| &line.value)
            .filter(|value| keep(value))
            .cloned()
            .collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A case that failed while it looked at the lines may still print them.
        self.inner.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "--- {}", self.name)?;
        for (at, direction, text) in &self.inner().said {
            let arrow = match direction {
                Direction::ToProcess => "->",
                Direction::FromProcess => "<-",
                Direction::Aside => " !",
            };
            writeln!(f, "{:>6} ms {arrow} {text}", at.as_millis())?;
        }
        Ok(())
    }
}
