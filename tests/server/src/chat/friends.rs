//! Friends: two users, from the first private message between them. Each hears when the other comes
//! and goes.

use serde_json::{Value, json};

use super::hub::Hub;
use super::session::Session;
use crate::auth::User;
use crate::clock::{iso8601, unix_ms};
use crate::store::Store;

/// Notes a user's name, and says who their friends are.
pub(super) async fn meet(store: &mut Store, user: &User) -> Result<Vec<User>, sqlx::Error> {
    store.meet(user).await?;
    store.friends(&user.id).await
}

/// Friends as the greeting lists them.
pub(super) fn listed(hub: &Hub, friends: &[User]) -> Value {
    let listed = friends.iter().map(|friend| {
        let status = match hub.presence.of(&friend.id).is_empty() {
            true => "offline",
            false => "online",
        };
        json!({ "id": friend.id, "username": friend.username, "status": status })
    });
    listed.collect()
}

/// `friend_status_change` to those friends who are connected.
pub(super) fn tell(hub: &Hub, friends: &[User], session: &Session, status: &str) {
    let change = json!({
        "userId": session.user.id,
        "status": status,
        "timestamp": iso8601(unix_ms()),
    });
    for friend in friends {
        for connection in hub.presence.of(&friend.id) {
            connection.send("friend_status_change", &change);
        }
    }
}
