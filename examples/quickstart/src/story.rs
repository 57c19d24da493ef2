//! What happens, in order. This is the file to read: all of it is what an app does with the client.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use rejoin::{NewRoom, Outcome, RealtimeClient, Receipt, State, Target};

use crate::checks::{Evidence, SENT};
use crate::killed;
use crate::person::{Person, is_waiting, within};
use crate::stage::Stage;
use crate::timeline::{Timeline, Who};

/// Why the story could not be told to its end.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What Alice says last. A room's messages keep their order, so no more come behind it.
pub(crate) const THE_END: &str = "That was all.";

/// Tells the story; gives what became of the messages that were sent without a network.
///
/// # Errors
/// When something did not happen in time: the timeline shows how far it came.
pub async fn tell(stage: &Stage, timeline: &Timeline) -> Result<Evidence, Failure> {
    timeline.say(Who::Network, format_args!("a server listens on {}", stage.server_url));

    // `connect` returns at once, and the state says how far it is. From then on a lost connection is made anew by itself.
    let mut alice = Person::new(Who::Alice, &stage.alice, timeline)?;
    let mut bob = Person::new(Who::Bob, &stage.bob, timeline)?;
    let alice_id = alice.connect().await?;
    let bob_id = bob.connect().await?;

    // A private message. Its receipt is a future: `Delivered` is the server's word that it has it.
    let hello = alice
        .chat
        .send_private_message(&bob_id, "Hello Bob, shall we meet in the tea room?");
    expect_delivered(hello).await?;
    let answer = bob
        .chat
        .send_private_message(&alice_id, "With pleasure. Open the door!");
    expect_delivered(answer).await?;

    // A room. Whoever joins it is in it until they leave, through every reconnect.
    let room = open_room(&alice.chat).await?;
    expect_delivered(bob.chat.join_room(&room)).await?;

    // Typing. One call for each keystroke is right: the client says it once, and says by itself when it is over.
    timeline.say(Who::Alice, "types, and then does nothing");
    for _keystroke in "Hm…".chars() {
        alice.chat.start_typing(Target::user(&bob_id));
    }
    within("Bob hears that Alice stopped typing", bob.stopped_typing.recv()).await?;

    // Now Alice enters a tunnel.
    timeline.say(Who::Network, "Alice's network is cut");
    stage.tunnel.cut();
    alice.wait_for(is_waiting).await?;

    // She writes on. Sending is the same call as before: the client queues it, at most 100 messages. Beyond that the
    // oldest go, and each of them is reported.
    timeline.say(
        Who::Alice,
        format_args!("writes {SENT} messages to the room all the same"),
    );
    let receipts: Vec<Receipt> = (1..=SENT)
        .map(|number| alice.chat.send_group_message(&room, &number.to_string()))
        .collect();
    let numbers: Vec<u64> = receipts.iter().map(Receipt::id).collect();
    let reported = alice
        .reports(SENT - alice.chat.socket().pending().len(), &numbers)
        .await?;
    timeline.say(
        Who::Alice,
        format_args!("is told that {} were dropped: {}", reported.len(), summary(&reported)),
    );

    // Attempts fail, with growing delays in between.
    alice.wait_for(is_waiting).await?;
    timeline.say(Who::Network, "Alice's network is back");
    stage.tunnel.restore();

    // Nothing to do here: the client connects, joins the room again, and then sends what was queued, in order.
    alice.wait_for(|change| change.state == State::Connected).await?;
    let outcomes = within("each message has its outcome", outcomes(receipts)).await?;
    expect_delivered(alice.chat.send_group_message(&room, THE_END)).await?;
    let heard = within("Bob hears them", bob.hears_until_the_end()).await?;
    timeline.say(
        Who::Bob,
        format_args!("hears {} messages: {}", heard.len(), summary(&heard)),
    );

    alice.leave().await?;

    // Last, a program that is killed. `killed.rs` tells what happens, `phone.rs` is the program.
    let survived = killed::tell(stage, timeline, &mut bob, &bob_id).await?;
    bob.leave().await?;
    Ok(Evidence::new(outcomes, reported, heard, survived))
}

/// Makes a room of a name that is new, so that the story can be told to one server again and again.
async fn open_room(chat: &RealtimeClient) -> Result<String, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let room = NewRoom {
        name: format!("Tea room {:06x}", since.as_millis() % 0x100_0000),
        ..NewRoom::default()
    };
    let reply = match within("the room is made", chat.create_room(room)).await? {
        Outcome::Delivered(reply) => reply.get::<serde_json::Value>(0)?,
        other => return Err(unexpected(&other)),
    };
    Ok(reply["id"]
        .as_str()
        .ok_or("the server did not name the room")?
        .to_owned())
}

async fn expect_delivered(receipt: Receipt) -> Result<(), Failure> {
    match within("the server answers", receipt).await? {
        Outcome::Delivered(_) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

async fn outcomes(receipts: Vec<Receipt>) -> Vec<&'static str> {
    let mut outcomes = Vec::new();
    for receipt in receipts {
        outcomes.push(receipt.await.name());
    }
    outcomes
}

fn unexpected(outcome: &Outcome) -> Failure {
    match outcome.error() {
        Some(error) => format!("a message ended as {}: {error}", outcome.name()).into(),
        None => format!(
            "a message ended as {}; was it a server that acknowledges?",
            outcome.name()
        )
        .into(),
    }
}

/// `1, 2, 3 … 20`.
pub(crate) fn summary(numbers: &[usize]) -> String {
    let text = |numbers: &[usize]| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    match numbers {
        [first, second, third, .., last] => {
            format!("{} … {last}", text(&[*first, *second, *third]))
        }
        few => text(few),
    }
}
