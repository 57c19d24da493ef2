//! Alice's phone: a program of its own, so that it can be killed. What an app does to lose nothing when that happens.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use futures::StreamExt;
use rejoin::store::FileStore;
use rejoin::{Notice, RealtimeClient, State};
use tokio::sync::mpsc;

use crate::story::Failure;

/// The token comes by this variable: what stands on a command line, everybody on the machine can read.
pub(crate) const TOKEN: &str = "REJOIN_TOKEN";

/// What the phone is started with.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct Phone {
    /// The server's address
    #[arg(long)]
    pub url: String,

    /// The folder that keeps messages
    #[arg(long)]
    pub store: PathBuf,

    /// The user to write to
    #[arg(long)]
    pub to: String,

    /// How many messages to write; they are numbered from 1
    #[arg(long, default_value_t = 0)]
    pub write: usize,
}

/// Writes messages, and ends when all that waited is delivered. Each line on standard output is `accepted N` or a status.
///
/// # Errors
/// When the store cannot be opened, or the server refuses the client.
pub async fn run(phone: Phone) -> Result<(), Failure> {
    let store = FileStore::open(&phone.store)?;
    let chat = RealtimeClient::builder(&phone.url)
        .token(&std::env::var(TOKEN)?)
        .store(store)
        .build()?;

    // Receipts end with the process. What became of messages of an earlier run is told by this.
    let (sender, mut statuses) = mpsc::unbounded_channel();
    chat.socket()
        .on_notice(move |notice| {
            if let Notice::MessageStatus { status, .. } = notice {
                let _ = sender.send(*status);
            }
        })
        .detach();
    let mut waiting = chat.socket().pending().len();
    let mut states = chat.socket().states();
    chat.connect();

    for number in 1..=phone.write {
        let receipt = chat.send_private_message(&phone.to, &number.to_string());
        // On disk from here on, whatever happens to this process.
        receipt.accepted().await?;
        say(format_args!("accepted {number}"))?;
        waiting += 1;
    }
    while waiting > 0 {
        let status = statuses.recv().await.ok_or("the client ended")?;
        say(format_args!("{status}"))?;
        waiting -= 1;
    }
    chat.close();
    while let Some(change) = states.next().await {
        if change.state == State::Failed {
            return Err("the server refused the client".into());
        }
    }
    Ok(())
}

fn say(what: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{what}")?;
    out.flush()
}
