//! The protocol of datetime in five lines, and the server's side of it.
//!
//! ```text
//! request   SEND_DATE            answer   2026-02-28      YYYY-MM-DD
//! request   SEND_TIME            answer   09:05:03        HH:MM:SS
//! anything else                  answer   ERROR: …
//! each is one datagram, without a newline; case matters
//! a datagram that begins with ERROR is never answered
//! ```
//!
//! The last rule is there because of forged senders. Without it, one request
//! could make two servers tell each other that they do not understand, until
//! somebody stops them.                                       (viva 10)

use jiff::civil::DateTime;

/// The answer to everything that is not a request. It is short, so that a
/// forged sender address does not bring much to the victim.
const REFUSAL: &str = "ERROR: SEND_DATE or SEND_TIME, exactly";

/// The answer to a datagram when the clock on the wall shows `now`; `None`:
/// it gets no answer. Numbers are padded: 09:05:03.                [G-3a]
///
/// A request is exactly nine bytes, because a datagram needs no mark for its
/// end. `nc -u` adds a newline, and so its SEND_DATE is not one. (viva 5)
pub fn answer(datagram: &[u8], now: DateTime) -> Option<String> {
    match datagram {
        b"SEND_DATE" => Some(now.strftime("%Y-%m-%d").to_string()),
        b"SEND_TIME" => Some(now.strftime("%H:%M:%S").to_string()),
        error if error.starts_with(b"ERROR") => None,
        // An answer all the same: a person who tries learns what is allowed.
        _ => Some(REFUSAL.into()),
    }
}
