//! Reads a body through a [`Reader`], piece by piece, because a body may be
//! larger than the memory and may never end.

use super::chunked::{Chunked, Piece};
use super::reader::{Reader, SMALL};
use super::{Fault, Fields, Framing};
use socketlab::stream::Stream;

/// Bytes of the buffer for a long body.
const LARGE: usize = 256 * 1024;

/// How far a body has been read.
#[derive(Debug)]
pub struct Body {
    state: State,
    buffer: usize, // grows when there is much to read
}

#[derive(Debug)]
enum State {
    Length(u64), // bytes to come
    Chunked(Chunked),
    UntilClose,
    Done,
}

impl Body {
    /// The body that a head announced.
    pub fn new(framing: Framing) -> Body {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::new()),
            Framing::UntilClose => State::UntilClose,
        };
        Body { state, buffer: SMALL }
    }

    /// Returns the bytes that have arrived, or `None` at the end of the body.
    /// If the peer closes before the end, it returns [`Fault::Cut`].
    pub fn next<'a, S: Stream>(
        &mut self,
        reader: &'a mut Reader<S>,
    ) -> Result<Option<&'a [u8]>, Fault> {
        loop {
            if self.is_done() {
                return Ok(None);
            }
            if reader.start == reader.end {
                if reader.fill_body(self.buffer)? == 0 {
                    // FIN: the end of this kind of body, and only of this.
                    if !matches!(self.state, State::UntilClose) {
                        return Err(Fault::Cut);
                    }
                    self.state = State::Done;
                    return Ok(None);
                }
                // recv() filled the buffer, so more bytes are waiting. A
                // larger buffer needs fewer calls.
                if reader.end == self.buffer {
                    self.buffer = (self.buffer * 4).min(LARGE);
                }
            }
            let start = reader.start;
            let unread = reader.end - start;
            let (used, data) = match &mut self.state {
                State::Length(left) => {
                    let room = usize::try_from(*left).unwrap_or(usize::MAX);
                    let count = unread.min(room);
                    *left -= count as u64;
                    if *left == 0 {
                        self.state = State::Done;
                    }
                    (count, count)
                }
                State::Chunked(chunked) => {
                    let (used, piece) = chunked.decode(reader.buffered())?;
                    let data = match piece {
                        Piece::Data(data) => data.len(),
                        Piece::More | Piece::End => 0,
                    };
                    (used, data)
                }
                State::UntilClose => (unread, unread),
                State::Done => (0, 0),
            };
            reader.start += used;
            if data > 0 {
                // The data are the last of the bytes that were used; before
                // them there may be a chunk's length.
                let data = start + used - data..start + used;
                return Ok(Some(reader.buffer.get(data).unwrap_or_default()));
            }
        }
    }

    /// Has the complete body been read?
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Done => true,
            State::Chunked(chunked) => chunked.is_done(),
            State::Length(_) | State::UntilClose => false,
        }
    }

    /// The fields after a chunked body, when the body has ended.
    pub fn trailers(&self) -> Option<&Fields> {
        match &self.state {
            State::Chunked(chunked) => Some(chunked.trailers()),
            _ => None,
        }
    }

    /// Reads the rest of the body and throws it away, `most` bytes at most.
    /// The next request begins after it.
    pub fn skip<S: Stream>(
        &mut self,
        reader: &mut Reader<S>,
        most: u64,
    ) -> Result<(), Fault> {
        let mut count = 0;
        while let Some(piece) = self.next(reader)? {
            count += piece.len() as u64;
            if count > most {
                let why = "The body is too large.";
                return Err(Fault::Bad { status: 413, why });
            }
        }
        Ok(())
    }
}
