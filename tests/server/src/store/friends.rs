//! Who is whose friend, and the name that each user last had.

use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row};

use super::Store;
use crate::auth::User;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS users (
        id TEXT PRIMARY KEY,
        username TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS friends (
        user TEXT NOT NULL,
        friend TEXT NOT NULL,
        PRIMARY KEY (user, friend)
    ) STRICT, WITHOUT ROWID;
";

/// The most friends that one user is told of.
const MAX_FRIENDS: i64 = 1_000;

impl Store {
    /// Notes the name that a user has now.
    pub(crate) async fn meet(&mut self, user: &User) -> Result<(), Error> {
        let sql = "INSERT INTO users (id, username) VALUES (?, ?) \
                   ON CONFLICT (id) DO UPDATE SET username = excluded.username";
        let query = sqlx::query(sql).bind(&user.id).bind(&user.username);
        query.execute(&mut self.connection).await.map(drop)
    }

    /// Makes two users friends of each other, if they are not yet.
    pub(crate) async fn befriend(&mut self, one: &str, other: &str) -> Result<(), Error> {
        let sql = "INSERT OR IGNORE INTO friends (user, friend) VALUES (?1, ?2), (?2, ?1)";
        let query = sqlx::query(sql).bind(one).bind(other);
        query.execute(&mut self.connection).await.map(drop)
    }

    /// The friends of a user, by id. One who never connected has no name but the id.
    pub(crate) async fn friends(&mut self, user: &str) -> Result<Vec<User>, Error> {
        let sql = "SELECT friend, COALESCE(username, friend) FROM friends \
                   LEFT JOIN users ON users.id = friend \
                   WHERE user = ? ORDER BY friend LIMIT ?";
        sqlx::query(sql)
            .bind(user)
            .bind(MAX_FRIENDS)
            .try_map(|row: SqliteRow| {
                Ok(User {
                    id: row.try_get(0)?,
                    username: row.try_get(1)?,
                })
            })
            .fetch_all(&mut self.connection)
            .await
    }
}
