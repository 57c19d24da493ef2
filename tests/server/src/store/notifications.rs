//! Notifications: kept until they are marked read, and a while longer, so that they can be marked
//! twice.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Error, Row};

use super::{Entry, Store, insert};

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS notifications (
        seq INTEGER PRIMARY KEY,
        user TEXT NOT NULL,
        id TEXT NOT NULL,
        title TEXT NOT NULL,
        message TEXT NOT NULL,
        icon TEXT,
        read INTEGER NOT NULL,
        UNIQUE (user, id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS notified ON notifications (user, seq);
";

/// One notification, as its user is told.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Notification {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) icon: Option<String>,
}

impl Store {
    /// Keeps a notification; of more than `max` of one user the oldest go.
    pub(crate) async fn notify(&mut self, user: &str, new: &Notification, max: u32) -> Result<(), Error> {
        let mut both = self.connection.begin().await?;
        let sql = "INSERT INTO notifications (user, id, title, message, icon, read) \
                   VALUES (?, ?, ?, ?, ?, 0)";
        sqlx::query(sql)
            .bind(user)
            .bind(&new.id)
            .bind(&new.title)
            .bind(&new.message)
            .bind(&new.icon)
            .execute(&mut *both)
            .await?;
        let sql = "DELETE FROM notifications WHERE user = ?1 AND seq <= \
                   (SELECT seq FROM notifications WHERE user = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)";
        let query = sqlx::query(sql).bind(user).bind(max);
        query.execute(&mut *both).await?;
        both.commit().await
    }

    /// What a user has not read, oldest first.
    pub(crate) async fn unread(&mut self, user: &str) -> Result<Vec<Notification>, Error> {
        let sql = "SELECT id, title, message, icon FROM notifications \
                   WHERE user = ? AND read = 0 ORDER BY seq";
        sqlx::query(sql)
            .bind(user)
            .try_map(|row: SqliteRow| {
                Ok(Notification {
                    id: row.try_get(0)?,
                    title: row.try_get(1)?,
                    message: row.try_get(2)?,
                    icon: row.try_get(3)?,
                })
            })
            .fetch_all(&mut self.connection)
            .await
    }

    /// Marks all of these as read and records the request for it, or, if the user has none of one
    /// of them, nothing; whether it was done.
    pub(crate) async fn mark_read(&mut self, user: &str, ids: &[&str], entry: &Entry<'_>) -> Result<bool, Error> {
        let mut all = self.connection.begin().await?;
        for id in ids {
            let sql = "UPDATE notifications SET read = 1 WHERE user = ? AND id = ?";
            let query = sqlx::query(sql).bind(user).bind(id);
            if query.execute(&mut *all).await?.rows_affected() == 0 {
                all.rollback().await?;
                return Ok(false);
            }
        }
        insert(&mut all, entry).await?;
        all.commit().await?;
        Ok(true)
    }
}
