//! The protocol of datetime, in five lines, and its server side.
//!
//! ```text
//! request   SEND_DATE            answer   2026-02-28      YYYY-MM-DD
//! request   SEND_TIME            answer   09:05:03        HH:MM:SS
//! anything else                  answer   ERROR: …
//! each is one datagram, without a line end; case matters
//! a datagram that begins with ERROR is never answered
//! ```
//!
//! The last rule: a request with a forged sender could set two servers to
//! tell each other for ever that they do not understand.     (viva 10)

use jiff::civil::DateTime;

/// The answer to everything that is no request. Short: whoever forges a
/// sender should not be able to make us send much to his victim.
const REFUSAL: &str = "ERROR: SEND_DATE or SEND_TIME, exactly";

/// The answer to a datagram when the clock on the wall shows `now`, if there
/// is one. Numbers are padded: 09:05:03.                           [G-3a]
///
/// A request is exactly nine bytes. `nc -u` adds a line end, and so its
/// SEND_DATE is none: a datagram needs no mark for its end. (viva 5)
pub fn answer(datagram: &[u8], now: DateTime) -> Option<String> {
    match datagram {
        b"SEND_DATE" => Some(now.strftime("%Y-%m-%d").to_string()),
        b"SEND_TIME" => Some(now.strftime("%H:%M:%S").to_string()),
        error if error.starts_with(b"ERROR") => None,
        // Answered all the same: a person who tries learns what is allowed.
        _ => Some(REFUSAL.into()),
    }
}
