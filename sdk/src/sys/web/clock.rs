//! The time: `Date.now()` counts sleep and may be set, `performance.now()` is never set and does not count sleep everywhere.

use std::cell::RefCell;
use std::time::Duration;

use js_sys::{Date, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::Performance;

use crate::core::Now;

thread_local! {
    static CLOCK: RefCell<Clock> = RefCell::new(Clock::new());
}

/// What both said last, in ms, and the time that was made of it.
struct Clock {
    performance: Option<Performance>,
    wall: f64,
    awake: f64,
    mono: f64,
}

pub(super) fn now() -> Now {
    CLOCK.with_borrow_mut(Clock::now)
}

impl Clock {
    fn new() -> Self {
        let performance = Reflect::get(&js_sys::global(), &JsValue::from_str("performance")).ok();
        let mut clock = Self {
            performance: performance.and_then(|it| it.dyn_into().ok()),
            wall: Date::now(),
            awake: 0.0,
            mono: 0.0,
        };
        clock.awake = clock.awake();
        clock
    }

    fn awake(&self) -> f64 {
        self.performance.as_ref().map_or(0.0, Performance::now)
    }

    fn now(&mut self) -> Now {
        let (wall, awake) = (Date::now(), self.awake());
        // Whichever went on further: the one sleeps, the other is set back.
        self.mono += (wall - self.wall).max(awake - self.awake).max(0.0);
        (self.wall, self.awake) = (wall, awake);
        Now {
            mono: Duration::from_millis(self.mono as u64),
            unix_ms: wall as u64,
        }
    }
}
