//! The message as it travels after DATA: lines that end with CR LF, and a
//! line with a single dot as the end. The client doubles a dot at the start
//! of a line, and the server removes one.
//!
//! ```text
//! the message        on the wire           the server stores
//! Hello        ->    Hello\r\n        ->   Hello
//! .            ->    ..\r\n           ->   .
//! .profile     ->    ..profile\r\n    ->   .profile
//!                    .\r\n                 (the end)
//! ```
//!
//! Dots are doubled at the start of LINES, so newlines become CR LF first. If
//! one server takes a lone LF or CR for a newline and the next does not, a
//! sender can hide a second message in the first ("SMTP smuggling", 2023).
//!                                       (viva 2) (viva 3) (try 6) [W-T4a]

use memchr::{memchr, memchr_iter, memchr2};

/// Octets of a line without its CR LF: RFC 5321, 4.5.3.1.6.
pub const LONGEST_LINE: usize = 998;

/// Every newline as CR LF, whether it was that already or a bare LF. A lone
/// CR stays as it is, because we cannot know what it means.
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

/// The octets to send for a message: checked, stuffed, with the final dot.
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

/// What SMTP does not carry in a line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadLine {
    /// It has more than [`LONGEST_LINE`] bytes.
    TooLong,
    /// It has a CR or an LF that is not part of a CR LF.
    LoneCrOrLf,
    /// It has a zero byte.
    Nul,
}

/// What is wrong with this line, if anything; its CR LF is not part of it.
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

/// The line without the dot that its sender has put before it.   (viva 3)
pub fn unstuffed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b".").unwrap_or(line)
}

/// Can these lines be sent as they are?
pub fn check(message: &[u8]) -> Result<(), String> {
    for (index, line) in lines_of(message).enumerate() {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = without_cr(line);
        let what = match bad_line(line) {
            None => continue,
            Some(BadLine::TooLong) => {
                let length = line.len();
                format!("{length} octets, SMTP allows {LONGEST_LINE}")
            }
            Some(BadLine::LoneCrOrLf | BadLine::Nul) => {
                "a lone CR or a NUL".to_string()
            }
        };
        return Err(format!("line {} of the message has {what}", index + 1));
    }
    Ok(())
}

/// Has it a lone CR or a NUL? No server accepts them as they are.
pub fn has_odd_bytes(text: &[u8]) -> bool {
    let mut returns = memchr_iter(b'\r', text);
    memchr(0, text).is_some()
        || returns.any(|at| text.get(at + 1) != Some(&b'\n'))
}

/// The lines, each with its LF; the last may have none.
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
