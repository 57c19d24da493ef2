//! What was sent, and is kept until it is acknowledged.
//!
//! A message to a user is in the ledger once, and its `delivered` says how far it has come. One to a
//! room goes to many: it is owed to each member, in a table of its own.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Error, Row, SqliteConnection};

use super::{Entry, Recorded, Store, insert};
use crate::auth::User;

pub(super) const SCHEMA: &str = "
    DROP INDEX IF EXISTS kept;
    CREATE INDEX IF NOT EXISTS undelivered ON ledger (recipient, seq) WHERE delivered <> 1;
    CREATE TABLE IF NOT EXISTS owed (
        user TEXT NOT NULL,
        seq INTEGER NOT NULL,
        room TEXT NOT NULL,
        PRIMARY KEY (user, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS owed_in_room ON owed (room, user, seq);
";

/// How far a message to a user has come; the ledger's `delivered`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// No connection was there to take it: it is kept.
    Kept = 0,
    /// That was all: it was acknowledged, or no acknowledgement is asked for.
    Done = 1,
    /// Handed to a connection, and kept until it is acknowledged.
    HandedOver = 2,
}

/// What a user has not acknowledged, by its place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Private(i64),
    Room(i64),
}

/// A message kept for a user.
pub(crate) struct Kept {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) sender: User,
    pub(crate) content: String,
    pub(crate) timestamp: String,
    /// Whether a connection was handed it before.
    pub(crate) is_again: bool,
}

impl Store {
    /// How many messages are kept that were never handed over: of a user, or of all.
    pub(crate) async fn count_kept(&mut self, recipient: Option<&str>) -> Result<u64, Error> {
        let (count,): (i64,) = match recipient {
            Some(user) => {
                let sql = "SELECT COUNT(*) FROM ledger WHERE recipient = ? AND delivered <> 1 AND delivered = 0";
                let query = sqlx::query_as(sql).bind(user);
                query.fetch_one(&mut self.connection).await?
            }
            None => {
                let sql =
                    "SELECT COUNT(*) FROM ledger WHERE recipient IS NOT NULL AND delivered <> 1 AND delivered = 0";
                sqlx::query_as(sql).fetch_one(&mut self.connection).await?
            }
        };
        Ok(count.unsigned_abs())
    }

    /// The messages to a user that are kept, or were not acknowledged, oldest first.
    pub(crate) async fn kept(&mut self, recipient: &str) -> Result<Vec<Kept>, Error> {
        let sql = "SELECT seq, id, sender, sender_name, content, timestamp, delivered FROM ledger \
                   WHERE recipient = ? AND delivered <> 1 ORDER BY seq";
        let query = sqlx::query(sql).bind(recipient);
        query.try_map(kept).fetch_all(&mut self.connection).await
    }

    /// What a user has not acknowledged of what was said in a room, oldest first.
    pub(crate) async fn owed(&mut self, user: &str, room: &str) -> Result<Vec<Kept>, Error> {
        let sql = "SELECT seq, id, sender, sender_name, content, timestamp, 1 \
                   FROM owed JOIN ledger USING (seq) \
                   WHERE owed.user = ? AND owed.room = ? ORDER BY seq";
        let query = sqlx::query(sql).bind(user).bind(room);
        query.try_map(kept).fetch_all(&mut self.connection).await
    }

    /// Notes how far the messages to a user up to `seq` have come.
    pub(crate) async fn delivered(&mut self, recipient: &str, upto: i64, delivery: Delivery) -> Result<(), Error> {
        let sql = "UPDATE ledger SET delivered = ? WHERE recipient = ? AND delivered <> 1 AND seq <= ?";
        let query = sqlx::query(sql).bind(delivery as i64).bind(recipient).bind(upto);
        query.execute(&mut self.connection).await.map(drop)
    }

    /// Notes that no connection took an entry after all.
    pub(crate) async fn keep(&mut self, seq: i64) -> Result<(), Error> {
        let query = sqlx::query("UPDATE ledger SET delivered = 0 WHERE seq = ?").bind(seq);
        query.execute(&mut self.connection).await.map(drop)
    }

    /// Of more than `max` messages to a user, keeps those no longer that were handed over, the oldest
    /// first.
    pub(crate) async fn give_way(&mut self, recipient: &str, max: u32) -> Result<(), Error> {
        let sql = "UPDATE ledger SET delivered = 1 WHERE seq IN ( \
                       SELECT seq FROM ledger WHERE recipient = ?1 AND delivered <> 1 AND delivered = 2 \
                       ORDER BY seq LIMIT max(0, -?2 + \
                           (SELECT COUNT(*) FROM ledger WHERE recipient = ?1 AND delivered <> 1)))";
        let query = sqlx::query(sql).bind(recipient).bind(max);
        query.execute(&mut self.connection).await.map(drop)
    }

    /// Records a message to a room, and that it is owed to these members, of which each is owed `max`
    /// messages at most; of more the oldest go.
    pub(crate) async fn record_owed(
        &mut self,
        entry: &Entry<'_>,
        room: &str,
        members: &[String],
        max: u32,
    ) -> Result<Recorded, Error> {
        let mut all = self.connection.begin().await?;
        if let Some(seq) = insert(&mut all, entry).await? {
            for member in members {
                owe(&mut all, member, seq, room, max).await?;
            }
            all.commit().await?;
            return Ok(Recorded::New { seq });
        }
        all.rollback().await?;
        self.record(entry).await
    }

    /// Keeps no longer what a user has acknowledged.
    pub(crate) async fn acknowledged(&mut self, user: &str, what: &[Owed]) -> Result<(), Error> {
        let mut all = self.connection.begin().await?;
        for owed in what {
            let (sql, seq) = match owed {
                Owed::Private(seq) => {
                    let sql = "UPDATE ledger SET delivered = 1 WHERE seq = ? AND recipient = ? AND delivered = 2";
                    (sql, seq)
                }
                Owed::Room(seq) => ("DELETE FROM owed WHERE seq = ? AND user = ?", seq),
            };
            sqlx::query(sql).bind(seq).bind(user).execute(&mut *all).await?;
        }
        all.commit().await
    }
}

async fn owe(into: &mut SqliteConnection, user: &str, seq: i64, room: &str, max: u32) -> Result<(), Error> {
    let sql = "INSERT INTO owed (user, seq, room) VALUES (?, ?, ?)";
    let query = sqlx::query(sql).bind(user).bind(seq).bind(room);
    query.execute(&mut *into).await?;
    let sql = "DELETE FROM owed WHERE user = ?1 AND seq <= \
               (SELECT seq FROM owed WHERE user = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";
    let query = sqlx::query(sql).bind(user).bind(max);
    query.execute(&mut *into).await.map(drop)
}

fn kept(row: SqliteRow) -> Result<Kept, Error> {
    Ok(Kept {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        sender: User {
            id: row.try_get(2)?,
            username: row.try_get(3)?,
        },
        content: row.try_get(4)?,
        timestamp: row.try_get(5)?,
        is_again: row.try_get::<i64, _>(6)? != Delivery::Kept as i64,
    })
}
