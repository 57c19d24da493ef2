//! Events that must not be done twice: a copy, known by its `messageId`, gets the first one's answer.

use super::answer::{Answer, Refusal};
use super::fields::Fields;
use super::hub::Hub;
use super::session::Session;
use crate::clock::{iso8601, unix_ms};
use crate::store::{Delivery, Entry, Store};

/// One request, to be done at most once.
pub(super) struct Once<'a> {
    session: &'a Session,
    id: Option<&'a str>,
    timestamp: String,
}

impl<'a> Once<'a> {
    pub(super) fn read(hub: &Hub, session: &'a Session, fields: &'a Fields) -> Result<Self, Refusal> {
        let id = fields.message_id()?;
        Ok(Self {
            session,
            id: id.filter(|_| hub.config.features.dedupe),
            timestamp: iso8601(unix_ms()),
        })
    }

    /// What was answered to the first, if this is a copy.
    pub(super) async fn before(&self, hub: &Hub, store: &mut Store) -> Result<Option<Answer>, Refusal> {
        let Some(first) = store.before(&self.session.user, self.id).await? else {
            return Ok(None);
        };
        hub.counters.duplicates.add(1);
        Answer::from_json(&first.answer)?.into_result().map(Some)
    }

    /// The row by which a copy will be known; `answer` is what it will get.
    pub(super) fn entry<'b>(&'b self, answer: &'b str) -> Entry<'b> {
        Entry {
            sender: &self.session.user,
            once: self.id,
            id: self.id.unwrap_or_default(),
            recipient: None,
            room: None,
            content: None,
            timestamp: &self.timestamp,
            answer,
            delivery: Delivery::Done,
        }
    }

    /// Refuses it, and every copy alike.
    pub(super) async fn refuse(&self, store: &mut Store, refusal: Refusal) -> Result<Answer, Refusal> {
        let answer = Answer::refused(refusal);
        store.record(&self.entry(&answer.to_json())).await?;
        answer.into_result()
    }
}
