//! Deliberate defects: a test that is to find defects has to be seen to find some.

use std::cell::Cell;

thread_local! {
    static DEFECT: Cell<Option<Defect>> = const { Cell::new(None) };
}

macro_rules! defects {
    ($($name:ident $text:literal)*) => {
        /// One way in which the client can be broken on purpose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Defect { $(#[doc = $text] $name,)* }

        impl Defect {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What is broken.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

defects! {
    SendsLastFirst "What is sent last goes out first."
    SendsAgainBehind "What a dead link had is not put back in its place."
    RepeatsAtMostOnce "What may be written at most once is sent again."
    SendsWhatIsCancelled "A message that was cancelled is sent all the same."
    ExpiresTooEarly "Half of its time to live is enough for a message to expire."
    LosesOutcomes "A message that is not sent again after its link died has no outcome."
    KeepsPoison "A message under which links die is tried for ever."
    DeliversRefusals "A refusal is taken for an acknowledgement."
    TellsTwice "How a message ended is told twice."
    GivesUpTooEarly "An acknowledgement is waited for half as long."
    AcceptsTooEarly "A message is accepted before the store has it."
    KeepsWhatIsDone "The store is not told that a message has ended."
    WritesBeforeTheStoreForgets "What may be written at most once is written while the store still has it."
    DialsTooEarly "Half of the delay is enough for the next attempt."
    DialsWhileHeld "While the platform holds attempts back, they are made all the same."
    JoinsNothingAgain "Rooms are not joined again."
    HearsTwice "What came already is handed to the app again."
    GivesReceiptsForNothing "The server has its receipt, and the app never hears of the event."
    StopsTypistsTwice "Who stopped typing stops once more later."
    LosesWhatWasMissed "What a session missed is not handed to the app."
}

impl Defect {
    /// Breaks the clients of this thread in one way, or in none.
    pub fn set(defect: Option<Self>) {
        DEFECT.set(defect);
    }

    /// Whether the clients of this thread are broken in this way.
    pub fn is_on(self) -> bool {
        DEFECT.get() == Some(self)
    }
}
