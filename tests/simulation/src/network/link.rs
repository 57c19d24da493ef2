//! One link, and what goes wrong with it.

use std::time::Duration;

use rejoin::sim::Far;

use super::weather::Dials;
use crate::book::Run;

/// What is going to happen to a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) dials: Dials,
    pub(super) up: Course,
    pub(super) down: Course,
}

impl Fate {
    pub(super) fn refused() -> Self {
        Self {
            dials: Dials::Refused,
            up: Course::default(),
            down: Course::default(),
        }
    }
}

/// What is going to happen in one direction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Course {
    /// It is cut at this frame: before it, or behind it.
    pub(super) cut_at: Option<(u64, bool)>,
    /// Nothing passes from this frame on.
    pub(super) mute_at: Option<u64>,
}

/// A link.
pub(super) struct Link {
    pub(super) run: Run,
    pub(super) far: Far,
    pub(super) open: bool,
    /// It broke; the ends are hearing of it.
    pub(super) cut: bool,
    /// When the client let go of it.
    pub(super) near_end: Option<Duration>,
    pub(super) up: Direction,
    pub(super) down: Direction,
}

impl Link {
    pub(super) fn new(run: Run, far: Far, fate: Fate) -> Self {
        Self {
            run,
            far,
            open: false,
            cut: false,
            near_end: None,
            up: Direction::new(fate.up),
            down: Direction::new(fate.down),
        }
    }

    /// Whether frames get to the server, as far as the link is concerned.
    pub(super) fn lives(&self) -> bool {
        self.open && !self.cut
    }
}

/// One direction of a link: first in, first out.
pub(super) struct Direction {
    course: Course,
    frames: u64,
    last: Duration,
    pub(super) mute: bool,
}

/// A frame's way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage {
    pub(super) at: Duration,
    /// Whether the link is cut at this frame: `true` before it, `false` behind it.
    pub(super) cut: Option<bool>,
}

impl Direction {
    fn new(course: Course) -> Self {
        Self {
            course,
            frames: 0,
            last: Duration::ZERO,
            mute: false,
        }
    }

    /// What was going to go wrong does not.
    pub(super) fn spare(&mut self) {
        self.course = Course::default();
    }

    /// When a frame comes out that would at `at`, behind all others. `None`: never.
    pub(super) fn pass(&mut self, at: Duration) -> Option<Passage> {
        self.mute |= self.course.mute_at == Some(self.frames);
        let number = self.frames;
        self.frames += 1;
        if self.mute {
            return None;
        }
        self.last = self.last.max(at);
        let cut = self.course.cut_at.filter(|(frame, _)| *frame == number);
        Some(Passage {
            at: self.last,
            cut: cut.map(|(_, before)| before),
        })
    }

    /// The same for the link's end.
    pub(super) fn pass_end(&mut self, at: Duration) -> Option<Duration> {
        self.last = self.last.max(at);
        (!self.mute).then_some(self.last)
    }
}
