//! The message as it is sent after DATA: each line ends with CR LF, and a line
//! with a single dot ends the message. So that no other line looks like the
//! end, the client doubles a dot at the start of a line, and the server
//! removes one.
//!
//! ```text
//! the message        on the wire           the server stores
//! Hello        ->    Hello\r\n        ->   Hello
//! .            ->    ..\r\n           ->   .
//! .profile     ->    ..profile\r\n    ->   .profile
//!                    .\r\n                 (the end)
//! ```
//!
//! The client turns every newline into CR LF before it doubles dots, because
//! only then all lines are known. If one server accepts a lone LF or CR as a
//! newline and the next does not, an attacker can hide a second message in the
//! first ("SMTP smuggling", 2023).       (viva 2) (viva 3) (try 6) [W-T4a]

use memchr::{memchr, memchr_iter, memchr2};

/// Most bytes of a line without its CR LF: RFC 5321, 4.5.3.1.6.
pub const LONGEST_LINE: usize = 998;

/// Turns every LF into CR LF; a CR LF stays. A lone CR stays as well, because
/// its meaning is not known.
pub fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len() + text.len() / 32);
    for line in lines_of(text) {
        match line.strip_suffix(b"\n") {
            Some(inner) => {
                lines.extend_from_slice(without_cr(inner));
                lines.extend_from_slice(b"\r\n");
            }
            None => lines.extend_from_slice(line),
        }
    }
    lines
}

/// The bytes to send for a message: checked, with doubled dots and the final
/// dot.
pub fn stuffed(message: &[u8]) -> Result<Vec<u8>, String> {
    check(message)?;
    let mut wire = Vec::with_capacity(message.len() + message.len() / 32);
    for line in lines_of(message) {
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        wire.extend_from_slice(without_cr(line));
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    Ok(wire)
}

/// Why SMTP cannot carry a line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLine {
    /// It has more than [`LONGEST_LINE`] bytes.
    TooLong,
    /// It has a CR or an LF that is not part of a CR LF.
    LoneCrOrLf,
    /// It has a zero byte.
    Nul,
}

/// What is wrong with this line, if anything. `line` has no CR LF.
pub fn bad_line(line: &[u8]) -> Option<BadLine> {
    match () {
        () if line.len() > LONGEST_LINE => Some(BadLine::TooLong),
        () if memchr2(b'\r', b'\n', line).is_some() => {
            Some(BadLine::LoneCrOrLf)
        }
        () if memchr(0, line).is_some() => Some(BadLine::Nul),
        () => None,
    }
}

/// The line without the dot that the client added.               (viva 3)
pub fn unstuffed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b".").unwrap_or(line)
}

/// Checks that SMTP can carry these lines without an encoding.
pub fn check(message: &[u8]) -> Result<(), String> {
    for (index, line) in lines_of(message).enumerate() {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = without_cr(line);
        let what = match bad_line(line) {
            None => continue,
            Some(BadLine::TooLong) => {
                let length = line.len();
                format!("{length} bytes, but SMTP allows {LONGEST_LINE}")
            }
            Some(BadLine::LoneCrOrLf | BadLine::Nul) => {
                "a lone CR or a NUL".to_string()
            }
        };
        return Err(format!("line {} of the message has {what}", index + 1));
    }
    Ok(())
}

/// Has the text a lone CR or a NUL? Servers refuse them.
pub fn has_odd_bytes(text: &[u8]) -> bool {
    let mut returns = memchr_iter(b'\r', text);
    memchr(0, text).is_some()
        || returns.any(|at| text.get(at + 1) != Some(&b'\n'))
}

/// The lines, each with its LF. The last line may have no LF.
fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
