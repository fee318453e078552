//! What goes wrong with a call: the standard's codes, the server's own, and
//! the words for them.                                            [T-X2]
//!
//! ```text
//! {"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params",
//!                           "data":"b is missing"},"id":7}
//! ```
//!
//! -32768 to -32000 is the protocol's, the last hundred of it the server's.
//! An application's own errors, such as a division by zero, lie outside (see
//! procedures.rs), so that a caller can tell "you called it wrongly" from "it
//! was called, and this is what it says".                      (viva 13)

use std::fmt;

use serde_json::value::to_raw_value;

use crate::wire::{Fault, SERVER_ERRORS};

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
// Ours: -32000, too many clients, which server.rs spells out.
/// Ours: no whole line in time.
pub const TOO_SLOW: i64 = -32001;
/// Ours: the answers to a batch have grown too long.
pub const TOO_MUCH: i64 = -32002;
/// Ours: whether the call was done before, nobody can tell (replies.rs).
pub const CANNOT_TELL: i64 = -32003;

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
            code if SERVER_ERRORS.contains(&code) => "Server error",
            _ => return Fault { code, message: text, data: None },
        };
        Fault { code, message: message.into(), data: to_raw_value(&text).ok() }
    }
}
