//! A complete message from a file, as mail programs save it (`.eml`). The
//! client sends it after these checks and changes (RFC 5322, 3.6):
//!
//! ```text
//! From:, Date:      must be there exactly once
//! To:, Subject: …   at most once
//! Bcc:              removed, or all recipients could read it
//! Return-Path:      removed, the last server writes it (RFC 5321, 4.4)
//! ```
//!
//! The recipients are those of the envelope: `--to`.    [W-T4a] (viva 9)

use std::path::Path;

use super::body::{LARGEST, read_file};
use crate::smtp::dot_stuffing;

/// Fields that a header may have at most once.
const AT_MOST_ONCE: [&str; 10] = [
    "from",
    "date",
    "sender",
    "reply-to",
    "to",
    "cc",
    "message-id",
    "in-reply-to",
    "references",
    "subject",
];

/// Fields that are not sent. The sink writes X-Envelope-To, which names also
/// the recipients in Bcc.
const REMOVED: [&str; 4] =
    ["bcc", "resent-bcc", "return-path", "x-envelope-to"];

/// A checked message; its lines end with CR LF.
pub struct ReadyMessage {
    message: Vec<u8>,
    header: usize, // bytes before the empty line
}

impl ReadyMessage {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<ReadyMessage, String> {
        let bytes = read_file(path, LARGEST)?;
        let message = ReadyMessage::check(&bytes);
        message.map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Checks a message and removes the fields that must not be sent.
    pub fn check(bytes: &[u8]) -> Result<ReadyMessage, String> {
        let lines = dot_stuffing::with_crlf(bytes);
        dot_stuffing::check(&lines)?;
        let mut rest = lines.as_slice();
        let (mut message, mut names) = (Vec::new(), Vec::new());
        let mut sent = true; // is the field of this line sent?
        let mut number = 0;
        while !rest.is_empty() && !rest.starts_with(b"\r\n") {
            let end = rest.iter().position(|&byte| byte == b'\n');
            let end = end.map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at_checked(end).unwrap_or_default();
            (rest, number) = (after, number + 1);
            // A line that begins with a blank continues the field above.
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                let name = field_name(line).ok_or_else(|| {
                    format!("line {number} is not a header line, Name: text")
                })?;
                sent = !REMOVED.contains(&name.as_str());
                names.push(name);
            } else if names.is_empty() {
                return Err("the first line begins with a blank".into());
            }
            if sent {
                message.extend_from_slice(line);
            }
        }
        let count =
            |wanted: &str| names.iter().filter(|n| *n == wanted).count();
        for name in AT_MOST_ONCE {
            let needed = ["from", "date"].contains(&name);
            match count(name) {
                0 if needed => {
                    return Err(format!("the header has no {name}: field"));
                }
                0 | 1 => {}
                many => {
                    return Err(format!(
                        "the header has {many} {name}: fields"
                    ));
                }
            }
        }
        let header = message.len();
        message.extend_from_slice(rest);
        Ok(ReadyMessage { message, header })
    }

    /// Does the header need SMTPUTF8?
    pub fn needs_utf8(&self) -> bool {
        !self.message.get(..self.header).unwrap_or_default().is_ascii()
    }

    /// The message. `eight_bit`: the server accepts bytes above 127.
    pub fn bytes(&self, eight_bit: bool) -> Result<Vec<u8>, String> {
        match eight_bit || self.message.is_ascii() {
            true => Ok(self.message.clone()),
            false => Err("the file has bytes above 127, but this server does \
                          not offer 8BITMIME"
                .to_string()),
        }
    }
}

/// The name before the colon, in lower case. It must be printable ASCII.
fn field_name(line: &[u8]) -> Option<String> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    // RFC 5322, 4.5: in old messages a blank may be before the colon.
    let name = line.get(..colon)?.trim_ascii_end();
    let fine = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    fine.then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
}
