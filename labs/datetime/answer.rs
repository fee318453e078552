//! The protocol of datetime, and the server's side of it.
//!
//! ```text
//! request   SEND_DATE            answer   2026-02-28      YYYY-MM-DD
//! request   SEND_TIME            answer   09:05:03        HH:MM:SS
//! anything else                  answer   ERROR: …
//! each is one datagram, without a newline; case matters
//! a datagram that begins with ERROR is never answered
//! ```
//!
//! The last rule exists because of forged senders. Without it, one request
//! could make two servers send each other errors without end. (viva 10)

use jiff::civil::DateTime;

/// The reply to everything that is not a request. It is short, so that a forged
/// sender address does little harm to the victim.
const REFUSAL: &str = "ERROR: SEND_DATE or SEND_TIME, exactly";

/// The reply to a datagram at the local time `now`; `None`: no reply. Numbers
/// are padded: 09:05:03. [G-3a]
///
/// A request is exactly nine bytes, because a datagram needs no mark for its
/// end. `nc -u` adds a newline, so its SEND_DATE is not a request. (viva 5)
pub fn answer(datagram: &[u8], now: DateTime) -> Option<String> {
    match datagram {
        b"SEND_DATE" => Some(now.strftime("%Y-%m-%d").to_string()),
        b"SEND_TIME" => Some(now.strftime("%H:%M:%S").to_string()),
        error if error.starts_with(b"ERROR") => None,
        // An error reply, so that a person who tries it learns what is allowed.
        _ => Some(REFUSAL.into()),
    }
}
