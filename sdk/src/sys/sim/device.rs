//! Devices, which have clocks and can sleep, and the processes on them, which can be killed.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::super::{Alarm, Dialer, LinkOptions, Sys, Task};
use super::alarm::Timer;
use super::wire::{Lines, Network};
use super::world::World;
use crate::core::Now;
use crate::error::Error;

/// One process of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProcessId {
    pub(super) device: usize,
    number: usize,
}

/// All devices of a world.
#[derive(Default)]
pub(super) struct Devices {
    all: Vec<State>,
}

struct State {
    unix_ms: u64,
    awake: bool,
    /// How late its timers are.
    slack: Duration,
    /// Whether each of its processes is alive.
    processes: Vec<bool>,
    /// Tasks that run when it wakes up.
    parked: Vec<usize>,
}

impl Devices {
    pub(super) fn add(&mut self, unix_ms: u64) -> usize {
        self.all.push(State {
            unix_ms,
            awake: true,
            slack: Duration::ZERO,
            processes: Vec::new(),
            parked: Vec::new(),
        });
        self.all.len() - 1
    }

    pub(super) fn is_alive(&self, process: ProcessId) -> bool {
        self.all[process.device].processes[process.number]
    }

    pub(super) fn is_awake(&self, process: ProcessId) -> bool {
        self.all[process.device].awake
    }

    pub(super) fn park(&mut self, process: ProcessId, task: usize) {
        self.all[process.device].parked.push(task);
    }

    pub(super) fn kill_all(&mut self) {
        for device in &mut self.all {
            device.processes.fill(false);
        }
    }
}

/// A phone or a computer: its clocks, and whether it sleeps.
#[derive(Clone)]
pub struct Device {
    world: World,
    number: usize,
}

impl Device {
    pub(super) fn new(world: World, number: usize) -> Self {
        Self { world, number }
    }

    /// Starts a process whose links go into `network`.
    pub fn start(&self, network: Arc<dyn Network>) -> Process {
        let device = self.number;
        let number = self.state(|state| {
            state.processes.push(true);
            state.processes.len() - 1
        });
        Process {
            device: self.clone(),
            id: ProcessId { device, number },
            network,
        }
    }

    /// Sets the wall clock, forwards or back.
    pub fn step_clock(&self, by_ms: i64) {
        self.state(|state| state.unix_ms = state.unix_ms.saturating_add_signed(by_ms));
    }

    /// Has every timer go off so much too late.
    pub fn set_slack(&self, slack: Duration) {
        self.state(|state| state.slack = slack);
    }

    /// Sends it to sleep: time passes, and what comes over the network waits, but nothing runs until [`wake`](Self::wake).
    pub fn sleep(&self) {
        self.state(|state| state.awake = false);
    }

    /// Wakes it up.
    pub fn wake(&self) {
        let parked = self.state(|state| {
            state.awake = true;
            std::mem::take(&mut state.parked)
        });
        self.world.resume(parked);
    }

    /// Whether it is awake.
    pub fn is_awake(&self) -> bool {
        self.state(|state| state.awake)
    }

    /// What its clocks show.
    pub fn now(&self) -> Now {
        let mono = self.world.now();
        let passed = u64::try_from(mono.as_millis()).unwrap_or(u64::MAX);
        Now {
            mono,
            unix_ms: self.state(|state| state.unix_ms).saturating_add(passed),
        }
    }

    fn state<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        self.world.devices(|devices| change(&mut devices.all[self.number]))
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Device").field(&self.number).finish()
    }
}

/// A process, as the platform of the clients in it; see [`Builder::process`](crate::Builder::process).
#[derive(Clone)]
pub struct Process {
    device: Device,
    id: ProcessId,
    network: Arc<dyn Network>,
}

impl Process {
    /// Runs a task until it ends or the process does.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.world().spawn(self.id, Box::pin(task));
    }

    /// Waits. A sleeping device waits longer.
    pub async fn sleep(&self, time: Duration) {
        let world = self.world().clone();
        let until = world.now() + time;
        let mut set = false;
        poll_fn(move |cx| {
            if world.now() >= until {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut set, true) {
                world.wake_at(until, cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Kills it, as the system does: nothing of it runs any more, and its links break. What its tasks do when they are
    /// dropped reaches nobody.
    pub fn kill(&self) {
        let id = self.id;
        self.device.state(|state| state.processes[id.number] = false);
        self.world().drop_tasks(id);
    }

    /// Whether it runs.
    pub fn is_alive(&self) -> bool {
        self.world().devices(|devices| devices.is_alive(self.id))
    }

    /// The device that it runs on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many processes its device has had before it.
    pub fn number(&self) -> usize {
        self.id.number
    }

    pub(super) fn world(&self) -> &World {
        &self.device.world
    }
}

impl Sys for Process {
    fn now(&self) -> Now {
        self.device.now()
    }

    fn can_ping(&self) -> bool {
        self.network.can_ping()
    }

    fn seed(&self) -> u64 {
        self.world().bits()
    }

    fn spawn(&self, task: Task<()>) {
        self.world().spawn(self.id, task);
    }

    fn alarm(&self) -> Box<dyn Alarm> {
        let slack = self.device.state(|state| state.slack);
        Box::new(Timer::new(self.world().clone(), slack))
    }

    fn dialer(&self, _: LinkOptions) -> Result<Box<dyn Dialer>, Error> {
        Ok(Box::new(Lines::new(self.clone(), Arc::clone(&self.network))))
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Process").field(&self.id).finish()
    }
}
