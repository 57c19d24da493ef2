//! What is kept for a user until there is a receipt for it.

use serde_json::Value;

use super::Server;
use crate::book::{PEOPLE, Run};

/// One event that is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    id: String,
    name: String,
    payload: Value,
}

impl Server {
    /// Says something that must not be lost: with `receipts` it is kept until the client has it.
    pub(super) fn post(&mut self, user: &str, id: String, name: &str, payload: Value) {
        let kept = Kept {
            id,
            name: name.to_owned(),
            payload,
        };
        for link in self.links_of(user) {
            self.hand_over(link, &kept);
        }
        self.post.entry(user.to_owned()).or_default().push(kept);
    }

    /// Hands over everything that was kept.
    pub(super) fn hand_over_post(&mut self, link: u64) {
        let Some(user) = self.user(link) else { return };
        for kept in self.post.get(&user).cloned().unwrap_or_default() {
            self.hand_over(link, &kept);
        }
    }

    fn hand_over(&mut self, link: u64, kept: &Kept) {
        let session = self.sessions.get_mut(&link).filter(|session| !session.gone);
        let Some(joined) = session.and_then(|session| session.joined.as_mut()) else {
            return;
        };
        if !joined.greeted {
            return;
        }
        let ack = joined.next_ack();
        joined.awaited.insert(ack, kept.id.clone());
        self.send(link, format!("42{ack}[\"{}\",{}]", kept.name, kept.payload));
    }

    /// The client has an event.
    pub(super) fn receipt(&mut self, link: u64, ack: u64) {
        let session = self.sessions.get_mut(&link);
        let Some(joined) = session.and_then(|session| session.joined.as_mut()) else {
            return;
        };
        let (user, id) = (joined.user.clone(), joined.awaited.remove(&ack));
        let Some(id) = id else {
            let mut book = self.facts.book();
            book.offences.push("an answer to an event that did not ask".to_owned());
            return;
        };
        if let Some(kept) = self.post.get_mut(&user) {
            kept.retain(|kept| kept.id != id);
        }
        let who = PEOPLE.iter().position(|person| *person == user).unwrap_or(0);
        let mut book = self.facts.book();
        let number = book
            .dials
            .iter()
            .rfind(|(run, _, wire)| *wire == link && run.who == who);
        let number = number.map_or(0, |(run, ..)| run.number);
        book.receipts.push((Run { who, number }, id, self.now));
    }
}
