//! Marshalling: a call and its answer as text, and back. The text is JSON-RPC
//! 2.0, one message a line, in UTF-8. stub_wire.rs writes requests and reads
//! answers, skeleton_wire.rs reads requests and writes answers; this file and
//! identity.rs are what both ends must agree on.            [T-X2] (viva 4)
//!
//! ```text
//! add(2, 3)     the call, as the client's program means it
//!     | request()
//! {"jsonrpc":"2.0","method":"add","params":[2,3],"id":"ada/1"}\n
//!     | open(), Request::read()
//! "add", [2,3]  the call, as the server's program gets it
//!     | … the procedure runs …
//!     | answer()
//! {"jsonrpc":"2.0","result":5,"id":"ada/1"}\n
//!     | Answer::from_line()
//! 5
//! ```
//!
//! JSON text is kept as it came (RawValue), not made into a tree of values:
//! a tree takes a hundred times the memory of its text, a peer chooses the
//! text, and an id goes back exactly as it was, with all its digits.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The id where none is known: the standard wants null then.
pub const NO_ID: &str = "null";

/// The codes that the standard leaves to the server: about the connection,
/// rather than about a call.
pub const SERVER_ERRORS: RangeInclusive<i64> = -32099..=-32000;

/// An error as an answer carries it.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    /// What kind: a constant of fault.rs, or the application's own.
    pub code: i64,
    /// The kind in words.
    pub message: String,
    /// What it was this time; JSON.
    pub data: Option<Box<RawValue>>,
}

/// What a procedure came to: its result as JSON, or why there is none.
pub type Outcome = Result<Box<RawValue>, Fault>;

/// `-32602 Invalid params: b is missing`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)?;
        let Some(data) = &self.data else { return Ok(()) };
        match serde_json::from_str::<String>(data.get()) {
            Ok(text) => write!(f, ": {text}"),
            Err(_) => write!(f, ": {}", data.get()), // another server's
        }
    }
}

/// A string as JSON text, quotes included.
pub fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// For a member of a message that may be missing: `Some` even if it is null.
pub fn present<'de, D, T>(member: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(member).map(Some)
}
