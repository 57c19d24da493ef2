//! The grammar of JSON: one forward pass over the bytes.

use super::plain::plain_until;
use super::validate::ScanError;

/// The deepest nesting that can be allowed, whatever the caller asks for.
pub const MAX_DEPTH: usize = 512;

/// A position in JSON text. Every step checks what it passes over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) pos: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, pos: usize) -> Self {
        Self {
            bytes: text.as_bytes(),
            pos,
        }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    #[inline]
    pub(super) fn take(&mut self) -> Result<u8, ScanError> {
        let byte = self.peek().ok_or(ScanError::UnexpectedEnd)?;
        self.pos += 1;
        Ok(byte)
    }

    /// Passes over white space.
    #[inline]
    pub(super) fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.pos += 1;
        }
    }

    /// Only white space may be left.
    pub(super) fn finish(&mut self) -> Result<(), ScanError> {
        self.space();
        if self.pos < self.bytes.len() {
            Err(ScanError::Trailing)
        } else {
            Ok(())
        }
    }

    /// Passes over one value and the white space before it.
    pub(super) fn value(&mut self, max_depth: usize) -> Result<(), ScanError> {
        let mut nesting = Nesting::new(max_depth);
        loop {
            self.space();
            match self.take()? {
                b'"' => self.string_tail()?,
                b'{' => {
                    nesting.push(true)?;
                    self.space();
                    if self.peek() != Some(b'}') {
                        self.key()?;
                        continue;
                    }
                    self.pos += 1;
                    nesting.pop();
                }
                b'[' => {
                    nesting.push(false)?;
                    self.space();
                    if self.peek() != Some(b']') {
                        continue;
                    }
                    self.pos += 1;
                    nesting.pop();
                }
                first @ (b'-' | b'0'..=b'9') => self.number_tail(first)?,
                b't' => self.literal_tail(b"rue")?,
                b'f' => self.literal_tail(b"alse")?,
                b'n' => self.literal_tail(b"ull")?,
                _ => return Err(ScanError::UnexpectedByte),
            }
            // A value has ended: so may the arrays and objects around it.
            loop {
                if nesting.depth == 0 {
                    return Ok(());
                }
                self.space();
                match (self.take()?, nesting.in_object) {
                    (b',', true) => {
                        self.space();
                        self.key()?;
                        break;
                    }
                    (b',', false) => break,
                    (b'}', true) | (b']', false) => nesting.pop(),
                    _ => return Err(ScanError::UnexpectedByte),
                }
            }
        }
    }

    /// Passes over a field's name and the colon after it.
    pub(super) fn key(&mut self) -> Result<(), ScanError> {
        if self.take()? != b'"' {
            return Err(ScanError::UnexpectedByte);
        }
        self.string_tail()?;
        self.space();
        if self.take()? != b':' {
            return Err(ScanError::UnexpectedByte);
        }
        Ok(())
    }

    /// Passes over a string whose opening quote is behind.
    #[inline]
    pub(super) fn string_tail(&mut self) -> Result<(), ScanError> {
        loop {
            self.pos = plain_until(self.bytes, self.pos);
            match self.take()? {
                b'"' => return Ok(()),
                b'\\' => self.escape_tail()?,
                _ => return Err(ScanError::ControlCharacter),
            }
        }
    }

    fn escape_tail(&mut self) -> Result<(), ScanError> {
        match self.take()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                for _ in 0..4 {
                    if !self.take()?.is_ascii_hexdigit() {
                        return Err(ScanError::BadEscape);
                    }
                }
                Ok(())
            }
            _ => Err(ScanError::BadEscape),
        }
    }

    fn number_tail(&mut self, first: u8) -> Result<(), ScanError> {
        let lead = if first == b'-' { self.take()? } else { first };
        match lead {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return Err(ScanError::BadNumber),
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            self.some_digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.pos += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), ScanError> {
        if !self.take()?.is_ascii_digit() {
            return Err(ScanError::BadNumber);
        }
        self.digits();
        Ok(())
    }

    fn literal_tail(&mut self, tail: &[u8]) -> Result<(), ScanError> {
        for expected in tail {
            if self.take()? != *expected {
                return Err(ScanError::UnexpectedByte);
            }
        }
        Ok(())
    }
}

/// The open arrays and objects, one bit each, so that a hostile text costs no stack and no heap.
struct Nesting {
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
    limit: usize,
    in_object: bool,
}

impl Nesting {
    #[inline]
    fn new(max_depth: usize) -> Self {
        Self {
            objects: [0; MAX_DEPTH / 64],
            depth: 0,
            limit: max_depth.min(MAX_DEPTH),
            in_object: false,
        }
    }

    /// Enters an array or object, remembering the one around it.
    #[inline]
    fn push(&mut self, object: bool) -> Result<(), ScanError> {
        if self.depth == self.limit {
            return Err(ScanError::TooDeep);
        }
        let word = &mut self.objects[self.depth / 64];
        let bit = 1 << (self.depth % 64);
        *word = if self.in_object { *word | bit } else { *word & !bit };
        self.depth += 1;
        self.in_object = object;
        Ok(())
    }

    #[inline]
    fn pop(&mut self) {
        self.depth -= 1;
        self.in_object = self.objects[self.depth / 64] >> (self.depth % 64) & 1 == 1;
    }
}
