//! Games.

use super::values::text;
use super::{Json, User};

events! {
    /// Somebody invites us to a game.
    GameInvite "game_invite" {
        /// Who.
        from: User,
        /// Which game.
        #[serde(deserialize_with = "text")]
        game_type: String,
        /// The invitation's id, which moves name as the game's where the server has it so.
        #[serde(deserialize_with = "text")]
        invite_id: String,
    }

    /// Somebody made a move in a game that we are in.
    GameMove "game_move" {
        /// The game's id.
        #[serde(deserialize_with = "text")]
        game_id: String,
        /// Who.
        player: User,
        /// The move, as its player sent it.
        #[serde(rename = "move")]
        game_move: Json,
        /// The game after it, as the server tells it; `null` where it does not.
        #[serde(default)]
        game_state: Json,
    }
}
