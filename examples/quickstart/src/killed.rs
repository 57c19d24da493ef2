//! The last chapter: a program is killed while its messages wait, and started again.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::checks::WRITTEN;
use crate::person::{Person, within};
use crate::phone::TOKEN;
use crate::stage::Stage;
use crate::story::{Failure, summary};
use crate::timeline::{Timeline, Who};

/// Kills Alice's phone with messages queued; gives what Bob has heard of them in the end.
pub(crate) async fn tell(
    stage: &Stage,
    timeline: &Timeline,
    bob: &mut Person,
    bob_id: &str,
) -> Result<Vec<usize>, Failure> {
    let folder = TempDir::new()?;
    stage.tunnel.cut();
    timeline.say(Who::Alice, "takes her phone, a program of its own, and has no network");
    let mut phone = start(stage, &folder, bob_id, WRITTEN)?;
    for number in 1..=WRITTEN {
        let line = phone.next().await?;
        if line != format!("accepted {number}") {
            return Err(format!("the phone says {line:?}").into());
        }
    }
    timeline.say(
        Who::Alice,
        format_args!("writes {WRITTEN} messages on it; each is on disk before it counts as accepted"),
    );
    phone.child.kill().await?;
    timeline.say(Who::Network, "the phone's program is killed, as by kill -9");

    stage.tunnel.restore();
    timeline.say(
        Who::Network,
        "Alice's network is back, and the program is started again",
    );
    let mut phone = start(stage, &folder, bob_id, 0)?;
    let mut statuses = Vec::new();
    for _ in 0..WRITTEN {
        statuses.push(phone.next().await?);
    }
    let ended = within("the phone's program ends", phone.child.wait()).await??;
    let delivered = statuses.iter().filter(|status| *status == "delivered").count();
    timeline.say(
        Who::Alice,
        format_args!("is told about messages of the earlier run: {delivered} delivered"),
    );
    if !ended.success() {
        return Err(format!("the phone's program ended with {ended}").into());
    }
    let heard = within("Bob hears them", bob.hears_from_the_phone(WRITTEN)).await?;
    timeline.say(
        Who::Bob,
        format_args!("hears {} messages: {}", heard.len(), summary(&heard)),
    );
    Ok(heard)
}

/// The program, and what it prints.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

fn start(stage: &Stage, folder: &TempDir, bob_id: &str, write: usize) -> Result<Running, Failure> {
    let mut child = Command::new(&stage.program)
        .arg("phone")
        .args(["--url", &stage.alice.url])
        .arg("--store")
        .arg(folder.path())
        .args(["--to", bob_id, "--write", &write.to_string()])
        .env(TOKEN, &stage.alice.token)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let out = child.stdout.take().ok_or("the program has no output")?;
    Ok(Running {
        child,
        lines: BufReader::new(out).lines(),
    })
}

impl Running {
    async fn next(&mut self) -> Result<String, Failure> {
        let line = within("the phone says something", self.lines.next_line()).await??;
        line.ok_or_else(|| "the phone's program ended too early".into())
    }
}
