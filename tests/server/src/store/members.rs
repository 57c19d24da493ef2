//! To whom a room's messages are owed: who joined it and did not leave, though the connection may be
//! gone.

use sqlx::{Connection, Error, SqliteConnection};

use super::Store;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS members (
        room TEXT NOT NULL,
        user TEXT NOT NULL,
        away_since INTEGER,
        PRIMARY KEY (room, user)
    ) STRICT, WITHOUT ROWID;
";

impl Store {
    /// Makes a user a member of a room. One who was away since `long_ago` begins anew.
    pub(crate) async fn enter(&mut self, user: &str, room: &str, long_ago: i64) -> Result<(), Error> {
        let mut all = self.connection.begin().await?;
        let sql = "SELECT 1 FROM members WHERE room = ? AND user = ? AND away_since <= ?";
        let query = sqlx::query(sql).bind(room).bind(user).bind(long_ago);
        if query.fetch_optional(&mut *all).await?.is_some() {
            forget(&mut all, user, room).await?;
        }
        let sql = "INSERT INTO members (room, user) VALUES (?, ?) \
                   ON CONFLICT (room, user) DO UPDATE SET away_since = NULL";
        let query = sqlx::query(sql).bind(room).bind(user);
        query.execute(&mut *all).await?;
        all.commit().await
    }

    /// Ends a membership, and with it what is owed.
    pub(crate) async fn leave(&mut self, user: &str, room: &str) -> Result<(), Error> {
        let mut all = self.connection.begin().await?;
        forget(&mut all, user, room).await?;
        all.commit().await
    }

    /// Notes since when a user is in these rooms with no connection.
    pub(crate) async fn away(&mut self, user: &str, rooms: &[String], since: i64) -> Result<(), Error> {
        let mut all = self.connection.begin().await?;
        for room in rooms {
            let sql = "UPDATE members SET away_since = ? WHERE room = ? AND user = ?";
            let query = sqlx::query(sql).bind(since).bind(room).bind(user);
            query.execute(&mut *all).await?;
        }
        all.commit().await
    }

    /// Notes that nobody is connected, as a server starts, and forgets who was away since `long_ago`.
    pub(crate) async fn all_away(&mut self, since: i64, long_ago: i64) -> Result<(), Error> {
        let mut all = self.connection.begin().await?;
        let sql = "UPDATE members SET away_since = ? WHERE away_since IS NULL";
        sqlx::query(sql).bind(since).execute(&mut *all).await?;
        let sql = "DELETE FROM members WHERE away_since <= ?";
        sqlx::query(sql).bind(long_ago).execute(&mut *all).await?;
        let sql = "DELETE FROM owed WHERE NOT EXISTS \
                   (SELECT 1 FROM members WHERE members.room = owed.room AND members.user = owed.user)";
        sqlx::query(sql).execute(&mut *all).await?;
        all.commit().await
    }

    /// The members of a room but one. Who was away since `long_ago` is forgotten.
    pub(crate) async fn members(&mut self, room: &str, but: &str, long_ago: i64) -> Result<Vec<String>, Error> {
        let sql = "SELECT user, away_since <= ? FROM members WHERE room = ?";
        let query = sqlx::query_as(sql).bind(long_ago).bind(room);
        let all: Vec<(String, Option<bool>)> = query.fetch_all(&mut self.connection).await?;
        let mut members = Vec::with_capacity(all.len());
        for (user, is_long_away) in all {
            if is_long_away == Some(true) {
                self.leave(&user, room).await?;
            } else if user != but {
                members.push(user);
            }
        }
        Ok(members)
    }
}

async fn forget(from: &mut SqliteConnection, user: &str, room: &str) -> Result<(), Error> {
    for sql in [
        "DELETE FROM owed WHERE room = ? AND user = ?",
        "DELETE FROM members WHERE room = ? AND user = ?",
    ] {
        let query = sqlx::query(sql).bind(room).bind(user);
        query.execute(&mut *from).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::User;
    use crate::config::Database;
    use crate::store::{Delivery, Entry, Recorded};

    /// A message in a room, owed to all members but its sender.
    async fn say(store: &mut Store, long_ago: i64) -> Vec<String> {
        let sender = User {
            id: "u1".to_owned(),
            username: "Alice".to_owned(),
        };
        let members = store.members("tea", &sender.id, long_ago).await.expect("members");
        let entry = Entry {
            sender: &sender,
            once: None,
            id: "m1",
            recipient: None,
            room: Some("tea"),
            content: Some("hi"),
            timestamp: "",
            answer: "",
            delivery: Delivery::Done,
        };
        let recorded = store.record_owed(&entry, "tea", &members, 10).await;
        assert!(matches!(recorded, Ok(Recorded::New { .. })));
        members
    }

    async fn owed(store: &mut Store, user: &str) -> usize {
        store.owed(user, "tea").await.expect("a list").len()
    }

    async fn tea() -> Store {
        let mut store = Store::open(&Database::Memory).await.expect("a database");
        for user in ["u1", "u2", "u3"] {
            store.enter(user, "tea", 0).await.expect("entered");
        }
        store
    }

    #[tokio::test]
    async fn who_is_away_too_long_is_forgotten_with_what_is_owed_as_soon_as_anything_is_said() {
        let mut store = tea().await;
        assert_eq!(say(&mut store, 0).await, ["u2", "u3"]);
        let rooms = ["tea".to_owned()];
        store.away("u2", &rooms, 100).await.expect("noted");
        assert_eq!(say(&mut store, 99).await, ["u2", "u3"]);
        assert_eq!(say(&mut store, 100).await, ["u3"]);
        assert_eq!((owed(&mut store, "u2").await, owed(&mut store, "u3").await), (0, 3));
    }

    #[tokio::test]
    async fn after_a_restart_everybody_is_away_since_then_or_since_before() {
        let mut store = tea().await;
        say(&mut store, 0).await;
        let rooms = ["tea".to_owned()];
        store.away("u2", &rooms, 100).await.expect("noted");
        store.all_away(200, 50).await.expect("noted");
        assert_eq!((owed(&mut store, "u2").await, owed(&mut store, "u3").await), (1, 1));
        store.all_away(300, 100).await.expect("noted");
        assert_eq!((owed(&mut store, "u2").await, owed(&mut store, "u3").await), (0, 1));
        store.all_away(400, 200).await.expect("noted");
        assert_eq!(owed(&mut store, "u3").await, 0);
    }
}
