//! HTTP/1.1 messages (RFC 9110, RFC 9112) in both roles: a server reads
//! requests and writes responses, a client or a proxy writes requests and
//! reads responses.
//!
//! ```text
//! GET /index.html HTTP/1.1 CRLF     start line: method, target, version
//! Host: 127.0.0.1:8080 CRLF         fields, one a line
//! CRLF                              an empty line ends the head
//! ...                               a body, if the head announces one
//! ```
//!
//! TCP has no messages, so the head must say where its body ends. This is
//! called FRAMING, and attackers use it. If two programs on the path disagree
//! about where a request ends, one of them takes the end of a body for the
//! next request (request smuggling). So this crate has one rule: it refuses
//! each message with two possible meanings, and the connection is closed.
//! Responses may be less exact if RFC 9112 gives them one meaning: a repeated
//! length, folded fields, lines that end with LF.
//!
//! | file        | what it is                                              |
//! | ----------- | ------------------------------------------------------- |
//! | [`reader`]  | reads heads from a socket, with a deadline              |
//! | [`body`]    | reads the body after a head, piece by piece             |
//! | [`head`]    | parses one head: bytes to [`Request`] or [`Response`]   |
//! | [`version`] | HTTP/1.0 or HTTP/1.1                                    |
//! | [`check`]   | refuses what httparse accepts and RFC 9112 does not     |
//! | [`fields`]  | the header fields, in their order                       |
//! | [`target`]  | the four forms of a request target; the syntax of Host  |
//! | [`framing`] | which kind of body follows a head                       |
//! | [`chunked`] | decodes the chunked coding: a state machine             |
//! | [`writer`]  | heads to bytes; chunks to bytes                         |
//! | [`date`]    | HTTP dates                                              |
//! | [`page`]    | pages that a program composes: errors, lists            |
//! | [`download`] | saves a body in a file; a download can be resumed      |
//!
//! The library httparse splits the head. It accepts some malformed heads, so
//! `check.rs` checks them again.

pub mod body;
pub mod check;
pub mod chunked;
pub mod date;
pub mod download;
pub mod fields;
pub mod framing;
pub mod head;
pub mod page;
pub mod reader;
pub mod target;
pub mod version;
pub mod writer;

use std::fmt;

pub use body::Body;
pub use chunked::Chunked;
pub use fields::Fields;
pub use framing::Framing;
pub use head::{Request, Response};
pub use reader::Reader;
pub use target::Target;
pub use version::Version;
pub use writer::{Head, chunk_line, reason};

/// Why a message could not be read.
#[derive(Debug)]
pub enum Fault {
    /// The peer broke the protocol, or exceeded a limit. A server sends this
    /// status and closes. A proxy that was reading from its origin server
    /// sends 502 to its client.
    Bad {
        /// 400, 413, 414, 417, 431, 501 or 505.
        status: u16,
        /// What is wrong, as a sentence for the user.
        why: &'static str,
    },
    /// No byte arrived in time: the connection is idle.
    Idle,
    /// The message began, but was not complete in time: a server sends 408.
    Slow,
    /// The peer closed, or reset, in the middle of a message.
    Cut,
    /// The socket failed in another way.
    Lost(socketlab::Error),
}

impl Fault {
    /// A fault with status 400 and this reason.
    pub const fn bad(why: &'static str) -> Fault {
        Fault::Bad { status: 400, why }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Bad { why, .. } => f.write_str(why),
            Fault::Idle => f.write_str("the peer sent nothing in time"),
            Fault::Slow => f.write_str("the message was not complete in time"),
            Fault::Cut => {
                f.write_str("the peer closed in the middle of a message")
            }
            Fault::Lost(error) => error.fmt(f),
        }
    }
}

impl From<socketlab::Error> for Fault {
    fn from(error: socketlab::Error) -> Fault {
        match error {
            error if error.is_peer_gone() => Fault::Cut,
            error => Fault::Lost(error),
        }
    }
}

impl From<Fault> for socketlab::Error {
    fn from(fault: Fault) -> socketlab::Error {
        match fault {
            Fault::Lost(error) => error,
            fault => socketlab::Error::other(fault.to_string()),
        }
    }
}
