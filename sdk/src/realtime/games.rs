//! Games: inviting, and making a move.

use super::RealtimeClient;
use super::arguments::{check_id, object};
use super::messages::user_lane;
use crate::core::{Emission, EmitOptions, scan};
use crate::error::Error;
use crate::receipt::Receipt;

/// A move stands in an object in an array.
const MOST_DEPTH: usize = scan::MAX_DEPTH - 2;

impl RealtimeClient {
    /// Invites a user to a game of some type, in order with the messages to that user. While offline it waits in the queue.
    pub fn invite_to_game(&self, user_id: &str, game_type: &str) -> Receipt {
        if let Err(error) = check_id(user_id, "recipientId").and_then(|()| check_id(game_type, "gameType")) {
            return self.socket.send(Err(error));
        }
        let object = object(|object| {
            object.string("recipientId", user_id);
            object.string("gameType", game_type);
        });
        let options = EmitOptions::new().reliable().lane(user_lane(user_id));
        self.socket
            .send(Ok(Emission::of_object("game_invite", &object, options)))
    }

    /// Makes a move in a game: anything that serde can write. Moves of one game stay in order. While offline they wait in
    /// the queue.
    ///
    /// ```no_run
    /// # async fn play(chat: rejoin::RealtimeClient) {
    /// #[derive(serde::Serialize)]
    /// struct Move { from: &'static str, to: &'static str }
    ///
    /// let outcome = chat.send_game_move("game-7", Move { from: "e2", to: "e4" }).await;
    /// # }
    /// ```
    #[cfg(feature = "typed")]
    pub fn send_game_move(&self, game_id: &str, game_move: impl serde::Serialize) -> Receipt {
        #[derive(serde::Serialize)]
        struct Body<'a, M> {
            #[serde(rename = "gameId")]
            game_id: &'a str,
            #[serde(rename = "move")]
            game_move: M,
        }
        let body = Body { game_id, game_move };
        let emission = check_id(game_id, "gameId")
            .and_then(|()| crate::payload::encode_event("game_move", &body, options(game_id)));
        self.socket.send(emission)
    }

    /// Makes a move that is JSON text already: one value of any kind.
    pub fn send_game_move_json(&self, game_id: &str, game_move: &str) -> Receipt {
        let checked = check_id(game_id, "gameId").and_then(|()| match scan::validate(game_move, MOST_DEPTH) {
            Ok(()) => Ok(()),
            Err(_) => Err(Error::payload("`move` is not one JSON value; nothing was sent")),
        });
        let emission = checked.map(|()| {
            let object = object(|object| {
                object.string("gameId", game_id);
                object.raw("move", game_move);
            });
            Emission::of_object("game_move", &object, options(game_id))
        });
        self.socket.send(emission)
    }
}

fn options(game_id: &str) -> EmitOptions {
    EmitOptions::new().reliable().lane(["game:", game_id].concat())
}
