//! What people know equals what the server knows, once it is quiet.

use crate::book::PEOPLE;
use crate::expected;
use crate::person::Wish;
use crate::stage::Stage;

pub(super) fn rooms_and_members_are_the_servers(stage: &Stage) -> Vec<String> {
    let mut failures = Vec::new();
    for person in &stage.people {
        let Some(life) = &person.life else { continue };
        let expected = stage.net.server(|server| server.rooms_of(PEOPLE[person.who]));
        let view = life.view();
        if view.rooms != expected {
            failures.push(format!(
                "{} believes in the rooms {:?}; on the server they are {expected:?}",
                PEOPLE[person.who], view.rooms
            ));
        }
    }
    failures
}

/// Who wanted to be in a room last, and may, is in it; and who left is not.
pub(super) fn wishes_are_fulfilled(stage: &Stage) -> Vec<String> {
    let mut failures = Vec::new();
    let manner = stage.net.server(|server| server.manner.clone());
    let (acks, recovers) = (manner.ack, manner.recovers);
    // Over a link whose server has not said that it answers, a leave is written once, and a lost session that it takes up
    // again may not know of it.
    let answers = acks && manner.greeting.is_zero();
    for person in &stage.people {
        let rooms = stage.net.server(|server| server.rooms_of(PEOPLE[person.who]));
        for (room, wish) in &person.wishes {
            let is_in = rooms.contains_key(room);
            if room == "den" && !acks {
                // Where nothing is answered, an event about an earlier password cannot be told from one about the last.
                continue;
            }
            if recovers && *wish == Wish::Out && !(answers && expected::LEAVES_STAY) {
                continue;
            }
            if (*wish == Wish::In && !is_in) || (*wish == Wish::Out && is_in) {
                failures.push(format!(
                    "{} wants to be {wish:?} of {room}; in it: {is_in}",
                    PEOPLE[person.who]
                ));
            }
        }
    }
    failures
}
