//! A transaction as bytes: items of a kind and a length. There is one way to write each.

use bytes::Bytes;

use crate::store::{Profile, Record, Transaction};

/// The longest payload that is written, in bytes.
const LONGEST: usize = 1 << 30;

const PUT: u8 = 1;
const REMOVE: u8 = 2;
const PROFILE: u8 = 3;
const ERASE: u8 = 4;

/// A transaction as a payload; `None` if it is longer than a gibibyte.
pub(crate) fn encode(transaction: &Transaction) -> Option<Vec<u8>> {
    let mut out = Out(Vec::new());
    if transaction.erase {
        out.item(ERASE, |_| ());
    }
    for record in &transaction.put {
        out.item(PUT, |out| out.record(record));
    }
    if !transaction.remove.is_empty() {
        out.item(REMOVE, |out| transaction.remove.iter().for_each(|seq| out.u64(*seq)));
    }
    for profile in &transaction.profiles {
        out.item(PROFILE, |out| out.profile(profile));
    }
    // Lengths of parts are less than the whole's, so that none was cut to 32 bits where this holds.
    (out.0.len() <= LONGEST).then_some(out.0)
}

/// The transaction that a payload is; `None` if it is none that was written here. What it allocates is bounded by the
/// payload, whatever lengths and counts that names.
pub(crate) fn decode(payload: &[u8]) -> Option<Transaction> {
    let mut payload = In(payload);
    let mut transaction = Transaction::default();
    while !payload.0.is_empty() {
        let kind = payload.u8()?;
        let mut item = In(payload.bytes()?);
        match kind {
            PUT => transaction.put.push(item.record()?),
            REMOVE => {
                while !item.0.is_empty() {
                    transaction.remove.push(item.u64()?);
                }
            }
            PROFILE => transaction.profiles.push(item.profile()?),
            ERASE => transaction.erase = true,
            _ => return None,
        }
        if !item.0.is_empty() {
            return None;
        }
    }
    Some(transaction)
}

struct Out(Vec<u8>);

impl Out {
    fn item(&mut self, kind: u8, write: impl FnOnce(&mut Self)) {
        self.0.push(kind);
        let at = self.0.len();
        self.u32(0);
        write(self);
        let length = short(self.0.len() - at - 4);
        self.0[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }

    fn record(&mut self, record: &Record) {
        // A new field is a new version of the log: see it here.
        let Record {
            seq,
            namespace,
            message_id,
            body,
            attachments,
            lane,
            expires_unix_ms,
            ack_timeout_ms,
            account,
            written,
        } = record;
        self.u64(*seq);
        self.bytes(namespace.as_bytes());
        self.bytes(message_id.as_bytes());
        self.bytes(body);
        self.u32(short(attachments.len()));
        attachments.iter().for_each(|attachment| self.bytes(attachment));
        self.option(lane.as_deref(), |out, lane| out.bytes(lane.as_bytes()));
        self.option(*expires_unix_ms, Self::u64);
        self.u64(*ack_timeout_ms);
        self.option(account.as_deref(), |out, account| out.bytes(account.as_bytes()));
        self.0.push(u8::from(*written));
    }

    fn profile(&mut self, profile: &Profile) {
        let Profile {
            namespace,
            account,
            features,
        } = profile;
        self.bytes(namespace.as_bytes());
        self.option(account.as_deref(), |out, account| out.bytes(account.as_bytes()));
        self.option(features.as_deref(), |out, features| out.bytes(features.as_bytes()));
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u32(short(bytes.len()));
        self.0.extend_from_slice(bytes);
    }

    fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }
}

/// A length as it is written. One that does not fit makes the payload longer than is allowed.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn record(&mut self) -> Option<Record> {
        Some(Record {
            seq: self.u64()?,
            namespace: self.text()?,
            message_id: self.text()?,
            body: self.owned()?,
            attachments: self.attachments()?,
            lane: self.option(Self::text)?,
            expires_unix_ms: self.option(Self::u64)?,
            ack_timeout_ms: self.u64()?,
            account: self.option(Self::text)?,
            written: self.flag()?,
        })
    }

    fn profile(&mut self) -> Option<Profile> {
        Some(Profile {
            namespace: self.text()?,
            account: self.option(Self::text)?,
            features: self.option(Self::text)?,
        })
    }

    fn attachments(&mut self) -> Option<Vec<Bytes>> {
        let count = self.u32()?;
        // No room is made for a count that is only claimed: each takes four bytes, or ends it.
        let mut attachments = Vec::new();
        for _ in 0..count {
            attachments.push(self.owned()?);
        }
        Some(attachments)
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.u8()? {
            0 => Some(None),
            1 => Some(Some(read(self)?)),
            _ => None,
        }
    }

    fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn owned(&mut self) -> Option<Bytes> {
        self.bytes().map(Bytes::copy_from_slice)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}
