//! Rooms as wishes: what the user wants to be in is joined again after every connect, until it is left.

use std::fmt;
use std::time::Duration;

use crate::broken::broken;
use crate::receipt::Completer;

/// How long a room's confirmation is waited for before others go on without it.
pub(crate) const CONFIRMATION: Duration = Duration::from_secs(5);

/// So many rooms can be in the making on a server that answers nothing.
const MOST_CREATIONS: usize = 16;

/// How the lanes of rooms begin.
const LANE: &str = "room:";

/// The lane of a room's messages.
pub(crate) fn lane(room: &str) -> String {
    let mut lane = String::with_capacity(LANE.len() + room.len());
    lane.push_str(LANE);
    lane.push_str(room);
    lane
}

/// One room that the user wants to be in.
pub(crate) struct Wish {
    pub(crate) room: String,
    /// Kept in memory only.
    pub(crate) password: Option<String>,
    lane: String,
    phase: Phase,
    /// The number of the last message that asked for it: an answer to an earlier one decides nothing.
    asked: u64,
    /// Whether the server had confirmed it when the link was lost.
    member: bool,
    /// Receipts of `join_room` that wait for the server's answer.
    pub(crate) waiting: Vec<Completer>,
}

impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the password.
        f.debug_struct("Wish")
            .field("room", &self.room)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// To be asked for as soon as there is a connection.
    Wanted,
    /// Asked for; the answer is due by then.
    Asked(Duration),
    /// The server's limit: to be asked for again then.
    Later(Duration),
    /// The server confirmed it.
    Joined,
    /// No answer came in time. One that comes late still counts.
    Overdue,
    /// Left, and the server may not know. Until it does, messages that were sent before may have to be sent again, and
    /// then the room is entered once more for them.
    Leaving,
}

/// A room that is being created on a server that answers nothing; its password is kept in memory only.
struct Creation {
    name: String,
    password: Option<String>,
}

impl fmt::Debug for Creation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the password.
        f.debug_struct("Creation")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The wishes of one socket.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    wishes: Vec<Wish>,
    creations: Vec<Creation>,
}

impl Rooms {
    /// The user wants to be in `room`; asked for again even if it is joined already.
    pub(crate) fn want(&mut self, room: &str, password: Option<String>, waiting: Option<Completer>) {
        let wish = match self.wishes.iter().position(|wish| wish.room == room) {
            Some(known) => &mut self.wishes[known],
            None => {
                self.wishes.push(Wish {
                    room: room.to_owned(),
                    password: None,
                    lane: lane(room),
                    phase: Phase::Wanted,
                    asked: 0,
                    member: false,
                    waiting: Vec::new(),
                });
                let last = self.wishes.len() - 1;
                &mut self.wishes[last]
            }
        };
        let same = wish.password == password;
        wish.password = password;
        wish.waiting.extend(waiting);
        wish.member = false;
        if !(same && matches!(wish.phase, Phase::Asked(_))) {
            wish.phase = Phase::Wanted;
        }
    }

    /// The user is in `room` without having asked: they created it.
    pub(crate) fn entered(&mut self, room: &str, password: Option<String>) {
        self.want(room, password, None);
        self.set(room, Phase::Joined);
    }

    /// The server was told to create a room, and will not answer: only an event that names it says that it did.
    pub(crate) fn creating(&mut self, name: String, password: Option<String>) {
        if self.creations.len() == MOST_CREATIONS {
            self.creations.remove(0);
        }
        self.creations.push(Creation { name, password });
    }

    /// A room was created. If it is one that the user is waiting for, they are in it.
    pub(crate) fn created(&mut self, room: &str, name: &str) {
        let known = self.creations.iter().position(|creation| creation.name == name);
        if let Some(known) = known {
            let creation = self.creations.remove(known);
            self.entered(room, creation.password);
        }
    }

    /// The user does not want to be in `room` any more, or may not.
    pub(crate) fn forget(&mut self, room: &str) -> Option<Wish> {
        let known = self.wishes.iter().position(|wish| wish.room == room)?;
        Some(self.wishes.remove(known))
    }

    /// The user leaves `room`; the server is being told.
    pub(crate) fn leaving(&mut self, room: &str) {
        if let Some(wish) = self.wishes.iter_mut().find(|wish| wish.room == room) {
            wish.phase = Phase::Leaving;
            wish.asked = 0;
        }
    }

    pub(crate) fn is_leaving(&self, room: &str) -> bool {
        let left = |wish: &Wish| wish.room == room && wish.phase == Phase::Leaving;
        self.wishes.iter().any(left)
    }

    /// Forgets rooms that are left, unless messages wait that were sent before.
    pub(crate) fn forget_left(&mut self, waits: impl Fn(&str) -> bool) {
        self.wishes
            .retain(|wish| wish.phase != Phase::Leaving || waits(&wish.lane));
    }

    /// The next room to ask for, with its password; counts as asked for by the message `seq` from now on.
    pub(crate) fn ask(&mut self, now: Duration, seq: u64) -> Option<(String, Option<String>)> {
        let wish = self.wishes.iter_mut().find(|wish| wish.phase == Phase::Wanted)?;
        wish.phase = Phase::Asked(now.saturating_add(CONFIRMATION));
        wish.asked = seq;
        Some((wish.room.clone(), wish.password.clone()))
    }

    /// Whether the answer to the message `seq` is the one that decides about `room`.
    pub(crate) fn decides(&self, room: &str, seq: u64) -> bool {
        self.wishes.iter().any(|wish| wish.room == room && wish.asked == seq)
    }

    /// Whether `room` is wanted or was, and only an answer decides about it.
    pub(crate) fn is_asked(&self, room: &str) -> bool {
        let asked = |wish: &Wish| wish.phase != Phase::Joined;
        self.wishes.iter().any(|wish| wish.room == room && asked(wish))
    }

    /// Receipts that waited for an answer which will not come; the wish stays.
    pub(crate) fn unanswered(&mut self, room: &str) -> Vec<Completer> {
        let wish = self.wishes.iter_mut().find(|wish| wish.room == room);
        wish.map(|wish| std::mem::take(&mut wish.waiting)).unwrap_or_default()
    }

    /// The server confirmed `room`. Gives the receipts that waited for it.
    pub(crate) fn confirmed(&mut self, room: &str) -> Vec<Completer> {
        let Some(wish) = self.wishes.iter_mut().find(|wish| wish.room == room) else {
            return Vec::new();
        };
        if wish.phase != Phase::Leaving {
            wish.phase = Phase::Joined;
        }
        std::mem::take(&mut wish.waiting)
    }

    /// A room whose confirmation is overdue; each is given once.
    pub(crate) fn overdue(&mut self, now: Duration) -> Option<String> {
        let late = |wish: &&mut Wish| matches!(wish.phase, Phase::Asked(due) if due <= now);
        let wish = self.wishes.iter_mut().find(late)?;
        wish.phase = Phase::Overdue;
        Some(wish.room.clone())
    }

    /// The link is gone, and with it the server's memory of who is where, unless it takes up the session again.
    pub(crate) fn disconnected(&mut self) {
        self.creations.clear();
        for wish in &mut self.wishes {
            if wish.phase != Phase::Wanted && !broken!(JoinsNothingAgain) {
                wish.member = wish.phase == Phase::Joined;
                wish.phase = Phase::Wanted;
            }
        }
    }

    /// A session began. A recovered one is in the rooms that the lost one was in.
    pub(crate) fn resumed(&mut self, recovered: bool) {
        for wish in &mut self.wishes {
            if std::mem::take(&mut wish.member) && recovered && wish.phase == Phase::Wanted {
                wish.phase = Phase::Joined;
            }
        }
    }

    /// Whether `room` is wanted, or being left.
    pub(crate) fn knows(&self, room: &str) -> bool {
        self.wishes.iter().any(|wish| wish.room == room)
    }

    /// Whether an answer is still waited for.
    pub(crate) fn unsettled(&self) -> bool {
        let open = |wish: &Wish| matches!(wish.phase, Phase::Wanted | Phase::Asked(_));
        self.wishes.iter().any(open)
    }

    /// Whether messages of `lane` have to wait for their room. With `patient` false a room that never answered does not
    /// hold them up: a server that confirms nothing would otherwise never get them.
    pub(crate) fn holds(&self, lane: &str, patient: bool) -> bool {
        self.wishes.iter().any(|wish| {
            let waits = match wish.phase {
                Phase::Wanted | Phase::Asked(_) | Phase::Later(_) => true,
                Phase::Overdue => patient,
                Phase::Joined | Phase::Leaving => false,
            };
            waits && wish.lane == lane
        })
    }

    /// Whether nobody waits for the answer about `room`.
    pub(crate) fn waits_for_nobody(&self, room: &str) -> bool {
        let wish = self.wishes.iter().find(|wish| wish.room == room);
        wish.is_some_and(|wish| wish.waiting.is_empty())
    }

    /// The server wants to be asked for `room` again then.
    pub(crate) fn postpone(&mut self, room: &str, until: Duration) {
        self.set(room, Phase::Later(until));
    }

    /// Rooms whose time to be asked for again has come. Says whether there are any.
    pub(crate) fn come_due(&mut self, now: Duration) -> bool {
        let mut due = false;
        for wish in &mut self.wishes {
            if matches!(wish.phase, Phase::Later(at) if at <= now) {
                wish.phase = Phase::Wanted;
                due = true;
            }
        }
        due
    }

    /// Whether messages of `lane` from an earlier run wait for the app to join their room again.
    pub(crate) fn orphans(&self, lane: &str) -> bool {
        lane.starts_with(LANE) && !self.wishes.iter().any(|wish| wish.lane == lane)
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let due = |wish: &Wish| match wish.phase {
            Phase::Asked(due) | Phase::Later(due) => Some(due),
            _ => None,
        };
        self.wishes.iter().filter_map(due).min()
    }

    /// Every receipt that still waits: the client is being closed.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Completer> {
        self.wishes.drain(..).flat_map(|wish| wish.waiting)
    }

    fn set(&mut self, room: &str, phase: Phase) {
        if let Some(wish) = self.wishes.iter_mut().find(|wish| wish.room == room) {
            wish.phase = phase;
        }
    }
}
