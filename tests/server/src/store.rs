//! What survives a restart: messages, remembered answers and rooms here; in `store/` what is kept for
//! whom, who is a member of which room, friends, notifications and games. SQLite through sqlx.
//!
//! One connection and one user at a time: whoever holds the store also decides in which order
//! messages are stored and delivered, so both happen in one order for everybody.

mod friends;
mod games;
mod members;
mod notifications;
mod receipts;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Connection, Error, Row, SqliteConnection};

use crate::auth::User;
use crate::config::Database;

pub(crate) use games::Game;
pub(crate) use notifications::Notification;
pub(crate) use receipts::{Delivery, Owed};

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
    /// The user it is for.
    pub(crate) recipient: Option<&'a str>,
    pub(crate) room: Option<&'a str>,
    pub(crate) content: Option<&'a str>,
    pub(crate) timestamp: &'a str,
    /// The answer, as JSON, that a copy gets too.
    pub(crate) answer: &'a str,
    pub(crate) delivery: Delivery,
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
        for schema in [
            SCHEMA,
            friends::SCHEMA,
            games::SCHEMA,
            members::SCHEMA,
            notifications::SCHEMA,
            receipts::SCHEMA,
        ] {
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
                delivered: row.try_get::<i64, _>(1)? != Delivery::Kept as i64,
            })
        })
        .transpose()
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
        .bind(entry.delivery as i64)
        .fetch_optional(into)
        .await?;
    Ok(row.map(|(seq,): (i64,)| seq))
}
