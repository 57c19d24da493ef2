//! The core against a model of an honest server, in random interleavings.
//!
//! The server answers everything it gets and removes duplicates, but late, in part, or not before the link breaks. What
//! is checked is what the client promises: some of it at every step, the rest once the network is quiet.
//!
//! - `world`: client and server, and how each step is done; `server`: the honest server.
//! - `carriage`: WebSockets and HTTP exchanges between them; `check`: the promises.

mod carriage;
mod check;
mod server;
mod world;

use proptest::prelude::*;

use carriage::Mood;
use world::World;

use crate::state::Hint;

/// A room that everyone may enter, and one that has a password.
const ROOMS: [&str; 2] = ["open", "locked"];

/// What a client and its server are made with.
#[derive(Debug, Clone)]
struct Setup {
    json: bool,
    transports: u8,
    can_ping: bool,
    upgrades: bool,
    recovers: bool,
    reject: bool,
    capacity: usize,
    /// How the link ends that was quiet.
    end: Step,
}

#[derive(Debug, Clone)]
enum Step {
    Connect,
    Disconnect,
    /// Another user will sign in.
    Forget,
    /// The same user has a new token.
    SetAuth,
    /// The platform says something.
    Hint(Hint),
    /// The wall clock is set.
    Clock(i32),
    /// A reliable message: to one of the rooms, or to a user.
    Send(usize),
    /// A message that is not reliable.
    Plain,
    Join {
        room: usize,
        right: bool,
    },
    Leave(usize),
    Type,
    StopTyping,
    Cancel(prop::sample::Index),
    Clear,
    /// The server has a numbered event for the user.
    Tell,
    /// The server says `closing` and takes the client out, with the link or without.
    Dismiss {
        code: &'static str,
        retry_after: Option<u16>,
        link: bool,
    },
    /// What is under way on WebSockets is written, and what is in POSTs, and gets to the server.
    Written,
    /// POSTs that got there are answered.
    Answered,
    /// For so many times all of that, and all that is heard.
    Flow(usize),
    /// The server works off so many frames.
    Serve(usize),
    /// So many of its packets arrive.
    Hear(usize),
    /// A wire breaks; so many frames of what was under way on it got through. Perhaps somebody says so.
    Cut {
        which: prop::sample::Index,
        most: usize,
        told: bool,
    },
    /// Nothing passes any more on the wires that there are.
    Freeze,
    /// How WebSockets fare from now on.
    WebSockets(Mood),
    /// How new sessions on polling fare from now on.
    Exchanges(Mood),
    Sleep(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let hint = prop::sample::select(vec![Hint::Online, Hint::Offline, Hint::Foreground, Hint::Background]);
    let mood = || prop::sample::select(vec![Mood::Open, Mood::Open, Mood::Refused, Mood::Silent]);
    let code = prop::sample::select(vec!["replaced", "banned", "shutdown", "idle"]);
    let dismiss = (code, prop::option::of(1..4_000_u16), any::<bool>());
    let user = prop_oneof![
        4 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Forget),
        1 => Just(Step::SetAuth),
        2 => hint.prop_map(Step::Hint),
        12 => (0..3_usize).prop_map(Step::Send),
        2 => Just(Step::Plain),
        8 => (0..2_usize, prop::bool::weighted(0.8)).prop_map(|(room, right)| Step::Join { room, right }),
        6 => (0..2_usize).prop_map(Step::Leave),
        2 => Just(Step::Type),
        2 => Just(Step::StopTyping),
        2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => Just(Step::Clear),
    ];
    let network = prop_oneof![
        8 => (1..4_usize).prop_map(Step::Flow),
        8 => Just(Step::Written),
        6 => Just(Step::Answered),
        8 => (1..9_usize).prop_map(Step::Serve),
        8 => (1..9_usize).prop_map(Step::Hear),
        3 => Just(Step::Tell),
        1 => dismiss.prop_map(|(code, retry_after, link)| Step::Dismiss { code, retry_after, link }),
        3 => cut(),
        1 => Just(Step::Freeze),
        1 => mood().prop_map(Step::WebSockets),
        1 => mood().prop_map(Step::Exchanges),
        1 => (-20_000..20_000_i32).prop_map(Step::Clock),
        3 => prop_oneof![4 => 1..3_000_u16, 1 => 3_000..15_000_u16].prop_map(Step::Sleep),
    ];
    prop_oneof![2 => user, 3 => network]
}

fn cut() -> impl Strategy<Value = Step> {
    (any::<prop::sample::Index>(), 0..5_usize, any::<bool>()).prop_map(|(which, most, told)| Step::Cut {
        which,
        most,
        told,
    })
}

prop_compose! {
    fn setup()(
        json in prop::bool::weighted(0.1),
        transports in 0..4_u8,
        can_ping: bool, upgrades: bool, recovers: bool, reject: bool,
        capacity in 3..12_usize,
        end in prop_oneof![Just(Step::Freeze), cut()],
    ) -> Setup {
        Setup { json, transports, can_ping, upgrades, recovers, reject, capacity, end }
    }
}

fn kept(setup: &Setup, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(setup);
    for step in steps {
        world.run(step);
    }
    world.calm();
    world.check()?;
    // What it only seemed to be in, it is not in after this.
    world.run(&Step::Tell);
    world.run(&setup.end);
    world.run(&Step::Tell);
    world.calm();
    world.check()?;
    world.check_end()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn once_the_network_is_quiet_every_promise_is_kept(
        setup in setup(), steps in prop::collection::vec(step(), 0..120),
    ) {
        kept(&setup, &steps)?;
    }
}
