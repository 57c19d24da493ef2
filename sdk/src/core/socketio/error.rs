//! What can be wrong with a packet.

use crate::core::scan::ScanError;

/// Why a frame is not a packet, or not one that may come now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketError {
    /// A text without a single byte.
    Empty,
    /// The first character is none of the seven kinds.
    UnknownKind,
    /// A binary packet without a count of attachments, or with a placeholder that names none of them.
    IllegalAttachments,
    /// More attachments than the limit.
    TooManyAttachments,
    /// An id of more than 64 bits.
    IllegalId,
    /// The data is not JSON, or nested too deeply.
    Json(ScanError),
    /// The data has not the shape that the kind wants.
    IllegalData,
    /// An event with a reserved name.
    ReservedName,
    /// Text where a binary attachment is due.
    TextInsteadOfBinary,
    /// A binary frame where none is due.
    UnexpectedBinary,
    /// A packet that is over the limit together with its attachments.
    TooLarge,
}

impl PacketError {
    /// The reason as a fragment of a sentence, without a full stop.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Empty => "empty Socket.IO packet",
            Self::UnknownKind => "unknown Socket.IO packet type",
            Self::IllegalAttachments => "illegal attachments",
            Self::TooManyAttachments => "too many attachments",
            Self::IllegalId => "acknowledgement id out of range",
            Self::Json(error) => error.as_str(),
            Self::IllegalData => "data of the wrong shape for its Socket.IO packet type",
            Self::ReservedName => "event with a reserved name",
            Self::TextInsteadOfBinary => "text where a binary attachment was due",
            Self::UnexpectedBinary => "binary frame that belongs to no packet",
            Self::TooLarge => "message over the size limit",
        }
    }
}
