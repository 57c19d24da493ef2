//! Alarms in virtual time.

use std::task::{Context, Poll};
use std::time::Duration;

use super::super::Alarm;
use super::world::World;

/// As the native one, it is moved to an earlier time only; at a later one it goes off, and is set then.
pub(super) struct Timer {
    world: World,
    slack: Duration,
    at: Option<Duration>,
    /// When the world wakes its task.
    due: Option<Duration>,
}

impl Timer {
    pub(super) fn new(world: World, slack: Duration) -> Self {
        Self {
            world,
            slack,
            at: None,
            due: None,
        }
    }
}

impl Alarm for Timer {
    fn set(&mut self, at: Option<Duration>) -> bool {
        let Some(at) = at else { return false };
        if self.at.is_some_and(|armed| armed <= at) {
            return false;
        }
        self.at = Some(at);
        true
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let at = at.saturating_add(self.slack);
        let now = self.world.now();
        if at <= now {
            (self.at, self.due) = (None, None);
            return Poll::Ready(());
        }
        if self.due.is_none_or(|due| due <= now || due > at) {
            self.due = Some(at);
            self.world.wake_at(at, cx.waker().clone());
        }
        Poll::Pending
    }
}
