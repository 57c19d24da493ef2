//! Takes the commands, and answers each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use rejoin::{Outcome, Receipt};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::call::{self, Called};
use super::commands::{self, Envelope};
use super::driven::{Driven, Reporter};
use super::lines::{self, Answer, Lines, OutcomeLine, Refusal, malformed};
use super::options::Options;
use crate::binary;

/// How long clients may take to close.
const CLOSING: Duration = Duration::from_secs(3);

/// The clients that are driven.
pub(super) struct Session {
    lines: Lines,
    clients: HashMap<String, Driven>,
    /// Who waits for outcomes.
    outcomes: JoinSet<()>,
}

/// What to do after a command.
#[derive(PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Exit,
}

impl Session {
    pub(super) fn new(lines: Lines) -> Self {
        Self {
            lines,
            clients: HashMap::new(),
            outcomes: JoinSet::new(),
        }
    }

    /// Takes one command.
    pub(super) fn take(&mut self, line: &str) -> Next {
        let (id, op) = match commands::read(line) {
            Ok(Envelope { id, op: Some(op) }) => (id, op),
            Ok(Envelope { id, op: None }) => {
                self.lines
                    .print(&Answer::refused(&id, &malformed("a command has an `op`")));
                return Next::Go;
            }
            Err(error) => {
                self.lines.print(&Answer::refused(&Value::Null, &error));
                return Next::Go;
            }
        };
        let answer = match op.as_str() {
            "exit" => {
                self.lines.print(&Answer::ok(&id));
                return Next::Exit;
            }
            // What sends answers when the message is accepted.
            "emit" => self.emit(&id, line).map(|()| None),
            "call" => self.call(&id, line),
            _ => self.steer(&id, &op, line).map(Some),
        };
        match answer {
            Ok(Some(answer)) => self.lines.print(&answer),
            Ok(None) => {}
            Err(error) => self.lines.print(&Answer::refused(&id, &error)),
        }
        Next::Go
    }

    /// Closes every client, and waits until everything has its outcome.
    pub(super) async fn close(mut self) {
        let ends: Vec<_> = self.clients.values().map(|client| client.socket.states()).collect();
        for client in self.clients.values() {
            client.close();
        }
        let all = async {
            for end in ends {
                end.for_each(|_| async {}).await;
            }
            while self.outcomes.join_next().await.is_some() {}
        };
        if timeout(CLOSING, all).await.is_err() {
            eprintln!("the clients did not close within {} s", CLOSING.as_secs());
        }
    }

    /// A command that sends nothing whose outcome is told.
    fn steer(&mut self, id: &Value, op: &str, line: &str) -> Result<Answer, Refusal> {
        let mut answer = Answer::ok(id);
        match op {
            "create" => self.create(line)?,
            "connect" => self.plain(line)?.socket.connect(),
            "disconnect" => self.plain(line)?.socket.disconnect(),
            "clear" => self.plain(line)?.socket.clear(),
            "pending" => answer.pending = Some(self.plain(line)?.socket.pending().len()),
            "state" => answer.state = Some(self.plain(line)?.state()),
            "on" | "once" | "off" => {
                let listen: commands::Listen = commands::read(line)?;
                let client = self.client(&listen.client)?;
                match op {
                    "on" => client.on(&listen.event),
                    "once" => client.once(&listen.event)?,
                    _ => client.off(&listen.event),
                }
            }
            "reply" => {
                let reply: commands::Reply = commands::read(line)?;
                let args = binary::outgoing(reply.args.as_deref())?;
                self.client(&reply.client)?.reply(reply.ack, args)?;
            }
            "cancel" => {
                let cancel: commands::Cancel = commands::read(line)?;
                let client = self.client(&cancel.client)?;
                let known = client.reporter.receipts.theirs(cancel.receipt);
                let receipt = known.ok_or_else(|| malformed("there is no such receipt"))?;
                // Whether it came in time is what the outcome says.
                client.socket.cancel(receipt);
            }
            "token" => {
                let token: commands::Token = commands::read(line)?;
                self.client(&token.client)?.set_token(token.token);
            }
            "hint" => {
                let hinted: commands::Hinted = commands::read(line)?;
                let hint = hinted.hint()?;
                self.client(&hinted.client)?.client().hint(hint);
            }
            "stats" => answer.stats = Some(self.plain(line)?.stats()),
            _ => return Err(malformed(format!("there is no op `{op}`"))),
        }
        Ok(answer)
    }

    fn create(&mut self, line: &str) -> Result<(), Refusal> {
        let create: commands::Create = commands::read(line)?;
        let options = Options::read(create.options.unwrap_or_default())?;
        if self.clients.contains_key(&create.client) {
            return Err(malformed(format!("client `{}` is there already", create.client)));
        }
        let lines = self.lines.clone();
        let made = match (create.of, create.url) {
            (Some(of), None) => self.client(&of)?.create_of(&create.client, options, &lines)?,
            (None, Some(url)) => Driven::create(&create.client, url, options, &lines)?,
            _ => return Err(malformed("`create` has either `url` or `of`")),
        };
        self.clients.insert(create.client, made);
        Ok(())
    }

    fn emit(&mut self, id: &Value, line: &str) -> Result<(), Refusal> {
        let emit: commands::Emit = commands::read(line)?;
        let args = binary::outgoing(emit.args.as_deref())?;
        let client = self.client(&emit.client)?;
        let reporter = Arc::clone(&client.reporter);
        let options = emit.options();
        let (number, receipt) = reporter
            .receipts
            .number(|| client.socket.emit_raw(&emit.event, args, options));
        self.follow(id, reporter, number, receipt);
        Ok(())
    }

    fn call(&mut self, id: &Value, line: &str) -> Result<Option<Answer>, Refusal> {
        let call: commands::Call = commands::read(line)?;
        let client = self.client(&call.client)?;
        let chat = client.chat().ok_or_else(call::no_chat)?;
        match call::call(chat, &call.method, call.args)? {
            Called::Done => Ok(Some(Answer::ok(id))),
            Called::Sent(receipt) => {
                let reporter = Arc::clone(&client.reporter);
                let (number, receipt) = reporter.receipts.number(|| receipt);
                self.follow(id, reporter, number, receipt);
                Ok(None)
            }
        }
    }

    /// Answers a command that sent something, as soon as that is accepted, and then tells its outcome.
    fn follow(&mut self, id: &Value, reporter: Arc<Reporter>, number: u64, receipt: Receipt) {
        while self.outcomes.try_join_next().is_some() {}
        let accepted = receipt.accepted();
        let id = id.clone();
        let mut following = Box::pin(async move {
            if let Err(error) = accepted.await {
                reporter.receipts.forget(number);
                return reporter.lines.print(&Answer::refused(&id, &error.into()));
            }
            let mut answer = Answer::ok(&id);
            answer.receipt = Some(number);
            reporter.lines.print(&answer);
            let outcome = receipt.await;
            print_outcome(&reporter, number, &outcome);
        });
        // Without a store it is accepted or refused by now: the answer then stands before those to later commands.
        if following.as_mut().now_or_never().is_none() {
            self.outcomes.spawn(following);
        }
    }

    fn plain(&mut self, line: &str) -> Result<&mut Driven, Refusal> {
        let plain: commands::Plain = commands::read(line)?;
        self.client(&plain.client)
    }

    fn client(&mut self, name: &str) -> Result<&mut Driven, Refusal> {
        self.clients
            .get_mut(name)
            .ok_or_else(|| malformed(format!("there is no client `{name}`")))
    }
}

fn print_outcome(reporter: &Reporter, receipt: u64, outcome: &Outcome) {
    let reply = match outcome {
        Outcome::Delivered(payload) => Some(binary::incoming(payload)),
        _ => None,
    };
    reporter.lines.print(&OutcomeLine {
        client: &reporter.client,
        receipt,
        outcome: outcome.name(),
        reply,
        error: outcome.error().map(lines::error_object),
    });
}
