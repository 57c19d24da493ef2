//! Rate limits: so many of one action in a window of time, per user.
//!
//! The window is fixed and starts with the first action in it. A sliding one would let a pipelined
//! burst in out of order, as its edge moves while the burst is read; with a fixed one whoever waits
//! for `retryAfterMs` finds a whole window open.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many are taken in one window.
    pub count: u32,
    /// How long a window lasts, from the first one taken in it.
    pub window: Duration,
}

impl Limit {
    /// At most `count` in each `window`.
    #[must_use]
    pub const fn new(count: u32, window: Duration) -> Self {
        Self { count, window }
    }

    /// How many are four fifths of it, rounded up.
    fn warning_at(self) -> u32 {
        self.count - self.count / 5
    }
}

/// How often one user may do what, over all connections of that user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// `private_message`. Default 100,000 in 10 s.
    pub private_message: Limit,
    /// `group_message`. Default 100,000 in 10 s.
    pub group_message: Limit,
    /// `typing_start` and `typing_stop` together. Default 10,000 in 10 s.
    pub typing: Limit,
    /// `join_room` and `leave_room` together. Default 1,000 in 10 s.
    pub join_room: Limit,
    /// `create_room`. Default 1,000 in 10 s.
    pub create_room: Limit,
    /// `game_invite`. Default 1,000 in 10 s.
    pub game_invite: Limit,
    /// `game_move`. Default 10,000 in 10 s.
    pub game_move: Limit,
    /// `mark_notifications_read`. Default 1,000 in 10 s.
    pub mark_read: Limit,
}

impl Default for RateLimits {
    fn default() -> Self {
        let window = Duration::from_secs(10);
        Self {
            private_message: Limit::new(100_000, window),
            group_message: Limit::new(100_000, window),
            typing: Limit::new(10_000, window),
            join_room: Limit::new(1_000, window),
            create_room: Limit::new(1_000, window),
            game_invite: Limit::new(1_000, window),
            game_move: Limit::new(10_000, window),
            mark_read: Limit::new(1_000, window),
        }
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    PrivateMessage,
    GroupMessage,
    Typing,
    JoinRoom,
    CreateRoom,
    GameInvite,
    GameMove,
    MarkRead,
}

/// An action that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Whether it is the one with which four fifths of the window are used.
    pub(crate) is_warning: bool,
}

/// Counts actions against the limits.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: RateLimits,
    windows: Mutex<Windows>,
}

#[derive(Debug)]
struct Windows {
    open: HashMap<(String, Action), Window>,
    sweep_at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Instant,
    taken: u32,
}

/// Below this many windows it is not worth looking for those that ended.
const SWEEP_MIN: usize = 1024;

/// A limit below this is used up too soon for a warning to help.
const WARN_MIN: u32 = 5;

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let windows = Windows {
            open: HashMap::new(),
            sweep_at: SWEEP_MIN,
        };
        Self {
            limits,
            windows: Mutex::new(windows),
        }
    }

    /// Counts one action of `user`, or says how long to wait until it is taken.
    pub(crate) fn take(&self, user: &str, action: Action) -> Result<Taken, Duration> {
        let limit = self.limit(action);
        let now = Instant::now();
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.sweep(now);
        let fresh = Window {
            ends: now + limit.window,
            taken: 0,
        };
        let window = windows
            .open
            .entry((user.to_owned(), action))
            .and_modify(|window| {
                if window.ends <= now {
                    *window = fresh;
                }
            })
            .or_insert(fresh);
        if window.taken >= limit.count {
            return Err(window.ends - now);
        }
        window.taken += 1;
        Ok(Taken {
            is_warning: limit.count >= WARN_MIN && window.taken == limit.warning_at(),
        })
    }

    fn limit(&self, action: Action) -> Limit {
        match action {
            Action::PrivateMessage => self.limits.private_message,
            Action::GroupMessage => self.limits.group_message,
            Action::Typing => self.limits.typing,
            Action::JoinRoom => self.limits.join_room,
            Action::CreateRoom => self.limits.create_room,
            Action::GameInvite => self.limits.game_invite,
            Action::GameMove => self.limits.game_move,
            Action::MarkRead => self.limits.mark_read,
        }
    }
}

impl Windows {
    /// Forgets windows that ended, each time their number has doubled.
    fn sweep(&mut self, now: Instant) {
        if self.open.len() >= self.sweep_at {
            self.open.retain(|_, window| window.ends > now);
            self.sweep_at = (self.open.len() * 2).max(SWEEP_MIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(count: u32, window: Duration) -> Limiter {
        Limiter::new(RateLimits {
            private_message: Limit::new(count, window),
            ..RateLimits::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_takes_its_count_and_the_next_one_as_many_again() {
        let limiter = limiter(3, Duration::from_secs(2));
        for _ in 0..2 {
            for _ in 0..3 {
                assert!(limiter.take("u1", Action::PrivateMessage).is_ok());
            }
            tokio::time::advance(Duration::from_millis(500)).await;
            let wait = limiter.take("u1", Action::PrivateMessage);
            assert_eq!(wait, Err(Duration::from_millis(1500)));
            tokio::time::advance(Duration::from_millis(1500)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn users_and_actions_are_counted_apart() {
        let limiter = limiter(1, Duration::from_secs(2));
        assert!(limiter.take("u1", Action::PrivateMessage).is_ok());
        assert!(limiter.take("u1", Action::PrivateMessage).is_err());
        assert!(limiter.take("u2", Action::PrivateMessage).is_ok());
        assert!(limiter.take("u1", Action::GroupMessage).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_action_of_a_window_is_the_warning() {
        let limiter = limiter(10, Duration::from_secs(2));
        let taken = (0..10).map(|_| limiter.take("u1", Action::PrivateMessage));
        let warned: Vec<bool> = taken.map(|taken| taken.is_ok_and(|taken| taken.is_warning)).collect();
        let eighth = (1..=10).map(|nth| nth == 8).collect::<Vec<_>>();
        assert_eq!(warned, eighth);
    }

    #[tokio::test(start_paused = true)]
    async fn windows_that_ended_are_forgotten() {
        let limiter = limiter(1, Duration::from_secs(2));
        for user in 0..10 * SWEEP_MIN {
            let _ = limiter.take(&user.to_string(), Action::PrivateMessage);
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        let windows = limiter.windows.lock().expect("not poisoned");
        assert!(windows.open.len() <= SWEEP_MIN, "{}", windows.open.len());
    }
}
