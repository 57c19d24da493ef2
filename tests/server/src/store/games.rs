//! Games: who plays, and the last moves.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Error, Row, SqliteConnection};

use super::{Entry, Store, insert};

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS games (
        id TEXT PRIMARY KEY,
        type TEXT NOT NULL,
        inviter TEXT NOT NULL,
        invited TEXT NOT NULL,
        moves TEXT NOT NULL,
        total INTEGER NOT NULL
    ) STRICT;
";

/// A game of two.
#[derive(Debug)]
pub(crate) struct Game {
    pub(crate) id: String,
    pub(crate) game_type: String,
    pub(crate) inviter: String,
    pub(crate) invited: String,
    /// The last moves, as a JSON array.
    pub(crate) moves: String,
    /// How many moves there were in all.
    pub(crate) total: i64,
}

impl Store {
    pub(crate) async fn game(&mut self, id: &str) -> Result<Option<Game>, Error> {
        let sql = "SELECT id, type, inviter, invited, moves, total FROM games WHERE id = ?";
        sqlx::query(sql)
            .bind(id)
            .try_map(|row: SqliteRow| {
                Ok(Game {
                    id: row.try_get(0)?,
                    game_type: row.try_get(1)?,
                    inviter: row.try_get(2)?,
                    invited: row.try_get(3)?,
                    moves: row.try_get(4)?,
                    total: row.try_get(5)?,
                })
            })
            .fetch_optional(&mut self.connection)
            .await
    }

    /// Writes a game as it is now and records the request that made it so, both or neither.
    pub(crate) async fn save_game(&mut self, game: &Game, entry: &Entry<'_>) -> Result<(), Error> {
        let mut both = self.connection.begin().await?;
        write(&mut both, game).await?;
        insert(&mut both, entry).await?;
        both.commit().await
    }
}

async fn write(into: &mut SqliteConnection, game: &Game) -> Result<(), Error> {
    let sql = "INSERT INTO games (id, type, inviter, invited, moves, total) VALUES (?, ?, ?, ?, ?, ?) \
               ON CONFLICT (id) DO UPDATE SET moves = excluded.moves, total = excluded.total";
    sqlx::query(sql)
        .bind(&game.id)
        .bind(&game.game_type)
        .bind(&game.inviter)
        .bind(&game.invited)
        .bind(&game.moves)
        .bind(game.total)
        .execute(into)
        .await
        .map(drop)
}
