//! The chunked transfer coding (RFC 9112, section 7.1). The sender splits a
//! body into chunks and writes each chunk's length before it. So the sender
//! need not know the length of the complete body.
//!
//! ```text
//! 5 CRLF hello CRLF        a chunk: length in hexadecimal, then the bytes
//! 1a;name=value CRLF …     an extension after the length: ignored
//! 1a  ;name=value CRLF …   spaces before it, and before CRLF: ignored too
//! 0 CRLF                   the last chunk has no bytes
//! Name: value CRLF         trailers: fields that come after the body
//! CRLF                     the end
//! ```
//!
//! The decoder does not use a socket: it gets bytes and returns [`Piece`]s. The
//! decoded body does not depend on how TCP split the bytes into segments.

use super::head::parse_fields;
use super::{Fault, Fields};

/// Bytes that all extensions and spaces of a body may have together. They carry
/// no data, so a sender could send them without end.
const MOST_EXTENSIONS: usize = 16 * 1024;

/// Bytes that the trailers may have.
const MOST_TRAILERS: usize = 8 * 1024;

/// What [`Chunked::decode`] found at the beginning of its input.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Bytes of the body, at least one.
    Data(&'a [u8]),
    /// All input is used, and the body has not ended: read more.
    More,
    /// The body has ended; what follows belongs to the next message.
    End,
}

/// A decoder for one body.
#[derive(Debug, Default)]
pub struct Chunked {
    state: State,
    left: u64,         // bytes of this chunk that are still to come
    extensions: usize, // bytes of extensions so far
    raw: Vec<u8>,      // trailers, not yet parsed
    trailers: Fields,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    Size, // the first digit
    Digits,    // more digits, a space, an extension, or CR
    Blanks,    // after the digits: more spaces, an extension, or CR
    Extension, // up to CR
    SizeLf,    // the LF after a chunk's first line
    Data,
    DataCr,
    DataLf,
    Trailers,
    Done,
}

impl Chunked {
    /// A decoder at the start of a body.
    pub fn new() -> Chunked {
        Chunked::default()
    }

    /// The fields after the body, when the body has ended.
    pub fn trailers(&self) -> &Fields {
        &self.trailers
    }

    /// Has the body ended?
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Decodes the next piece of `input`. Also returns how many bytes of
    /// `input` it used.
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

    /// Handles one byte that is not data, and returns the next state.
    fn take(&mut self, byte: u8) -> Result<State, Fault> {
        let digit = char::from(byte).to_digit(16);
        Ok(match (self.state, byte) {
            (State::Size | State::Digits, _) if digit.is_some() => {
                let digit = u64::from(digit.unwrap_or_default());
                // 2^56 bytes are more than any disk holds. The limit also
                // prevents an overflow of the multiplication.
                if self.left >= 1 << 56 {
                    return Err(Fault::bad("A chunk is too large."));
                }
                self.left = self.left * 16 + digit;
                State::Digits
            }
            // Only CR LF ends the line. Decoders disagree about a single LF
            // or CR.
            (State::Digits | State::Blanks | State::Extension, b'\r') => {
                State::SizeLf
            }
            // A recipient must accept spaces before `;` (RFC 9112, section
            // 7.1.1), and some servers pad the length with them. After a
            // space no digit may follow, because `5 0` could mean 5 or 80.
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
                return Err(Fault::bad("A chunk is longer than its length."));
            }
            _ => return Err(Fault::bad("A chunk's first line is malformed.")),
        })
    }

    /// Counts one byte that carries no data.
    fn count_extension(&mut self) -> Result<(), Fault> {
        self.extensions += 1;
        match self.extensions > MOST_EXTENSIONS {
            true => Err(Fault::bad("The chunk extensions are too long.")),
            false => Ok(()),
        }
    }

    /// Handles one byte of the trailers.
    fn take_trailer(&mut self, byte: u8) -> Result<State, Fault> {
        self.raw.push(byte);
        if self.raw.len() > MOST_TRAILERS {
            let why = "The trailers are longer than 8 KiB.";
            return Err(Fault::Bad { status: 431, why });
        }
        if byte == b'\n' {
            // Here too, only CR LF ends a line.
            if !self.raw.ends_with(b"\r\n") {
                return Err(Fault::bad("A trailer does not end with CR LF."));
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
