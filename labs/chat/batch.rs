//! What is about to be said: each line is formatted once, and goes to all
//! members with one send() each. Only its author gets something else.

use std::borrow::Cow;

/// Lines in the order in which they are said.
#[derive(Default)]
pub struct Batch {
    text: Vec<u8>,
    pieces: Vec<(u64, usize)>, // whose lines end where in `text`
}

impl Batch {
    /// Adds a line, given in parts.
    pub fn add(&mut self, author: u64, parts: &[&str]) {
        for part in parts {
            self.text.extend_from_slice(part.as_bytes());
        }
        self.text.push(b'\n');
        let end = self.text.len();
        match self.pieces.last_mut() {
            Some((last, until)) if *last == author => *until = end,
            _ => self.pieces.push((author, end)),
        }
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// What was said after the first `since` bytes; without the lines of one
    /// author, if given.
    pub fn after(&self, since: usize, without: Option<u64>) -> Cow<'_, [u8]> {
        let wrote = |id| self.pieces.iter().any(|(author, _)| *author == id);
        let Some(id) = without.filter(|id| wrote(*id)) else {
            return self.text.get(since..).unwrap_or_default().into();
        };
        let mut others = Vec::with_capacity(self.text.len());
        let mut start = since;
        for (author, end) in &self.pieces {
            if *author != id {
                let piece = self.text.get(start..*end);
                others.extend_from_slice(piece.unwrap_or_default());
            }
            start = start.max(*end);
        }
        others.into()
    }
}
