//! A message's JSON, kept so that it becomes a frame without being copied.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

/// Room in front of a message for the head of its packet: kind, attachments, namespace, id. A longer head costs a copy.
const HEADROOM: usize = 40;

/// `["event",…]`.
///
/// It is encoded once, behind some empty room; when it is written the packet's head is put there, and the frame is that
/// same memory. Only a message that is sent again is copied, because its first frame may still be in use.
#[derive(Clone)]
pub(crate) struct Body(State);

#[derive(Clone)]
enum State {
    /// Never written: room, then the JSON.
    Fresh(Vec<u8>),
    /// Written, or from a store: the JSON alone.
    Kept(Bytes),
}

impl Body {
    /// An empty body with room for `capacity` bytes of JSON.
    pub(crate) fn with_capacity(capacity: usize) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(HEADROOM + capacity);
        buffer.resize(HEADROOM, 0);
        buffer
    }

    /// A buffer from [`with_capacity`](Self::with_capacity) into which the JSON has been written.
    pub(crate) fn fresh(buffer: Vec<u8>) -> Self {
        debug_assert!(buffer.len() >= HEADROOM);
        Self(State::Fresh(buffer))
    }

    /// JSON that was kept somewhere else.
    pub(crate) fn kept(json: Bytes) -> Self {
        Self(State::Kept(json))
    }

    /// The JSON.
    pub(crate) fn json(&self) -> &[u8] {
        match &self.0 {
            State::Fresh(buffer) => &buffer[HEADROOM..],
            State::Kept(json) => json,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.json().len()
    }

    /// Puts `bytes` into the JSON at `at`.
    pub(crate) fn insert(&mut self, at: usize, bytes: &[u8]) {
        if let State::Fresh(buffer) = &mut self.0 {
            let at = HEADROOM + at;
            buffer.splice(at..at, bytes.iter().copied());
        }
    }

    /// The frame that begins with `head`. With `keep` false the body is empty afterwards.
    pub(crate) fn frame(&mut self, head: &[u8], keep: bool) -> Bytes {
        match std::mem::replace(&mut self.0, State::Kept(Bytes::new())) {
            State::Fresh(mut buffer) if head.len() <= HEADROOM => {
                let start = HEADROOM - head.len();
                buffer[start..HEADROOM].copy_from_slice(head);
                let mut frame = Bytes::from(buffer);
                frame.advance(start);
                if keep {
                    self.0 = State::Kept(frame.slice(head.len()..));
                }
                frame
            }
            state => {
                let old = Self(state);
                let mut frame = BytesMut::with_capacity(head.len() + old.len());
                frame.extend_from_slice(head);
                frame.extend_from_slice(old.json());
                if keep {
                    *self = old;
                }
                frame.freeze()
            }
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Payloads are not for logs.
        f.debug_struct("Body").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &[u8]) -> Body {
        let mut buffer = Body::with_capacity(json.len());
        buffer.extend_from_slice(json);
        Body::fresh(buffer)
    }

    #[test]
    fn the_first_frame_is_the_bodys_own_memory_and_the_second_a_copy() {
        let mut message = body(b"[1]");
        let first = message.frame(b"420", true);
        assert_eq!(first, "420[1]");
        assert_eq!(message.json().as_ptr(), first[3..].as_ptr());
        assert_eq!(message.frame(b"421", true), "421[1]");
        assert_eq!(first, "420[1]", "the first one is untouched");
        assert_eq!(message.json(), b"[1]");
    }

    #[test]
    fn a_head_that_is_longer_than_the_room_for_it_is_written_all_the_same() {
        let head = [b'x'; HEADROOM + 1];
        let mut message = body(b"[1]");
        assert_eq!(message.frame(&head, true), [&head[..], b"[1]"].concat());
        assert_eq!(message.json(), b"[1]");
    }

    #[test]
    fn something_can_be_put_in_before_it_is_written() {
        let mut message = body(b"[{}]");
        message.insert(2, b"\"a\":1");
        assert_eq!(message.frame(b"42", false), "42[{\"a\":1}]");
        assert!(message.json().is_empty());
    }
}
