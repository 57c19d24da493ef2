//! What a socket and its link have done so far, in numbers.

use crate::core::scan::ObjectWriter;

macro_rules! stats {
    ($($name:ident: $type:ty, $key:literal, $write:ident, $doc:literal;)*) => {
        /// What a socket and its link have done since the client was made. Made by [`Socket::stats`](crate::Socket::stats).
        ///
        /// What concerns the link is shared by all sockets of a client; the rest is the socket's own. Every receipt that
        /// ended counts once, under its outcome.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[non_exhaustive]
        pub struct Stats { $(#[doc = $doc] pub $name: $type,)* }

        impl Stats {
            /// The numbers as a JSON object, with the keys that every platform uses. Times are in milliseconds; what is not
            /// known is `null`.
            pub fn to_json(&self) -> String {
                let mut json = Vec::with_capacity(320);
                let mut object = ObjectWriter::new(&mut json);
                $($write(&mut object, $key, self.$name);)*
                object.end();
                String::from_utf8(json).unwrap_or_default()
            }
        }
    };
}

stats! {
    attempts: u64, "attempts", number, "Of the link: how often it was tried to connect.";
    connects: u64, "connects", number, "Of the link: how often that led to a connection.";
    reconnects: u64, "reconnects", number, "Of the link: how many of those came after a connection that was lost.";
    queued: u64, "queued", number, "Messages that wait to be written.";
    unacked: u64, "unacked", number, "Messages that were written and wait for their acknowledgement.";
    oldest_ms: Option<u64>, "oldestMs", known, "How long the oldest of both has waited, in ms; `None` where nothing waits.";
    sent: u64, "sent", number, "Messages that ended `Sent`.";
    delivered: u64, "delivered", number, "Messages that ended `Delivered`.";
    rejected: u64, "rejected", number, "Messages that ended `Rejected`.";
    unconfirmed: u64, "unconfirmed", number, "Messages that ended `Unconfirmed`.";
    expired: u64, "expired", number, "Messages that ended `Expired`.";
    dropped: u64, "dropped", number, "Messages that ended `Dropped`.";
    cancelled: u64, "cancelled", number, "Messages that ended `Cancelled`.";
    retries: u64, "retries", number, "How often a message was written again after its link was lost.";
    bytes_in: u64, "bytesIn", number, "Of the link: bytes of the packets that came, without what carries them.";
    bytes_out: u64, "bytesOut", number, "Of the link: bytes of the packets that were handed over.";
    rtt_ms: Option<u64>, "rttMs", known, "Of the link: how long the server took to answer the last probe or CONNECT, in ms.";
    ack_ms: Option<AckMs>, "ackMs", times, "How long the last 128 acknowledgements took; `None` before the first.";
}

/// How long acknowledgements took, from when the message was written, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AckMs {
    /// Half of them took no longer.
    pub p50: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
}

type Object<'a> = ObjectWriter<'a, Vec<u8>>;

fn number(object: &mut Object<'_>, key: &str, value: u64) {
    object.uint(key, value);
}

fn known(object: &mut Object<'_>, key: &str, value: Option<u64>) {
    match value {
        Some(value) => object.uint(key, value),
        None => object.raw(key, "null"),
    };
}

fn times(object: &mut Object<'_>, key: &str, value: Option<AckMs>) {
    let Some(value) = value else {
        return known(object, key, None);
    };
    let mut json = Vec::with_capacity(32);
    ObjectWriter::new(&mut json)
        .uint("p50", value.p50)
        .uint("p99", value.p99)
        .end();
    object.raw(key, std::str::from_utf8(&json).unwrap_or("null"));
}
