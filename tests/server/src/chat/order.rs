//! Order: what follows a refused message in its lane is refused too, until that one comes again.
//!
//! A *lane* is what keeps its order: all that one connection sends to another user (messages and
//! invitations), to a room, to a game, or about notifications. The lanes are the client's own.
//!
//! Lanes are a connection's, not a user's. A client that has lost its connection sends again from its
//! oldest unanswered message, while what it had sent over the old one may still be read here: were
//! the lane the same, it could wait for a message that the client sends only later. Apart, either
//! connection is in order, and copies of what the other brought are answered as copies.
//!
//! A client sends without waiting for answers. When the eleventh of a hundred is refused for a limit,
//! those behind it are on their way, and the limit may give way between any two of them. So the lane
//! remembers which ids it refused, in their order, and takes only the first of them until none is
//! left. An id leaves the list when it is taken, refused for good, or skipped (`skip {messageId}`).
//!
//! - A lane does not wait for ever. An id that does not come again for `order_patience` past the time
//!   that it was told is forgotten once it is the first: its client may have lost its queue.
//! - Memory is bounded: [`MAX_IN_LANE`] and [`MAX_IN_ALL`] ids. What is refused beyond that is
//!   refused as well, and comes behind all that is remembered; among itself it has no order.
//! - Nothing here outlives the connection. It need not: a client sends each lane anew from its oldest
//!   unanswered message, which is where an empty lane begins.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Answer, Refusal};
use super::fields::{Fields, MAX_NAME};
use super::hub::Hub;
use super::messages;
use super::session::Session;
use crate::limits::Action;

/// How many ids one lane remembers.
const MAX_IN_LANE: usize = 1_000;

/// How many ids all lanes of one connection remember, and so how many of them can wait.
const MAX_IN_ALL: usize = 4_096;

/// When to come again behind a message that is overdue.
const OVERDUE_RETRY: Duration = Duration::from_secs(1);

/// Where one event stands: in which lane, and under which id.
#[derive(Debug)]
pub(super) struct Place<'a> {
    lanes: &'a Lanes,
    /// `None` where order is not kept.
    lane: Option<String>,
    id: Option<&'a str>,
}

/// The lanes of one connection that wait for something. Whether an event is taken is decided by whoever holds the
/// store, as is whether it is a copy.
#[derive(Debug)]
pub(crate) struct Lanes {
    patience: Duration,
    lanes: Mutex<HashMap<String, Lane>>,
}

/// The ids that were refused, in their order; never empty between two calls.
type Lane = VecDeque<Refused>;

#[derive(Debug)]
struct Refused {
    id: String,
    /// When it may come again.
    due: Instant,
}

/// What an event has to wait for.
#[derive(Debug, PartialEq, Eq)]
struct Behind {
    head: String,
    wait: Duration,
}

impl<'a> Place<'a> {
    /// The place of an event of this name and payload; `is_wanted`: it asks for an acknowledgement.
    pub(super) fn of(hub: &Hub, session: &'a Session, name: &str, fields: &'a Fields, is_wanted: bool) -> Self {
        let is_answered = is_wanted && hub.config.features.ack;
        let lane = match hub.config.features.order {
            true => lane(name, fields, is_answered),
            false => None,
        };
        Self {
            lanes: &session.lanes,
            lane,
            id: fields.message_id().ok().flatten(),
        }
    }

    /// Counts an action against its limit, unless something before it has to come first.
    pub(super) fn take(&self, hub: &Hub, session: &Session, action: Action) -> Result<(), Refusal> {
        if let Some(lane) = &self.lane {
            let admitted = self.lanes.admit(lane, self.id);
            admitted.map_err(|behind| Refusal::behind(behind.head, behind.wait))?;
        }
        messages::take(hub, session, action)
    }

    /// The same, and if it is refused, its lane waits for it.
    pub(super) fn take_or_wait(&self, hub: &Hub, session: &Session, action: Action) -> Result<(), Refusal> {
        let taken = self.take(hub, session, action);
        taken.map_err(|refusal| self.remember(refusal))
    }

    /// Notes that it was refused, if it is to come again: its lane waits for it.
    pub(super) fn remember(&self, refusal: Refusal) -> Refusal {
        if let (Some(lane), Some(id), Some(wait)) = (&self.lane, self.id, refusal.retry_after_ms) {
            self.lanes.refused(lane, id, Duration::from_millis(wait));
        }
        refusal
    }

    /// Notes that it will not come again: it was taken, or refused for good.
    pub(super) fn settle(&self) {
        if let Some(id) = self.id {
            self.lanes.forget(id);
        }
    }
}

/// `skip`: the client will not send this message again. It may be told twice, so an id that no lane
/// waits for is as good.
pub(super) fn skip(session: &Session, fields: &Fields) -> Result<Answer, Refusal> {
    let id = fields.message_id()?;
    let id = id.ok_or_else(|| Refusal::invalid("messageId", "must say what is skipped"))?;
    session.lanes.forget(id);
    Ok(Answer::done())
}

/// The lane of an event, under the client's name for it.
fn lane(name: &str, fields: &Fields, is_answered: bool) -> Option<String> {
    let named = |kind: &str, field| {
        let id = fields.text(field, MAX_NAME).ok()?;
        Some([kind, id].concat())
    };
    match name {
        "private_message" | "game_invite" => named("user:", "recipientId"),
        "group_message" => named("room:", "roomId"),
        // Whoever does not ask cannot hear that it has to come again, and would never leave.
        "leave_room" if is_answered => named("room:", "roomId"),
        "game_move" => named("game:", "gameId"),
        "mark_notifications_read" => Some("notifications".to_owned()),
        _ => None,
    }
}

impl Lanes {
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            lanes: Mutex::default(),
        }
    }

    /// Whether an event may be taken now, as far as its lane is concerned.
    fn admit(&self, lane: &str, id: Option<&str>) -> Result<(), Behind> {
        let now = Instant::now();
        let mut lanes = self.lock();
        if let Some(waiting) = lanes.get_mut(lane) {
            lapse(waiting, now, self.patience);
            if waiting.is_empty() {
                lanes.remove(lane);
            }
        }
        match lanes.get(lane).and_then(VecDeque::front) {
            Some(head) if id != Some(&head.id) => Err(Behind {
                head: head.id.clone(),
                wait: match head.due.saturating_duration_since(now) {
                    Duration::ZERO => OVERDUE_RETRY,
                    wait => wait,
                },
            }),
            _ => Ok(()),
        }
    }

    /// Remembers an id that was refused, behind those before it, or that it was refused again.
    fn refused(&self, lane: &str, id: &str, wait: Duration) {
        let due = Instant::now() + wait.min(Duration::from_secs(u64::from(u32::MAX)));
        let mut lanes = self.lock();
        let remembered: usize = lanes.values().map(VecDeque::len).sum();
        if let Some(known) = lanes
            .get_mut(lane)
            .and_then(|lane| lane.iter_mut().find(|known| known.id == id))
        {
            known.due = due;
        } else if remembered < MAX_IN_ALL {
            let lane = lanes.entry(lane.to_owned()).or_default();
            if lane.len() < MAX_IN_LANE {
                lane.push_back(Refused { id: id.to_owned(), due });
            }
        }
    }

    /// Waits for an id no more, wherever it stands.
    fn forget(&self, id: &str) {
        self.lock().retain(|_, lane| {
            lane.retain(|refused| refused.id != id);
            !lane.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lapse(lane: &mut Lane, now: Instant, patience: Duration) {
    let is_over = |head: &Refused| head.due.checked_add(patience).is_some_and(|end| end <= now);
    while lane.front().is_some_and(is_over) {
        lane.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);
    const WAIT: Duration = Duration::from_secs(10);

    fn lanes() -> Lanes {
        Lanes::new(PATIENCE)
    }

    impl Lanes {
        fn refuse(&self, ids: &[&str]) {
            for id in ids {
                self.refused("room:tea", id, WAIT);
            }
        }

        /// What this id has to wait for.
        fn head(&self, id: &str) -> Option<String> {
            let admitted = self.admit("room:tea", Some(id));
            admitted.err().map(|behind| behind.head)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refused_ids_are_taken_in_the_order_in_which_they_were_refused() {
        let lanes = lanes();
        lanes.refuse(&["m11", "m12", "m13"]);
        for (id, later) in [("m11", "m12"), ("m12", "m13"), ("m13", "new")] {
            assert_eq!(lanes.head(later), Some(id.to_owned()));
            assert_eq!(lanes.head(id), None);
            lanes.forget(id);
        }
        assert_eq!(lanes.head("new"), None);
        assert!(lanes.lock().is_empty(), "nothing is left behind");
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_is_refused_again_keeps_its_place() {
        let lanes = lanes();
        lanes.refuse(&["m11", "m12", "m11"]);
        lanes.forget("m11");
        assert_eq!(lanes.head("m12"), None);
        assert_eq!(lanes.head("m11"), Some("m12".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_is_one_targets() {
        let lanes = lanes();
        lanes.refuse(&["m11"]);
        assert!(lanes.admit("room:den", None).is_ok());
        assert!(lanes.admit("room:tea", None).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_behind_waits_as_long_as_the_first_and_then_a_second_at_a_time() {
        let lanes = lanes();
        lanes.refuse(&["m11"]);
        let wait = |lanes: &Lanes| lanes.admit("room:tea", None).err().map(|behind| behind.wait);
        tokio::time::advance(Duration::from_secs(4)).await;
        assert_eq!(wait(&lanes), Some(Duration::from_secs(6)));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(wait(&lanes), Some(OVERDUE_RETRY));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_forgets_what_does_not_come_again_and_waits_for_what_does() {
        let lanes = lanes();
        lanes.refuse(&["lost", "lost too"]);
        tokio::time::advance(WAIT + PATIENCE - Duration::from_secs(1)).await;
        // What goes on being tried does not keep what was lost alive.
        lanes.refuse(&["alive"]);
        assert_eq!(lanes.head("alive"), Some("lost".to_owned()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(lanes.head("alive"), None);
        assert_eq!(lanes.head("new"), Some("alive".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_is_remembered_than_the_bounds() {
        let lanes = lanes();
        for n in 0..2 * MAX_IN_LANE {
            lanes.refused("room:tea", &n.to_string(), WAIT);
        }
        assert_eq!(lanes.lock()["room:tea"].len(), MAX_IN_LANE);
        for n in 0..2 * MAX_IN_ALL {
            lanes.refused(&format!("user:{n}"), "m1", WAIT);
        }
        let all = lanes.lock().values().map(VecDeque::len).sum::<usize>();
        assert_eq!(all, MAX_IN_ALL);
    }
}
