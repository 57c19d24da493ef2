//! How much a user may say in a window of time, and what that means for what comes behind.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long a lane waits for a message that was refused, past the time that it was told. Its client may know nothing of it
/// any more, or two links of one client may have brought its messages in another order.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fixed windows, each from the first message in it.
#[derive(Debug, Clone)]
pub(super) struct Limiter {
    limit: Option<(u32, Duration)>,
    order: bool,
    windows: BTreeMap<String, (Duration, u32)>,
    /// Whether it gave up waiting.
    pub(super) impatient: bool,
    /// With `order`: the refused messages that each lane waits for, in their order, and when each may come again.
    waiting: BTreeMap<(u64, String), VecDeque<(String, Duration)>>,
}

/// Why a message is not taken.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) retry_after: Duration,
    /// The message that has to come first.
    pub(super) behind: Option<String>,
}

impl Limiter {
    pub(super) fn new(limit: Option<(u32, Duration)>, order: bool) -> Self {
        Self {
            limit,
            order,
            windows: BTreeMap::new(),
            impatient: false,
            waiting: BTreeMap::new(),
        }
    }

    /// Whether a user may say this now.
    pub(super) fn take(&mut self, now: Duration, user: &str, link: u64, lane: &str, id: &str) -> Result<(), Refusal> {
        let Some((most, window)) = self.limit else {
            return Ok(());
        };
        let lane = (link, lane.to_owned());
        let known = self.windows.entry(user.to_owned()).or_insert((now + window, 0));
        if known.0 <= now {
            *known = (now + window, 0);
        }
        let retry_after = known.0 - now;
        let waiting = self.waiting.entry(lane).or_default();
        while waiting.front().is_some_and(|(_, due)| *due + PATIENCE <= now) {
            waiting.pop_front();
            self.impatient = true;
        }
        let head = waiting.front().map(|(head, _)| head.clone());
        let behind = head.filter(|head| *head != id);
        if behind.is_none() && known.1 < most {
            known.1 += 1;
            waiting.retain(|(known, _)| known != id);
            return Ok(());
        }
        if self.order {
            match waiting.iter_mut().find(|(known, _)| known == id) {
                Some((_, due)) => *due = now + retry_after,
                None => waiting.push_back((id.to_owned(), now + retry_after)),
            }
        }
        Err(Refusal { retry_after, behind })
    }

    /// From now on there is room for all.
    pub(super) fn widen(&mut self) {
        if let Some((most, _)) = &mut self.limit {
            *most = u32::MAX;
        }
    }

    /// A message that was refused over this link is given up.
    pub(super) fn skip(&mut self, link: u64, id: &str) {
        for (_, waiting) in self.waiting.iter_mut().filter(|((on, _), _)| *on == link) {
            waiting.retain(|(known, _)| known != id);
        }
    }
}
