//! Notifications: marking them read.

use super::RealtimeClient;
use super::arguments::{check_id, empty, object};
use crate::core::{Emission, EmitOptions, scan};
use crate::error::Error;
use crate::receipt::Receipt;

/// The lane of all that is said about notifications.
const LANE: &str = "notifications";

impl RealtimeClient {
    /// Tells that the user has read these notifications, so that the server does not send them again. While offline it
    /// waits in the queue.
    ///
    /// ```no_run
    /// # fn show(chat: &rejoin::RealtimeClient) {
    /// chat.mark_notifications_read(["n1", "n2"]);
    /// # }
    /// ```
    pub fn mark_notifications_read<I: AsRef<str>>(&self, notification_ids: impl IntoIterator<Item = I>) -> Receipt {
        let emission = listed(notification_ids).map(|ids| {
            let object = object(|object| {
                object.raw("notificationIds", &ids);
            });
            let options = EmitOptions::new().reliable().lane(LANE);
            Emission::of_object("mark_notifications_read", &object, options)
        });
        self.socket.send(emission)
    }
}

/// The ids as a JSON array; there has to be one.
fn listed<I: AsRef<str>>(ids: impl IntoIterator<Item = I>) -> Result<String, Error> {
    let mut json = Vec::with_capacity(64);
    for id in ids {
        let id = id.as_ref();
        check_id(id, "notificationIds")?;
        json.push(if json.is_empty() { b'[' } else { b',' });
        scan::write_string(&mut json, id);
    }
    if json.is_empty() {
        return Err(empty("notificationIds"));
    }
    json.push(b']');
    Ok(String::from_utf8(json).unwrap_or_default())
}
