//! The header of a log and its frames.

use super::crc::crc32c;

/// The version of the format that is written.
pub(crate) const VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"rejoinlg";

/// The length of a header in bytes.
pub(crate) const HEADER: usize = 36;

/// The length of what stands before a payload, in bytes.
pub(crate) const HEAD: usize = 12;

/// What a log says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Counts how often the log was written anew.
    pub(crate) generation: u64,
    /// Where the part ends that was written as a whole: no log is shorter.
    pub(crate) snapshot: u64,
}

/// How a log begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    Known(Header),
    /// A version that this one cannot read.
    Newer(u32),
    Bad,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        let crc = crc32c(&bytes[..12]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.generation.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.snapshot.to_le_bytes());
        let crc = crc32c(&bytes[..32]);
        bytes[32..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// Reads the header of a log.
pub(crate) fn beginning(log: &[u8]) -> Beginning {
    let version = number(log, 8);
    if !log.starts_with(&MAGIC) || version == 0 || !checked(log, 12) {
        return Beginning::Bad;
    }
    if version > VERSION {
        return Beginning::Newer(version);
    }
    if !checked(log, 32) {
        return Beginning::Bad;
    }
    Beginning::Known(Header {
        generation: long(log, 16),
        snapshot: long(log, 24),
    })
}

/// A payload as the frame that stands `at` this place.
pub(crate) fn frame(generation: u64, at: u64, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let payload_crc = crc32c(payload);
    let mut frame = Vec::with_capacity(HEAD + payload.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&payload_crc.to_le_bytes());
    frame.extend_from_slice(&head_crc(generation, at, length, payload_crc).to_le_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// What stands at one place of a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// A frame and where the next one begins.
    Payload(&'a [u8], usize),
    /// Nothing.
    End,
    /// The beginning of a frame whose rest is missing.
    Short,
    /// No frame that was written here.
    Bad,
}

/// Reads the frame that stands `at` this place.
pub(crate) fn next(log: &[u8], at: usize, generation: u64) -> Next<'_> {
    let Some(rest) = log.get(at..).filter(|rest| !rest.is_empty()) else {
        return Next::End;
    };
    let Some((head, rest)) = rest.split_at_checked(HEAD) else {
        return Next::Short;
    };
    let (length, payload_crc) = (number(head, 0), number(head, 4));
    if number(head, 8) != head_crc(generation, at as u64, length, payload_crc) {
        return Next::Bad;
    }
    match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
        None => Next::Short,
        Some(payload) if crc32c(payload) == payload_crc => Next::Payload(payload, at + HEAD + payload.len()),
        Some(_) => Next::Bad,
    }
}

fn head_crc(generation: u64, at: u64, length: u32, payload_crc: u32) -> u32 {
    let mut covered = [0; 24];
    covered[..8].copy_from_slice(&generation.to_le_bytes());
    covered[8..16].copy_from_slice(&at.to_le_bytes());
    covered[16..20].copy_from_slice(&length.to_le_bytes());
    covered[20..].copy_from_slice(&payload_crc.to_le_bytes());
    crc32c(&covered)
}

/// Whether the checksum that stands `at` this place is that of all before it.
fn checked(log: &[u8], at: usize) -> bool {
    log.len() >= at + 4 && number(log, at) == crc32c(&log[..at])
}

/// The number at a place; zero where there is none.
fn number(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
