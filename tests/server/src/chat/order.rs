//! Order: what follows a refused message in its lane is refused too, until that one comes again.
//!
//! A *lane* is what keeps its order: all that one user sends to another user (messages and
//! invitations), to a room, to a game, or about notifications, over all connections of that user.
//! The lanes are the client's own.
//!
//! A client sends without waiting for answers. When the eleventh of a hundred is refused for a limit,
//! those behind it are on their way, and the limit may give way between any two of them. So the lane
//! remembers which ids it refused, in their order, and takes only the first of them until none is
//! left. An id leaves the list when it is taken, refused for good, or skipped (`skip {messageId}`).
//!
//! - A lane does not wait for ever. An id that does not come again for `order_patience` past the time
//!   that it was told is forgotten once it is the first: its client may have lost its queue.
//! - Memory is bounded: [`MAX_IN_LANE`] and [`MAX_OF_USER`] ids. What is refused beyond that is
//!   refused as well, and comes behind all that is remembered; among itself it has no order.
//! - Nothing here outlives the server. It need not: with the server all links end, and what was on
//!   its way ends with them. A client then sends each lane anew from its oldest unanswered message,
//!   which is where an empty lane begins.
//! - A `skip` speaks of what was refused so far. One that overtakes its message, over a new connection
//!   while the old one is still being read, finds nothing to skip, and the lane waits for its patience.

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

/// How many ids all lanes of one user remember, and so how many lanes of one user can wait.
const MAX_OF_USER: usize = 4_096;

/// When to come again behind a message that is overdue.
const OVERDUE_RETRY: Duration = Duration::from_secs(1);

/// Below this many users it is not worth looking for those whose lanes wait no more.
const SWEEP_MIN: usize = 1_024;

/// Where one event stands: whose it is, in which lane, and under which id.
#[derive(Debug)]
pub(super) struct Place<'a> {
    user: &'a str,
    /// `None` where order is not kept.
    lane: Option<String>,
    id: Option<&'a str>,
}

/// All lanes that wait for something. Whether an event is taken is decided by whoever holds the
/// store, as is whether it is a copy.
#[derive(Debug)]
pub(crate) struct Lanes {
    patience: Duration,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    users: HashMap<String, HashMap<String, Lane>>,
    sweep_at: usize,
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
    /// The place of an event of this name and payload.
    pub(super) fn of(hub: &Hub, session: &'a Session, name: &str, fields: &'a Fields, is_answered: bool) -> Self {
        let lane = match hub.config.features.order {
            true => lane(name, fields, is_answered),
            false => None,
        };
        Self {
            user: &session.user.id,
            lane,
            id: fields.message_id().ok().flatten(),
        }
    }

    /// Counts an action against its limit, unless something before it has to come first.
    pub(super) fn take(&self, hub: &Hub, session: &Session, action: Action) -> Result<(), Refusal> {
        if let Some(lane) = &self.lane {
            let admitted = hub.lanes.admit(self.user, lane, self.id);
            admitted.map_err(|behind| Refusal::behind(behind.head, behind.wait))?;
        }
        messages::take(hub, session, action)
    }

    /// The same, and if it is refused, its lane waits for it.
    pub(super) fn take_or_wait(&self, hub: &Hub, session: &Session, action: Action) -> Result<(), Refusal> {
        let taken = self.take(hub, session, action);
        taken.map_err(|refusal| self.remember(hub, refusal))
    }

    /// Notes that it was refused, if it is to come again: its lane waits for it.
    pub(super) fn remember(&self, hub: &Hub, refusal: Refusal) -> Refusal {
        if let (Some(lane), Some(id), Some(wait)) = (&self.lane, self.id, refusal.retry_after_ms) {
            hub.lanes.refused(self.user, lane, id, Duration::from_millis(wait));
        }
        refusal
    }

    /// Notes that it will not come again: it was taken, or refused for good.
    pub(super) fn settle(&self, hub: &Hub) {
        if let Some(id) = self.id {
            hub.lanes.forget(self.user, id);
        }
    }
}

/// `skip`: the client will not send this message again. It may be told twice, so an id that no lane
/// waits for is as good.
pub(super) fn skip(hub: &Hub, session: &Session, fields: &Fields) -> Result<Answer, Refusal> {
    let id = fields.message_id()?;
    let id = id.ok_or_else(|| Refusal::invalid("messageId", "must say what is skipped"))?;
    hub.lanes.forget(&session.user.id, id);
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
        let inner = Inner {
            users: HashMap::new(),
            sweep_at: SWEEP_MIN,
        };
        Self {
            patience,
            inner: Mutex::new(inner),
        }
    }

    /// Whether an event may be taken now, as far as its lane is concerned.
    fn admit(&self, user: &str, lane: &str, id: Option<&str>) -> Result<(), Behind> {
        let now = Instant::now();
        let mut inner = self.lock();
        inner.lapse(user, lane, now, self.patience);
        let head = inner.users.get(user).and_then(|lanes| lanes.get(lane)?.front());
        match head {
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
    fn refused(&self, user: &str, lane: &str, id: &str, wait: Duration) {
        let now = Instant::now();
        let due = now + wait.min(Duration::from_secs(u64::from(u32::MAX)));
        let mut inner = self.lock();
        inner.sweep(now, self.patience);
        let lanes = inner.users.entry(user.to_owned()).or_default();
        let remembered: usize = lanes.values().map(VecDeque::len).sum();
        if let Some(known) = lanes
            .get_mut(lane)
            .and_then(|lane| lane.iter_mut().find(|known| known.id == id))
        {
            known.due = due;
        } else if remembered < MAX_OF_USER {
            let lane = lanes.entry(lane.to_owned()).or_default();
            if lane.len() < MAX_IN_LANE {
                lane.push_back(Refused { id: id.to_owned(), due });
            }
        }
    }

    /// Waits for an id no more, wherever it stands.
    fn forget(&self, user: &str, id: &str) {
        let mut inner = self.lock();
        let Some(lanes) = inner.users.get_mut(user) else {
            return;
        };
        lanes.retain(|_, lane| {
            lane.retain(|refused| refused.id != id);
            !lane.is_empty()
        });
        if lanes.is_empty() {
            inner.users.remove(user);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Forgets the first ids of a lane that did not come again in time.
    fn lapse(&mut self, user: &str, lane: &str, now: Instant, patience: Duration) {
        let Some(lanes) = self.users.get_mut(user) else {
            return;
        };
        if let Some(waiting) = lanes.get_mut(lane) {
            lapse(waiting, now, patience);
            if waiting.is_empty() {
                lanes.remove(lane);
            }
        }
        if lanes.is_empty() {
            self.users.remove(user);
        }
    }

    /// Forgets what nobody comes back to, each time the number of users has doubled.
    fn sweep(&mut self, now: Instant, patience: Duration) {
        if self.users.len() < self.sweep_at {
            return;
        }
        self.users.retain(|_, lanes| {
            lanes.retain(|_, lane| {
                lapse(lane, now, patience);
                !lane.is_empty()
            });
            !lanes.is_empty()
        });
        self.sweep_at = (self.users.len() * 2).max(SWEEP_MIN);
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
                self.refused("u1", "room:tea", id, WAIT);
            }
        }

        /// What this id has to wait for.
        fn head(&self, id: &str) -> Option<String> {
            let admitted = self.admit("u1", "room:tea", Some(id));
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
            lanes.forget("u1", id);
        }
        assert_eq!(lanes.head("new"), None);
        assert!(lanes.lock().users.is_empty(), "nothing is left behind");
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_is_refused_again_keeps_its_place() {
        let lanes = lanes();
        lanes.refuse(&["m11", "m12", "m11"]);
        lanes.forget("u1", "m11");
        assert_eq!(lanes.head("m12"), None);
        assert_eq!(lanes.head("m11"), Some("m12".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lane_is_one_users_and_one_targets() {
        let lanes = lanes();
        lanes.refuse(&["m11"]);
        assert!(lanes.admit("u2", "room:tea", None).is_ok());
        assert!(lanes.admit("u1", "room:den", None).is_ok());
        assert!(lanes.admit("u1", "room:tea", None).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_behind_waits_as_long_as_the_first_and_then_a_second_at_a_time() {
        let lanes = lanes();
        lanes.refuse(&["m11"]);
        let wait = |lanes: &Lanes| lanes.admit("u1", "room:tea", None).err().map(|behind| behind.wait);
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
        // Another client of the user, which goes on trying, does not keep what was lost alive.
        lanes.refuse(&["alive"]);
        assert_eq!(lanes.head("alive"), Some("lost".to_owned()));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(lanes.head("alive"), None);
        assert_eq!(lanes.head("new"), Some("alive".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn no_lane_and_no_user_is_remembered_beyond_its_bound() {
        let lanes = lanes();
        for n in 0..2 * MAX_IN_LANE {
            lanes.refused("u1", "room:tea", &n.to_string(), WAIT);
        }
        assert_eq!(lanes.lock().users["u1"]["room:tea"].len(), MAX_IN_LANE);
        for n in 0..2 * MAX_OF_USER {
            lanes.refused("u1", &format!("user:{n}"), "m1", WAIT);
        }
        let all = |lanes: &Lanes| lanes.lock().users["u1"].values().map(VecDeque::len).sum::<usize>();
        assert_eq!(all(&lanes), MAX_OF_USER);
    }

    #[tokio::test(start_paused = true)]
    async fn users_whose_lanes_wait_no_more_are_forgotten() {
        let lanes = lanes();
        for user in 0..10 * SWEEP_MIN {
            lanes.refused(&user.to_string(), "room:tea", "m1", WAIT);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let users = lanes.lock().users.len();
        assert!(users <= SWEEP_MIN, "{users}");
    }
}
