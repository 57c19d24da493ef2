//! Games of two: an invitation is a game, and both are in it from then on.
//!
//! What a move means is the clients' business. The server keeps who plays and the last moves, and
//! tells both.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Answer, Refusal};
use super::copies::Once;
use super::fields::{Fields, MAX_NAME};
use super::hub::Hub;
use super::messages::deliver;
use super::notifications::notify;
use super::order::Place;
use super::session::Session;
use crate::limits::Action;
use crate::store::{Game, Notification};

/// The longest move, in bytes of JSON.
const MAX_MOVE: usize = 2048;

/// How many moves of a game are kept and told; of more the oldest go.
const MAX_MOVES: usize = 200;

/// And so many bytes of them: each move is told with all that are kept.
const MAX_KEPT: usize = 16 * 1024;

/// `game_invite`: answered with the invitation's id, which is the game's. Whoever is away finds a
/// notification of that id.
pub(super) async fn invite(
    hub: &Hub,
    session: &Session,
    fields: &Fields,
    place: &Place<'_>,
) -> Result<Answer, Refusal> {
    let from = &session.user;
    let recipient = fields.text("recipientId", MAX_NAME)?;
    let game_type = fields.text("gameType", MAX_NAME)?;
    if recipient == from.id {
        return Err(Refusal::invalid("recipientId", "must be another user"));
    }
    let once = Once::read(hub, session, fields)?;
    let mut store = hub.store.lock().await;
    if let Some(answer) = once.before(hub, &mut store).await? {
        return Ok(answer);
    }
    place.take_or_wait(hub, session, Action::GameInvite)?;
    let game = Game {
        id: Uuid::new_v4().to_string(),
        game_type: game_type.to_owned(),
        inviter: from.id.clone(),
        invited: recipient.to_owned(),
        moves: "[]".to_owned(),
        total: 0,
    };
    let answer = Answer::done_as(&game.id);
    store.save_game(&game, &once.entry(&answer.to_json())).await?;
    let invitation = json!({ "from": from, "gameType": game_type, "inviteId": game.id });
    if !deliver(&hub.presence.of(recipient), "game_invite", &invitation) {
        let notification = Notification::of_invite(from, game_type, &game.id);
        notify(hub, &mut store, recipient, &notification).await?;
    }
    Ok(answer)
}

/// `game_move`: both players hear of it, on every connection.
pub(super) async fn make_move(
    hub: &Hub,
    session: &Session,
    fields: &Fields,
    place: &Place<'_>,
) -> Result<Answer, Refusal> {
    let player = &session.user;
    let id = fields.text("gameId", MAX_NAME)?;
    let made = fields.json("move", MAX_MOVE)?;
    let once = Once::read(hub, session, fields)?;
    let mut store = hub.store.lock().await;
    if let Some(answer) = once.before(hub, &mut store).await? {
        return Ok(answer);
    }
    place.take_or_wait(hub, session, Action::GameMove)?;
    let Some(mut game) = store.game(id).await? else {
        let unknown = Refusal::new("unknown_game", format!("{id}: no such game"));
        return once.refuse(&mut store, unknown).await;
    };
    if ![&game.inviter, &game.invited].contains(&&player.id) {
        let stranger = Refusal::new("not_a_player", format!("{id}: a game of others"));
        return once.refuse(&mut store, stranger).await;
    }
    let moves = with_move(&game.moves, json!({ "player": player.id, "move": made }))?;
    game.moves = moves.to_string();
    game.total += 1;
    let answer = Answer::done();
    store.save_game(&game, &once.entry(&answer.to_json())).await?;
    let payload = json!({
        "gameId": id,
        "player": player,
        "move": made,
        "gameState": { "gameType": game.game_type, "moves": moves, "total": game.total },
    });
    let players: Vec<Arc<Session>> = [&game.inviter, &game.invited]
        .into_iter()
        .flat_map(|player| hub.presence.of(player))
        .collect();
    deliver(&players, "game_move", &payload);
    Ok(answer)
}

/// The kept moves with one more.
fn with_move(kept: &str, made: Value) -> Result<Value, Refusal> {
    let kept = serde_json::from_str(kept);
    let mut moves: Vec<Value> = kept.map_err(|error| Refusal::internal(&error))?;
    moves.push(made);
    let sizes = moves.iter().rev().scan(0, |kept, made| {
        *kept += made.to_string().len();
        Some(*kept)
    });
    let fitting = sizes.take_while(|kept| *kept <= MAX_KEPT).count();
    let over = moves.len() - fitting.min(MAX_MOVES);
    moves.drain(..over);
    Ok(moves.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_moves_the_oldest_go() {
        let mut kept = "[]".to_owned();
        for n in 0..MAX_MOVES + 2 {
            kept = with_move(&kept, json!(n)).expect("taken").to_string();
        }
        let moves: Vec<usize> = serde_json::from_str(&kept).expect("numbers");
        assert_eq!(moves, (2..MAX_MOVES + 2).collect::<Vec<_>>());
    }

    #[test]
    fn what_one_move_tells_does_not_grow_with_all_that_were_made() {
        let mut kept = "[]".to_owned();
        let long = "x".repeat(MAX_MOVE);
        for _ in 0..MAX_MOVES {
            kept = with_move(&kept, json!(long)).expect("taken").to_string();
        }
        let moves: Vec<String> = serde_json::from_str(&kept).expect("texts");
        assert_eq!(moves.len(), MAX_KEPT / (MAX_MOVE + 2));
    }
}
