//! Lanes that a server's limit holds up.
//!
//! The first refusal of a lane stops it. When the server's time has passed, as many messages go out as the window before
//! took, and then one at a time, until the next refusal; once twice as many were taken without one, the limit is gone.
//! A server that does not keep the order (no `order`) may take a later message of a lane and refuse an earlier one, so
//! there a lane that was refused once is sent one at a time from then on.

use std::time::Duration;

/// A lane waits at least so long after a refusal, doubled for each window that took nothing: a server that says
/// "at once" and means never would otherwise be asked in a loop.
const SHORTEST: Duration = Duration::from_millis(100);

/// And no longer than this, whatever the server says.
const LONGEST: Duration = Duration::from_secs(3600);

/// Without a word from the server.
const UNTOLD: Duration = Duration::from_secs(1);

/// So many lanes that were refused once are remembered beyond their messages.
const MOST: usize = 256;

/// How long to wait after a refusal, as the server says, within bounds.
pub(crate) fn pause(retry_after: Option<Duration>) -> Duration {
    retry_after.unwrap_or(UNTOLD).clamp(SHORTEST, LONGEST)
}

/// The lanes of one socket that have messages under way, or were refused.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    /// `None` is the lane of all messages that name none.
    name: Option<Box<str>>,
    /// Messages that were handed over and have no answer.
    in_flight: u32,
    /// What the server took since the window began.
    taken: u32,
    /// What it took in the window before.
    size: u32,
    /// Windows in a row that took nothing.
    barren: u32,
    phase: Phase,
    /// One at a time for good: the server does not keep the order.
    single: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// As far as is known there is no limit.
    Open,
    /// The server does not want more before then.
    Paused(Duration),
    /// So many more may be handed over.
    Window(u32),
}

impl Lanes {
    /// A message of this lane was handed to the link, and is to be answered.
    pub(crate) fn written(&mut self, name: Option<&str>) {
        let lane = self.entry(name);
        lane.in_flight += 1;
        if let Phase::Window(left) = &mut lane.phase {
            *left = left.saturating_sub(1);
        }
    }

    /// The server took a message, refused it for good, or did not answer at all.
    pub(crate) fn answered(&mut self, name: Option<&str>, taken: bool) {
        let Some(at) = self.position(name) else { return };
        let lane = &mut self.lanes[at];
        lane.in_flight = lane.in_flight.saturating_sub(1);
        lane.taken += u32::from(taken);
        if taken {
            lane.barren = 0;
        }
        if lane.phase == Phase::Window(0) && lane.in_flight == 0 {
            lane.phase = match lane.taken >= lane.size.saturating_mul(2) {
                true => Phase::Open,
                false => Phase::Window(1),
            };
        }
        self.tidy(at);
    }

    /// The server refused a message, to be asked again. `keeps_order` says whether it refuses what comes behind it too.
    pub(crate) fn limited(
        &mut self,
        name: Option<&str>,
        now: Duration,
        retry_after: Option<Duration>,
        keeps_order: bool,
    ) {
        let lane = self.entry(name);
        lane.in_flight = lane.in_flight.saturating_sub(1);
        lane.single |= !keeps_order;
        let first = !matches!(lane.phase, Phase::Paused(_));
        if first {
            lane.size = lane.taken.max(1);
            lane.barren = if lane.taken == 0 { lane.barren + 1 } else { 0 };
        }
        let least = SHORTEST.saturating_mul(1 << lane.barren.min(5));
        let until = now.saturating_add(pause(retry_after).max(least));
        lane.phase = match lane.phase {
            // Refusals of what was under way already: the latest word counts.
            Phase::Paused(known) => Phase::Paused(known.max(until)),
            Phase::Open | Phase::Window(_) => Phase::Paused(until),
        };
    }

    /// The link is gone, and with it what was under way.
    pub(crate) fn disconnected(&mut self) {
        for lane in &mut self.lanes {
            lane.in_flight = 0;
            if let Phase::Window(_) = lane.phase {
                lane.phase = Phase::Window(lane.size);
            }
        }
        self.lanes.retain(|lane| lane.phase != Phase::Open || lane.single);
    }

    /// Windows whose time has come.
    pub(crate) fn expire(&mut self, now: Duration) {
        for lane in &mut self.lanes {
            if matches!(lane.phase, Phase::Paused(until) if until <= now) {
                lane.phase = Phase::Window(lane.size);
                lane.taken = 0;
            }
        }
    }

    /// Whether the next message of this lane has to wait.
    pub(crate) fn holds(&self, name: Option<&str>) -> bool {
        self.position(name).is_some_and(|at| {
            let lane = &self.lanes[at];
            let waits = matches!(lane.phase, Phase::Paused(_) | Phase::Window(0));
            waits || lane.single && lane.in_flight > 0
        })
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let due = |lane: &Lane| match lane.phase {
            Phase::Paused(until) => Some(until),
            _ => None,
        };
        self.lanes.iter().filter_map(due).min()
    }

    /// Nothing is known any more: another server, or another user.
    pub(crate) fn clear(&mut self) {
        self.lanes.clear();
    }

    fn position(&self, name: Option<&str>) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.name.as_deref() == name)
    }

    fn entry(&mut self, name: Option<&str>) -> &mut Lane {
        let at = self.position(name).unwrap_or_else(|| {
            self.forget_oldest();
            self.lanes.push(Lane {
                name: name.map(Into::into),
                in_flight: 0,
                taken: 0,
                size: 1,
                barren: 0,
                phase: Phase::Open,
                single: false,
            });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }

    /// A lane of which nothing has to be known.
    fn tidy(&mut self, at: usize) {
        let lane = &self.lanes[at];
        if lane.phase == Phase::Open && lane.in_flight == 0 && !lane.single {
            self.lanes.swap_remove(at);
        }
    }

    fn forget_oldest(&mut self) {
        let idle = |lane: &Lane| lane.in_flight == 0 && !matches!(lane.phase, Phase::Paused(_));
        if self.lanes.len() >= MOST
            && let Some(at) = self.lanes.iter().position(idle)
        {
            self.lanes.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: Option<&str> = Some("a");

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// Hands over what the lane lets, up to `most`; how many.
    fn send(lanes: &mut Lanes, most: u32) -> u32 {
        let mut sent = 0;
        while sent < most && !lanes.holds(LANE) {
            lanes.written(LANE);
            sent += 1;
        }
        sent
    }

    #[test]
    fn a_limited_lane_sends_what_the_last_window_took_and_then_one_at_a_time() {
        let mut lanes = Lanes::default();
        assert_eq!(send(&mut lanes, 100), 100);
        for _ in 0..10 {
            lanes.answered(LANE, true);
        }
        for _ in 0..90 {
            lanes.limited(LANE, secs(1), Some(secs(60)), true);
        }
        assert_eq!(lanes.next_deadline(), Some(secs(61)));
        assert_eq!(send(&mut lanes, 90), 0);
        lanes.expire(secs(61));
        assert_eq!(send(&mut lanes, 90), 10);
        for _ in 0..10 {
            lanes.answered(LANE, true);
        }
        assert_eq!(send(&mut lanes, 90), 1, "one more may be too much");
        lanes.limited(LANE, secs(62), Some(secs(60)), true);
        lanes.expire(secs(122));
        assert_eq!(send(&mut lanes, 90), 10);
    }

    #[test]
    fn a_lane_whose_limit_is_gone_is_open_again() {
        let mut lanes = Lanes::default();
        assert_eq!(send(&mut lanes, 3), 3);
        lanes.answered(LANE, true);
        lanes.answered(LANE, true);
        lanes.limited(LANE, secs(1), Some(secs(1)), true);
        lanes.expire(secs(2));
        for sent in [2, 1, 1] {
            assert_eq!(send(&mut lanes, 9), sent);
            for _ in 0..sent {
                lanes.answered(LANE, true);
            }
        }
        assert_eq!(send(&mut lanes, 9), 9);
        for _ in 0..9 {
            lanes.answered(LANE, true);
        }
        assert!(lanes.lanes.is_empty());
    }

    #[test]
    fn without_order_a_lane_that_was_refused_is_sent_one_at_a_time() {
        let mut lanes = Lanes::default();
        assert_eq!(send(&mut lanes, 5), 5);
        for _ in 0..4 {
            lanes.answered(LANE, true);
        }
        lanes.limited(LANE, secs(1), None, false);
        lanes.expire(secs(2));
        for _ in 0..20 {
            assert_eq!(send(&mut lanes, 9), 1);
            lanes.answered(LANE, true);
        }
        lanes.disconnected();
        assert_eq!(send(&mut lanes, 9), 1, "after a reconnect too");
    }

    #[test]
    fn a_server_that_says_at_once_is_not_asked_in_a_loop() {
        let mut lanes = Lanes::default();
        let mut now = secs(1);
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert_eq!(send(&mut lanes, 9), 1.max(if waits.is_empty() { 9 } else { 1 }));
            while lanes.lanes[0].in_flight > 0 {
                lanes.limited(LANE, now, Some(Duration::ZERO), true);
            }
            let until = lanes.next_deadline().expect("a pause");
            waits.push((until - now).as_millis());
            now = until;
            lanes.expire(now);
        }
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 3200, 3200, 3200]);
        lanes.limited(LANE, now, Some(Duration::MAX), true);
        assert!(lanes.next_deadline().expect("a pause") <= now + LONGEST);
    }

    #[test]
    fn a_link_that_is_lost_leaves_pauses_and_windows_as_they_are() {
        let mut lanes = Lanes::default();
        assert_eq!(send(&mut lanes, 4), 4);
        lanes.answered(LANE, true);
        lanes.answered(LANE, true);
        lanes.limited(LANE, secs(1), Some(secs(10)), true);
        lanes.disconnected();
        assert!(lanes.holds(LANE));
        assert!(!lanes.holds(None));
        lanes.expire(secs(11));
        assert_eq!(send(&mut lanes, 9), 2);
        lanes.disconnected();
        assert_eq!(send(&mut lanes, 9), 2);
    }

    #[test]
    fn the_lanes_that_are_remembered_are_bounded() {
        let mut lanes = Lanes::default();
        for number in 0..2 * MOST {
            let name = number.to_string();
            lanes.written(Some(&name));
            lanes.limited(Some(&name), secs(1), Some(secs(1)), false);
            lanes.expire(secs(2));
        }
        assert!(lanes.lanes.len() <= MOST);
    }
}
