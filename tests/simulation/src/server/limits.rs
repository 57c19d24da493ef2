//! How much a user may say in a window of time, and what that means for what comes behind.

use std::collections::BTreeMap;
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
    /// With `order`: the refused message that each lane waits for.
    blocked: BTreeMap<(String, String), (String, Duration)>,
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
            blocked: BTreeMap::new(),
        }
    }

    /// Whether a user may say this now.
    pub(super) fn take(&mut self, now: Duration, user: &str, lane: &str, id: &str) -> Result<(), Refusal> {
        let Some((most, window)) = self.limit else {
            return Ok(());
        };
        let lane = (user.to_owned(), lane.to_owned());
        let known = self.windows.entry(user.to_owned()).or_insert((now + window, 0));
        if known.0 <= now {
            *known = (now + window, 0);
        }
        let retry_after = known.0 - now;
        if let Some((head, due)) = self.blocked.get(&lane)
            && head != id
            && *due + PATIENCE > now
        {
            return Err(Refusal {
                retry_after,
                behind: Some(head.clone()),
            });
        }
        if known.1 >= most {
            if self.order {
                self.blocked.insert(lane, (id.to_owned(), now + retry_after));
            }
            return Err(Refusal {
                retry_after,
                behind: None,
            });
        }
        known.1 += 1;
        self.blocked.remove(&lane);
        Ok(())
    }

    /// A user gives up a message that was refused.
    pub(super) fn skip(&mut self, user: &str, id: &str) {
        self.blocked.retain(|(owner, _), (head, _)| owner != user || head != id);
    }
}
