//! What survives a restart: messages, remembered answers and rooms here, friends, notifications and
//! games in `store/`; SQLite through sqlx.
//!
//! One connection and one user at a time: whoever holds the store also decides in which order
//! messages are stored and delivered, so both happen in one order for everybody.

mod friends;
mod games;
mod notifications;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Connection, Error, Row, SqliteConnection};

use crate::auth::User;
use crate::config::Database;

pub(crate) use games::Game;
pub(crate) use notifications::Notification;

/// The database, open.
#[derive(Debug)]
pub(crate) struct Store {
    connection: SqliteConnection,
}

/// One row of the ledger: something a client sent that must not be done twice.
pub(crate) struct Entry<'a> {
    pub(crate) sender: &'a User,
    /// The `messageId` by which a copy is known; `None` where copies are not looked for.
    pub(crate) once: Option<&'a str>,
    /// The id under which a message is delivered.
    pub(crate) id: &'a str,
    /// The user it is for; a message for a user that is not `delivered` is kept.
    pub(crate) recipient: Option<&'a str>,
    pub(crate) room: Option<&'a str>,
    pub(crate) content: Option<&'a str>,
    pub(crate) timestamp: &'a str,
    /// The answer, as JSON, that a copy gets too.
    pub(crate) answer: &'a str,
    pub(crate) delivered: bool,
}

/// Whether an entry was new.
pub(crate) enum Recorded {
    New { seq: i64 },
    Copy(Before),
}

/// What is remembered of the first, when a copy comes.
pub(crate) struct Before {
    pub(crate) answer: String,
    pub(crate) delivered: bool,
}

/// A message kept for a user who was away.
pub(crate) struct Kept {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) sender: User,
    pub(crate) content: String,
    pub(crate) timestamp: String,
}

/// A room as it was created.
pub(crate) struct Room {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) is_private: bool,
    pub(crate) creator: String,
    /// A salted hash, see `password.rs`.
    pub(crate) password: Option<Vec<u8>>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS ledger (
        seq INTEGER PRIMARY KEY,
        sender TEXT NOT NULL,
        sender_name TEXT NOT NULL,
        once TEXT,
        id TEXT NOT NULL,
        recipient TEXT,
        room TEXT,
        content TEXT,
        timestamp TEXT NOT NULL,
        answer TEXT NOT NULL,
        delivered INTEGER NOT NULL,
        UNIQUE (sender, once)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS kept ON ledger (recipient, seq) WHERE delivered = 0;
    CREATE TABLE IF NOT EXISTS rooms (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        description TEXT,
        is_private INTEGER NOT NULL,
        creator TEXT NOT NULL,
        password BLOB
    ) STRICT;
";

impl Store {
    pub(crate) async fn open(database: &Database) -> Result<Self, Error> {
        let options = match database {
            Database::Memory => SqliteConnectOptions::new().in_memory(true),
            Database::File(path) => SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal),
        };
        let mut connection = SqliteConnection::connect_with(&options).await?;
        for schema in [SCHEMA, friends::SCHEMA, games::SCHEMA, notifications::SCHEMA] {
            sqlx::raw_sql(schema).execute(&mut connection).await?;
        }
        Ok(Self { connection })
    }

    /// Writes an entry, or says what was answered to the first of which it is a copy; which of the
    /// two is decided by the same statement that writes.
    pub(crate) async fn record(&mut self, entry: &Entry<'_>) -> Result<Recorded, Error> {
        if let Some(seq) = insert(&mut self.connection, entry).await? {
            return Ok(Recorded::New { seq });
        }
        let before = self.before(entry.sender, entry.once).await?;
        before.map(Recorded::Copy).ok_or(Error::RowNotFound)
    }

    /// What was answered to a message of this sender with this `messageId`.
    pub(crate) async fn before(&mut self, sender: &User, once: Option<&str>) -> Result<Option<Before>, Error> {
        let row = sqlx::query("SELECT answer, delivered FROM ledger WHERE sender = ? AND once = ?")
            .bind(&sender.id)
            .bind(once)
            .fetch_optional(&mut self.connection)
            .await?;
        row.map(|row| {
            Ok(Before {
                answer: row.try_get(0)?,
                delivered: row.try_get(1)?,
            })
        })
        .transpose()
    }

    /// How many messages are kept for a user, or for all.
    pub(crate) async fn count_kept(&mut self, recipient: Option<&str>) -> Result<u64, Error> {
        let (count,): (i64,) = match recipient {
            Some(user) => {
                let sql = "SELECT COUNT(*) FROM ledger WHERE recipient = ? AND delivered = 0";
                let query = sqlx::query_as(sql).bind(user);
                query.fetch_one(&mut self.connection).await?
            }
            None => {
                let sql = "SELECT COUNT(*) FROM ledger WHERE recipient IS NOT NULL AND delivered = 0";
                sqlx::query_as(sql).fetch_one(&mut self.connection).await?
            }
        };
        Ok(count.unsigned_abs())
    }

    /// The messages kept for a user, oldest first.
    pub(crate) async fn kept(&mut self, recipient: &str) -> Result<Vec<Kept>, Error> {
        let sql = "SELECT seq, id, sender, sender_name, content, timestamp FROM ledger \
                   WHERE recipient = ? AND delivered = 0 ORDER BY seq";
        sqlx::query(sql)
            .bind(recipient)
            .try_map(|row: SqliteRow| {
                Ok(Kept {
                    seq: row.try_get(0)?,
                    id: row.try_get(1)?,
                    sender: User {
                        id: row.try_get(2)?,
                        username: row.try_get(3)?,
                    },
                    content: row.try_get(4)?,
                    timestamp: row.try_get(5)?,
                })
            })
            .fetch_all(&mut self.connection)
            .await
    }

    /// Notes that what was kept for a user up to `seq` was handed over.
    pub(crate) async fn delivered(&mut self, recipient: &str, upto: i64) -> Result<(), Error> {
        let sql = "UPDATE ledger SET delivered = 1 \
                   WHERE recipient = ? AND delivered = 0 AND seq <= ?";
        let query = sqlx::query(sql).bind(recipient).bind(upto);
        query.execute(&mut self.connection).await.map(drop)
    }

    /// Notes that an entry recorded as delivered was not.
    pub(crate) async fn keep(&mut self, seq: i64) -> Result<(), Error> {
        let query = sqlx::query("UPDATE ledger SET delivered = 0 WHERE seq = ?").bind(seq);
        query.execute(&mut self.connection).await.map(drop)
    }

    pub(crate) async fn room(&mut self, id: &str) -> Result<Option<Room>, Error> {
        let sql = "SELECT id, name, description, is_private, creator, password FROM rooms \
                   WHERE id = ?";
        sqlx::query(sql)
            .bind(id)
            .try_map(|row: SqliteRow| {
                Ok(Room {
                    id: row.try_get(0)?,
                    name: row.try_get(1)?,
                    description: row.try_get(2)?,
                    is_private: row.try_get(3)?,
                    creator: row.try_get(4)?,
                    password: row.try_get(5)?,
                })
            })
            .fetch_optional(&mut self.connection)
            .await
    }

    pub(crate) async fn count_rooms(&mut self) -> Result<u64, Error> {
        let query = sqlx::query_as("SELECT COUNT(*) FROM rooms");
        let (count,): (i64,) = query.fetch_one(&mut self.connection).await?;
        Ok(count.unsigned_abs())
    }

    /// Creates a room and records the request for it, both or neither.
    pub(crate) async fn create_room(&mut self, room: &Room, entry: &Entry<'_>) -> Result<(), Error> {
        let mut both = self.connection.begin().await?;
        let sql = "INSERT INTO rooms (id, name, description, is_private, creator, password) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(&room.id)
            .bind(&room.name)
            .bind(&room.description)
            .bind(room.is_private)
            .bind(&room.creator)
            .bind(&room.password)
            .execute(&mut *both)
            .await?;
        insert(&mut both, entry).await?;
        both.commit().await
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&mut self) -> Result<(), Error> {
        self.connection.ping().await
    }
}

/// Inserts an entry unless the ledger has it; its place in the order of all entries.
async fn insert(into: &mut SqliteConnection, entry: &Entry<'_>) -> Result<Option<i64>, Error> {
    let sql = "INSERT INTO ledger \
               (sender, sender_name, once, id, recipient, room, content, timestamp, answer, \
                delivered) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
               ON CONFLICT (sender, once) DO NOTHING RETURNING seq";
    let row = sqlx::query_as(sql)
        .bind(&entry.sender.id)
        .bind(&entry.sender.username)
        .bind(entry.once)
        .bind(entry.id)
        .bind(entry.recipient)
        .bind(entry.room)
        .bind(entry.content)
        .bind(entry.timestamp)
        .bind(entry.answer)
        .bind(entry.delivered)
        .fetch_optional(into)
        .await?;
    Ok(row.map(|(seq,): (i64,)| seq))
}
