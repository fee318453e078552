//! What goes wrong with a call, as an answer carries it: the standard's codes,
//! and the words for them.                                       [T-X2]
//!
//!     {"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params",
//!                               "data":"b is missing"},"id":7}
//!
//! -32768 to -32000 is the protocol's, the last hundred of it the server's.
//! An application's own errors, such as a division by zero, lie outside (see
//! procedures.rs), so that a caller can tell "you called it wrongly" from "it
//! was called, and this is what it says".                      (viva 13)
#![allow(dead_code)] // each program uses its half

use std::fmt;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

/// No JSON.
pub const PARSE_ERROR: i64 = -32700;
/// JSON, but no request.
pub const INVALID_REQUEST: i64 = -32600;
/// A request for what is not there.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// For what is there, with other arguments than it takes.
pub const INVALID_PARAMS: i64 = -32602;
/// The server's own fault.
pub const INTERNAL_ERROR: i64 = -32603;
/// Ours: too many clients.
pub const NO_ROOM: i64 = -32000;
/// Ours: no whole line in time.
pub const TOO_SLOW: i64 = -32001;
/// Ours: the answers to a batch have grown too long.
pub const TOO_MUCH: i64 = -32002;
/// Ours: whether the call was done before, nobody can tell (replies.rs).
pub const CANNOT_TELL: i64 = -32003;

/// An error as an answer carries it.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    /// What kind: one of the constants above, or the application's own.
    pub code: i64,
    /// The kind in words.
    pub message: String,
    /// What it was this time; JSON.
    pub data: Option<Box<RawValue>>,
}

/// What a procedure came to: its result as JSON, or why there is none.
pub type Outcome = Result<Box<RawValue>, Fault>;

impl Fault {
    /// An error of this kind. The text goes beside the standard's words for
    /// it; of the application's errors it is all there is to say.
    pub fn new(code: i64, text: impl fmt::Display) -> Fault {
        let text = text.to_string();
        let message = match code {
            PARSE_ERROR => "Parse error",
            INVALID_REQUEST => "Invalid Request",
            METHOD_NOT_FOUND => "Method not found",
            INVALID_PARAMS => "Invalid params",
            INTERNAL_ERROR => "Internal error",
            -32099..=-32000 => "Server error",
            _ => return Fault { code, message: text, data: None },
        };
        Fault { code, message: message.into(), data: to_raw_value(&text).ok() }
    }

    /// Is it about the connection, rather than about a call?
    pub fn is_of_server(&self) -> bool {
        (-32099..=-32000).contains(&self.code)
    }
}

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
