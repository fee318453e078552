//! A body on its way through a [`Reader`], piece by piece: it may be larger
//! than the memory, and may never end.

use super::chunked::{Chunked, Piece};
use super::reader::{Reader, SMALL};
use super::{Fault, Fields, Framing};
use socketlab::stream::Stream;

/// The buffer while a long body goes through.
const LARGE: usize = 256 * 1024;

/// A body on its way through a [`Reader`].
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

    /// The next bytes, or `None` at the end of the body. They are those that
    /// have arrived, not a fixed number. A close before the end is
    /// [`Fault::Cut`].
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
                    // The end of such a body, and of no other.
                    if !matches!(self.state, State::UntilClose) {
                        return Err(Fault::Cut);
                    }
                    self.state = State::Done;
                    return Ok(None);
                }
                // It filled the buffer, so that more was there: ask for more.
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
                // Data stands at the end of what was used.
                let data = start + used - data..start + used;
                return Ok(Some(reader.buffer.get(data).unwrap_or_default()));
            }
        }
    }

    /// Has the whole body been read?
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Done => true,
            State::Chunked(chunked) => chunked.is_done(),
            State::Length(_) | State::UntilClose => false,
        }
    }

    /// The fields after a chunked body, once it is over.
    pub fn trailers(&self) -> Option<&Fields> {
        match &self.state {
            State::Chunked(chunked) => Some(chunked.trailers()),
            _ => None,
        }
    }

    /// Reads the rest and throws it away, `most` bytes at most, so that the
    /// next request can be found behind it.
    pub fn skip<S: Stream>(
        &mut self,
        reader: &mut Reader<S>,
        most: u64,
    ) -> Result<(), Fault> {
        let mut count = 0;
        while let Some(piece) = self.next(reader)? {
            count += piece.len() as u64;
            if count > most {
                let why = "The body is larger than what is read here.";
                return Err(Fault::Bad { status: 413, why });
            }
        }
        Ok(())
    }
}
