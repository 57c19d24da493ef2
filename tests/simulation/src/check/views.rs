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
    let (acks, recovers) = stage.net.server(|server| (server.manner.ack, server.manner.recovers));
    for person in &stage.people {
        let rooms = stage.net.server(|server| server.rooms_of(PEOPLE[person.who]));
        for (room, wish) in &person.wishes {
            let is_in = rooms.contains_key(room);
            if room == "den" && !acks {
                // Where nothing is answered, an event about an earlier password cannot be told from one about the last.
                continue;
            }
            if recovers && *wish == Wish::Out && !expected::LEAVES_STAY {
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
