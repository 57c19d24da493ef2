//! What is printed: when, who, what.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Prints one line for each thing that happens. Clones print to the same place.
#[derive(Clone)]
pub struct Timeline {
    began: Instant,
    colour: bool,
    out: Arc<Mutex<dyn Write + Send>>,
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// The server and the network.
    Network,
    /// The client whose network is cut.
    Alice,
    /// The other client.
    Bob,
}

impl Timeline {
    /// On the terminal; in colour if it is one, unless `NO_COLOR` is set (<https://no-color.org>).
    pub fn to_stdout() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = io::stdout().is_terminal() && !unwanted && env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self {
            colour,
            ..Self::to(Arc::new(Mutex::new(io::stdout())))
        }
    }

    /// Somewhere else, without colour.
    pub fn to(out: Arc<Mutex<dyn Write + Send>>) -> Self {
        Self {
            began: Instant::now(),
            colour: false,
            out,
        }
    }

    /// Prints a line.
    pub fn say(&self, who: Who, what: impl fmt::Display) {
        let seconds = self.began.elapsed().as_secs_f64();
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, colour) = (who.name(), who.colour());
        let line = match self.colour {
            true => writeln!(out, "{seconds:6.2} s  \x1b[{colour}m{name:<8}\x1b[0m {what}"),
            false => writeln!(out, "{seconds:6.2} s  {name:<8} {what}"),
        };
        // The story goes on even if nobody reads it: its exit status counts.
        let _ = line.and_then(|()| out.flush());
    }
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Alice => "Alice",
            Self::Bob => "Bob",
        }
    }

    /// An ANSI colour that can be read on light and on dark ground.
    const fn colour(self) -> u8 {
        match self {
            Self::Network => 35,
            Self::Alice => 36,
            Self::Bob => 32,
        }
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline")
            .field("colour", &self.colour)
            .finish_non_exhaustive()
    }
}
