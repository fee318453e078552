//! The protocol of the calculator: what both ends agree on. Handout G, question
//! 6.
//!
//! ```text
//! client  name         first message, 1 to 64 bytes; not answered [G-6a]
//! client  12 + 42      any number of these, see expr.rs           [G-6b]
//! server  54           one line each, or `error: ` and why        [G-6c]
//! client  q            the server ends the session                [G-6d]
//! ```
//!
//! STATEFUL: the meaning of a message depends on earlier ones (the first is the
//! name, whatever it contains), and the server stores the name until the
//! session ends. A calculation itself is complete, so only the session has
//! state. [G-7b] (viva 7)
//!
//! A message is a line. The handout's Python clients send no newline, so 200 ms
//! of silence also end a message.

/// Longest name, in bytes, because every line of the log begins with it.
const LONGEST_NAME: usize = 64;

/// Longest message, in bytes: room for two numbers of 2,000 digits.
pub const LONGEST_MESSAGE: usize = 4096;

/// The name without the blanks around it, or why it is refused.
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

/// Does this line of the server refuse the client, instead of replying to a
/// calculation?
pub fn is_refusal(line: &[u8]) -> bool {
    REFUSALS.iter().any(|refusal| line.starts_with(refusal))
}

/// Does this message end the session? `q` does, and because a person types it,
/// also `Q` and blanks around it; but not `quit` or `q 1`.
pub fn is_farewell(message: &[u8]) -> bool {
    message.trim_ascii().eq_ignore_ascii_case(b"q")
}
