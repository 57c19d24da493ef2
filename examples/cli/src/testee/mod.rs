//! `rejoin testee`: drives the client from JSON lines on standard input and reports on standard output, for the
//! conformance suite. It holds no logic of its own, so that a feature which the client lacks shows.
//!
//! - [`session`]: takes the commands, one after the other.
//! - [`commands`]: their fields.  [`options`], [`fields`]: the options of `create`.
//! - [`driven`]: one client and what it reports.  [`call`]: the chat layer's methods.
//! - [`lines`]: what is printed.  [`receipts`]: receipts by number.

mod call;
mod commands;
mod driven;
mod fields;
mod lines;
mod options;
mod receipts;
mod session;

use std::io::{self, BufRead};
use std::thread;

use tokio::sync::mpsc;

use lines::Lines;
use session::{Next, Session};

/// So many commands may wait to be taken.
const WAITING: usize = 1024;

/// Takes commands until `exit` or the end of standard input, then closes every client.
pub(crate) async fn run() {
    let lines = Lines::to_stdout();
    let mut session = Session::new(lines.clone());
    let mut commands = read_stdin();
    while let Some(line) = commands.recv().await {
        if session.take(&line) == Next::Exit {
            break;
        }
    }
    session.close().await;
    lines.finish();
}

/// Reads on a thread of its own: a read that waits cannot be called off, and must not keep the program alive after
/// `exit`.
fn read_stdin() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match stdin.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Err(error) => return eprintln!("standard input cannot be read: {error}"),
                Ok(_) => {}
            }
            // What is not UTF-8 is not JSON either, and is answered as such.
            let line = String::from_utf8_lossy(&line).trim().to_owned();
            if !line.is_empty() && sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
