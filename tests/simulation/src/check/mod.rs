//! What has to hold of everything that happened. Each is a function of its own, and says what it expected.
//!
//! - `outcomes`: what an outcome says is so. `order`: lanes. `silence`: what must not be sent. `early`: timers. `views`: what
//!   people know. `incoming`: what the server sent.

mod early;
mod incoming;
mod order;
mod outcomes;
mod silence;
mod views;

use crate::book::{Book, Run};
use crate::stage::Stage;

/// Every check. What is true only once everything has come to rest is not asked where it has not.
pub(crate) fn all(stage: &Stage, settled: bool) -> Vec<String> {
    let mut failures = Vec::new();
    if settled {
        failures.extend(views::rooms_and_members_are_the_servers(stage));
        failures.extend(views::wishes_are_fulfilled(stage));
    }
    let lives: Vec<Run> = stage.people.iter().filter_map(|person| person.run()).collect();
    let habits: Vec<_> = stage.people.iter().map(|person| person.habits.clone()).collect();
    let server = stage.net.server(|server| server.manner.clone());
    let book = stage.facts.book();
    let checks: [fn(&Book) -> Vec<String>; 13] = [
        outcomes::nothing_is_acted_on_twice,
        outcomes::nobody_has_two_outcomes,
        outcomes::what_is_told_is_the_outcome,
        outcomes::what_was_taken_back_was_not_acted_on,
        outcomes::what_is_delivered_was_acted_on,
        outcomes::what_is_sent_was_written,
        outcomes::what_the_server_refused_was_not_acted_on,
        outcomes::what_was_refused_here_was_not_written,
        outcomes::what_is_unconfirmed_was_written,
        silence::what_was_taken_back_is_not_written,
        silence::no_later_life_belies_a_write,
        silence::nothing_offends_the_server,
        early::nothing_is_given_up_too_early,
    ];
    for check in checks {
        failures.extend(check(&book));
    }
    failures.extend(silence::nobody_dials_while_held(&book));
    failures.extend(silence::nothing_is_written_while_paused(&book));
    failures.extend(early::nobody_dials_too_early(&book));
    failures.extend(order::lanes_keep_their_order(&book, &server, &habits));
    failures.extend(incoming::nothing_is_handled_twice(&book));
    failures.extend(incoming::what_has_a_receipt_was_handled(&book));
    failures.extend(incoming::recovered_sessions_miss_nothing(&book));
    failures.extend(incoming::typists_stop_once(&book));
    if settled {
        failures.extend(outcomes::what_was_accepted_survives(&book, &lives, &habits, &server));
    }
    failures
}
