//! `cargo run -p quickstart`: prints the story, and ends with status 0 only if no message was lost, repeated or out of
//! order.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use quickstart::phone::{self, Phone};
use quickstart::stage::{Elsewhere, Stage};
use quickstart::story::{self, Failure};
use quickstart::timeline::Timeline;

/// Two clients chat through a real server while the network is taken away and given back.
///
/// Without options it starts the reference server in its own process and needs nothing else.
#[derive(Parser)]
#[command(
    version,
    after_help = "With a server of your own:
  cargo run -p rejoin-server -- --dev
  cargo run -p quickstart -- --url http://127.0.0.1:3000 \\
      --token-a \"$(curl -s 'http://127.0.0.1:3000/dev/token?user=alice&name=Alice')\" \\
      --token-b \"$(curl -s 'http://127.0.0.1:3000/dev/token?user=bob&name=Bob')\""
)]
struct Options {
    /// A running server to use instead, as http://host:port
    #[arg(long, requires_all = ["token_a", "token_b"])]
    url: Option<String>,

    /// Alice's token for that server
    #[arg(long, value_name = "TOKEN", requires = "url")]
    token_a: Option<String>,

    /// Bob's token for that server
    #[arg(long, value_name = "TOKEN", requires = "url")]
    token_b: Option<String>,

    #[command(subcommand)]
    part: Option<Part>,
}

/// What the program is started as by itself.
#[derive(Subcommand)]
enum Part {
    /// Alice's phone, for the last chapter
    #[command(hide = true)]
    Phone(Phone),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(verdict) => verdict,
        Err(failure) => {
            eprintln!("quickstart: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<ExitCode, Failure> {
    if let Some(Part::Phone(phone)) = options.part {
        phone::run(phone).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let timeline = Timeline::to_stdout();
    let stage = match (options.url, options.token_a, options.token_b) {
        (Some(url), Some(token_a), Some(token_b)) => {
            let elsewhere = Elsewhere { url, token_a, token_b };
            Stage::elsewhere(elsewhere).await?
        }
        _ => Stage::here().await?,
    };

    let evidence = story::tell(&stage, &timeline).await?;
    stage.close().await;

    print!("\n{}", evidence.table());
    match evidence.faults() {
        faults if faults.is_empty() => {
            println!("\nEvery message is accounted for: none was lost, repeated or out of order.");
            Ok(ExitCode::SUCCESS)
        }
        faults => {
            println!("\nThis must not happen:");
            for fault in faults {
                println!("  {fault}");
            }
            Ok(ExitCode::FAILURE)
        }
    }
}
