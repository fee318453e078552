//! What both ends of the calculator agree on. Handout G, question 6.
//!
//! ```text
//! client  name         first message, 1 to 64 bytes; not answered [G-6a]
//! client  12 + 42      any number of these, see expr.rs           [G-6b]
//! server  54           one line each, or `error: ` and why        [G-6c]
//! client  q            the server ends the session                [G-6d]
//! ```
//!
//! STATEFUL: what a message means depends on what came before (the first is a
//! name, whatever it says), and the server keeps the name until the session
//! ends. A sum itself is complete: only the session has state.
//!                                                       [G-7b] (viva 7)
//!
//! A message is a line. The handout's Python clients send no newline: then a
//! message counts as complete once its sender has paused for 200 ms.

/// Longest name, in bytes: every line of the log begins with it.
const LONGEST_NAME: usize = 64;

/// Longest message, in bytes: room for two numbers of 2,000 digits.
pub const LONGEST_MESSAGE: usize = 4096;

/// The name without the blanks around it, or why it is none.
pub fn check_name(message: &[u8]) -> Result<&[u8], String> {
    match message.trim_ascii() {
        [] => Err(format!(
            "the name is empty: the first message is a name of 1 to \
             {LONGEST_NAME} bytes"
        )),
        name if name.len() > LONGEST_NAME => Err(format!(
            "the name has {} bytes: {LONGEST_NAME} are allowed",
            name.len()
        )),
        name => Ok(name),
    }
}

/// The beginnings of the lines with which the server refuses a client or ends
/// its session. All other errors reply to a calculation, and the session stays
/// open.
const REFUSALS: [&[u8]; 3] =
    [b"error: no room", b"error: the name ", b"error: silent for too long"];

/// Does this line of the server refuse us, instead of answering a sum?
pub fn is_refusal(line: &[u8]) -> bool {
    REFUSALS.iter().any(|refusal| line.starts_with(refusal))
}

/// Is this the message that ends the session? `q`, and because a person
/// types it, also `Q` and blanks around it; not `quit`, not `q 1`.
pub fn is_farewell(message: &[u8]) -> bool {
    message.trim_ascii().eq_ignore_ascii_case(b"q")
}
