//! What comes after 354: the message, line by line, straight to the disk.
//!
//! ```text
//! C: Subject: hi<CRLF>          kept
//! C: ..and more<CRLF>           kept as ".and more"          (viva 3)
//! C: .<CRLF>                    the end, and no other end is
//! ```
//!
//! A server that takes LF . LF for the end as well can be made to see two
//! messages where the server before it saw one, and the second one passes as
//! that server's own (SMTP smuggling, 2023). So a lone LF, or a lone CR, is
//! an ordinary byte to the reader, and the message that has one is refused
//! as a whole.                                          (viva 2)

use std::io;
use std::time::Duration;

use memchr::{memchr, memchr2};
use socketlab::line::{LineReader, Received};
use socketlab::{Error, Result, warn};
use tls::Channel;

use crate::sink_command::{Reply, reply};
use crate::sink_store::{Draft, trouble};

/// The longest line of a message, its CRLF not counted.
const LONGEST_LINE: usize = 998;

/// The whole message must be there after so long.
const WHOLE: Duration = Duration::from_secs(600);

/// How the data ended.
pub enum Ending {
    /// With the dot: so many lines, so many bytes.
    Dot(u64, u64),
    /// With the dot, and for this reason it is not kept.
    Refused(Reply),
    /// It is far more than allowed and goes on: hang up.
    Endless(Reply),
    /// The client left before the dot: it has not sent a message.
    Cut,
}

/// Reads the lines into the draft, until the dot. What is wrong is told
/// after the dot: before it, nobody listens.
pub fn receive(
    reader: &mut LineReader<Channel>,
    draft: &mut Draft<'_>,
    limit: u64,
) -> Result<Ending> {
    reader.only_crlf();
    reader.finish_within(Some(WHOLE));
    let ending = read_lines(reader, draft, limit);
    reader.finish_within(None);
    reader.any_line_end();
    ending
}

fn read_lines(
    reader: &mut LineReader<Channel>,
    draft: &mut Draft<'_>,
    limit: u64,
) -> Result<Ending> {
    let (mut lines, mut bytes) = (0, 0);
    let mut problem = None;
    loop {
        let received = reader.read()?;
        if !reader.ended_with_crlf() {
            return Ok(Ending::Cut); // its last words were no line
        }
        let line = match received {
            Received::Line(line) if line == b"." => break,
            Received::Line(line) => line,
            Received::TooLong => {
                problem.get_or_insert_with(too_long);
                continue;
            }
            Received::Unterminated(_) | Received::End => {
                return Ok(Ending::Cut);
            }
        };
        // The client doubled a dot at the beginning of a line; undo that.
        let line = line.strip_prefix(b".").unwrap_or(&line);
        lines += 1;
        if lines == 1 && matches!(line.first(), Some(b' ' | b'\t')) {
            // It would go on with the last of our own lines above it. So it
            // is no head: the body begins here.
            let _ = draft.line(b"");
        }
        bytes += line.len() as u64 + 2;
        if bytes > limit.saturating_mul(2).saturating_add(1_000_000) {
            return Ok(Ending::Endless(too_big(limit)));
        }
        if problem.is_none() {
            problem = match () {
                () if line.len() > LONGEST_LINE => Some(too_long()),
                () if memchr2(b'\r', b'\n', line).is_some() => Some(bare()),
                () if memchr(0, line).is_some() => {
                    Some(reply!(554, "5.6.0 a NUL in the data"))
                }
                () if bytes > limit => Some(too_big(limit)),
                () => draft.line(line).err().map(|error| complain(&error)),
            };
            if problem.is_some() {
                draft.give_up();
            }
        }
    }
    Ok(match problem {
        Some(problem) => Ending::Refused(problem),
        None => Ending::Dot(lines, bytes),
    })
}

fn too_long() -> Reply {
    reply!(500, "5.6.0 a line of more than 998 octets")
}

fn bare() -> Reply {
    reply!(554, "5.6.0 a lone CR or LF in the data: only CRLF ends a line")
}

fn too_big(limit: u64) -> Reply {
    reply!(552, "5.3.4 message too big: {limit} bytes at most")
}

/// Says what went wrong on our side, and what the client is told of it.
pub fn complain(error: &io::Error) -> Reply {
    let why = match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number).into(),
        None => Error::other(error.to_string()),
    };
    warn!("cannot store a message: {why}");
    trouble(error)
}
