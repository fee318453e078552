//! The chunked transfer coding (RFC 9112, section 7.1): a body in pieces,
//! each with its length in front, so that a sender need not know the whole.
//!
//! ```text
//! 5 CRLF hello CRLF        a chunk: length in hexadecimal, then the bytes
//! 1a;name=value CRLF …     an extension after the length: to be ignored
//! 1a  ;name=value CRLF …   blanks before it, and before CRLF: ignored, too
//! 0 CRLF                   the last chunk has no bytes
//! Name: value CRLF         trailers: fields that come after the body
//! CRLF                     the end
//! ```
//!
//! Pure: bytes in, [`Piece`]s out, no socket. The pieces do not depend on how
//! the bytes were cut into segments.

use super::head::parse_fields;
use super::{Fault, Fields};

/// Most bytes of all extensions and blanks of a body together, because they
/// carry nothing and a sender could send them without end.
const MOST_EXTENSIONS: usize = 16 * 1024;

/// Most bytes of trailers.
const MOST_TRAILERS: usize = 8 * 1024;

/// What [`Chunked::decode`] found in front of its input.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of the body, never none.
    Data(&'a [u8]),
    /// All input is used up and the body goes on: read more.
    More,
    /// The body is over; what follows belongs to the next message.
    End,
}

/// A decoder for one body.
#[derive(Debug, Default)]
pub struct Chunked {
    state: State,
    left: u64,         // bytes of this chunk that are still to come
    extensions: usize, // bytes of extensions so far
    raw: Vec<u8>,      // trailers, as they came
    trailers: Fields,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Size, // the first digit
    Digits,    // more digits, a blank, an extension, or CR
    Blanks,    // after the digits: more blanks, an extension, or CR
    Extension, // up to CR
    SizeLf,    // the LF after a chunk's first line
    Data,
    DataCr,
    DataLf,
    Trailers,
    Done,
}

impl Chunked {
    /// At the start of a body.
    pub fn new() -> Chunked {
        Chunked::default()
    }

    /// The fields after the body, once it is over.
    pub fn trailers(&self) -> &Fields {
        &self.trailers
    }

    /// Is the body over?
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next piece off the front of `input`, and says how many bytes
    /// of it are used up.
    pub fn decode<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Piece<'a>), Fault> {
        let mut used = 0;
        while self.state != State::Done {
            let rest = input.get(used..).unwrap_or_default();
            let Some(&byte) = rest.first() else {
                return Ok((used, Piece::More));
            };
            if self.state == State::Data {
                let count = usize::try_from(self.left).unwrap_or(usize::MAX);
                let data = rest.get(..count).unwrap_or(rest);
                self.left -= data.len() as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
                return Ok((used + data.len(), Piece::Data(data)));
            }
            self.state = self.take(byte)?;
            used += 1;
        }
        Ok((used, Piece::End))
    }

    /// One byte of what stands around the data.
    fn take(&mut self, byte: u8) -> Result<State, Fault> {
        let digit = char::from(byte).to_digit(16);
        Ok(match (self.state, byte) {
            (State::Size | State::Digits, _) if digit.is_some() => {
                let digit = u64::from(digit.unwrap_or_default());
                // Sixteen F are more than any disk holds: no overflow.
                if self.left >= 1 << 56 {
                    return Err(Fault::bad("A chunk is too large."));
                }
                self.left = self.left * 16 + digit;
                State::Digits
            }
            // CRLF and nothing else: a lone LF or CR is where decoders
            // disagree.
            (State::Digits | State::Blanks | State::Extension, b'\r') => {
                State::SizeLf
            }
            // A recipient must accept blanks before `;` (RFC 9112, section
            // 7.1.1), and some servers pad the length with them. No digit
            // may follow, because `5 0` could be 5 or 80.
            (State::Digits | State::Blanks, b' ' | b'\t') => {
                self.count_extension()?;
                State::Blanks
            }
            (State::Digits | State::Blanks, b';') => State::Extension,
            (State::Extension, b'\t' | b' '..=b'~' | 0x80..) => {
                self.count_extension()?;
                State::Extension
            }
            (State::SizeLf, b'\n') if self.left == 0 => State::Trailers,
            (State::SizeLf, b'\n') => State::Data,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::Trailers, byte) => return self.take_trailer(byte),
            (State::Size | State::Digits | State::Blanks, _) => {
                return Err(Fault::bad("A chunk's length is malformed."));
            }
            (State::DataCr | State::DataLf, _) => {
                return Err(Fault::bad("A chunk is longer than it says."));
            }
            _ => return Err(Fault::bad("A chunk's first line is malformed.")),
        })
    }

    /// One byte more that carries nothing.
    fn count_extension(&mut self) -> Result<(), Fault> {
        self.extensions += 1;
        match self.extensions > MOST_EXTENSIONS {
            true => Err(Fault::bad("Too many chunk extensions.")),
            false => Ok(()),
        }
    }

    fn take_trailer(&mut self, byte: u8) -> Result<State, Fault> {
        self.raw.push(byte);
        if self.raw.len() > MOST_TRAILERS {
            let why = "The trailers are longer than 8 KiB.";
            return Err(Fault::Bad { status: 431, why });
        }
        if byte == b'\n' {
            // As strict as everywhere else in this coding.
            if !self.raw.ends_with(b"\r\n") {
                return Err(Fault::bad("A trailer does not end with CRLF."));
            }
            if self.raw == b"\r\n" {
                return Ok(State::Done);
            }
            if self.raw.ends_with(b"\r\n\r\n") {
                self.trailers = parse_fields(&self.raw)?;
                return Ok(State::Done);
            }
        }
        Ok(State::Trailers)
    }
}

#[cfg(test)]
mod tests;
