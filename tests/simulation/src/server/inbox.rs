//! The events of one link, acted on one after the other, as fast as the server is.

use serde_json::Value;

use super::{Effect, Job, Server};

impl Server {
    /// Has the next frame acted on in its time.
    pub(super) fn go_on(&mut self, link: u64) {
        let (least, most) = self.manner.effort;
        let stuck = self.rng.chance(self.manner.stuck_percent);
        let Some(session) = self.sessions.get_mut(&link) else {
            return;
        };
        if session.serving || session.inbox.is_empty() {
            return;
        }
        session.serving = true;
        let effort = if stuck {
            self.facts.count("server: an event took seconds");
            self.rng.millis(2_000, 15_000)
        } else {
            self.rng.millis(least, most)
        };
        self.out.push(Effect::Later(effort, Job::Serve(link)));
    }

    /// Acts on the next frame.
    pub(super) fn serve(&mut self, link: u64) {
        let Some(session) = self.sessions.get_mut(&link) else {
            return;
        };
        session.serving = false;
        if let Some(frame) = session.inbox.pop_front() {
            self.act(link, &frame);
        }
        match self.sessions.get(&link) {
            Some(session) if session.gone && session.inbox.is_empty() => self.bury(link),
            _ => self.go_on(link),
        }
    }

    fn act(&mut self, link: u64, frame: &str) {
        let joined = self.sessions.get(&link).is_some_and(|session| session.joined.is_some());
        let body = &frame[1..];
        match body.as_bytes().first() {
            Some(b'0') if joined => self.offence(link, "a second CONNECT in a session"),
            Some(b'0') => match body[1..].is_empty() {
                true => self.join(link, &Value::Null),
                false => match serde_json::from_str(&body[1..]) {
                    Ok(data) => self.join(link, &data),
                    Err(_) => self.offence(link, "a CONNECT whose data is no JSON"),
                },
            },
            Some(b'1') if joined => {
                if let Some(session) = self.sessions.get_mut(&link)
                    && let Some(joined) = session.joined.take()
                {
                    self.part(link, joined, false);
                }
            }
            Some(b'2') if joined => match event(&body[1..]) {
                Some((ack, name, argument)) => self.event(link, ack, &name, &argument, frame),
                None => self.offence(link, "an event that cannot be read"),
            },
            Some(b'3') if joined => {
                if let Some((id, _)) = digits(&body[1..]) {
                    self.receipt(link, id);
                }
            }
            // As npm's: what a namespace says that is not joined is nobody's.
            Some(b'1' | b'2' | b'3') => {}
            _ => self.offence(link, "a packet that is none"),
        }
    }

    /// The client has said something for which servers close the link.
    fn offence(&mut self, link: u64, what: &str) {
        self.facts.book().offences.push(what.to_owned());
        self.drop_link(link);
    }

    /// Answers an event, if it asks for that.
    pub(super) fn answer(&mut self, link: u64, ack: Option<u64>, answer: &Value) {
        if let Some(id) = ack {
            self.send(link, format!("43{id}[{answer}]"));
        }
    }
}

/// Acknowledgement id, name and first argument.
fn event(text: &str) -> Option<(Option<u64>, String, Value)> {
    let (ack, json) = match digits(text) {
        Some((id, rest)) => (Some(id), rest),
        None => (None, text),
    };
    let mut args: Vec<Value> = serde_json::from_str(json).ok()?;
    let name = args.first()?.as_str()?.to_owned();
    let argument = if args.len() > 1 {
        args.swap_remove(1)
    } else {
        Value::Null
    };
    Some((ack, name, argument))
}

fn digits(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}
