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
//! TCP has no messages, so the head has to say where its body ends. That is
//! FRAMING, and it is where HTTP servers are attacked: if two programs on the
//! way disagree about where a request ends, one of them takes the end of a
//! body for the next request (request smuggling). So there is one rule here:
//! whatever could be read in two ways is refused, and the connection closed.
//! A response may be a little less exact where RFC 9112 gives it one meaning:
//! a length that is repeated, folded fields, lines that end with LF.
//!
//! | file        | what it is                                              |
//! | ----------- | ------------------------------------------------------- |
//! | [`reader`]  | bytes of a socket to heads, with a deadline             |
//! | [`body`]    | the body behind a head, piece by piece                  |
//! | [`head`]    | one head, pure: bytes to [`Request`] or [`Response`]    |
//! | [`version`] | HTTP/1.0 or HTTP/1.1                                    |
//! | [`check`]   | what is refused although httparse would take it         |
//! | [`fields`]  | the header fields, in order, names without case         |
//! | [`target`]  | the four forms of a request target; the syntax of Host  |
//! | [`framing`] | which kind of body follows a head                       |
//! | [`chunked`] | the chunked coding, pure: a state machine               |
//! | [`writer`]  | heads to bytes; chunks to bytes                         |
//! | [`date`]    | HTTP dates                                              |
//! | [`page`]    | pages of a program's own: errors, lists                 |
//! | [`download`] | a body into a file, so that it can go on later         |
//!
//! httparse splits the head. It is lenient by design, so what it lets pass is
//! checked again in `check.rs`.

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
    /// The peer broke the protocol, or asks for more than we give. A server
    /// answers with this status and closes; a proxy that was reading its
    /// origin answers its client with 502.
    Bad {
        /// 400, 413, 414, 417, 431, 501 or 505.
        status: u16,
        /// What is wrong, in a sentence for a person.
        why: &'static str,
    },
    /// Nothing at all came within the time allowed: an idle connection.
    Idle,
    /// The message began, but was not whole in time: a server answers 408.
    Slow,
    /// The peer closed, or reset, in the middle of a message.
    Cut,
    /// The socket failed in another way.
    Lost(socketlab::Error),
}

impl Fault {
    /// 400 and a reason.
    pub const fn bad(why: &'static str) -> Fault {
        Fault::Bad { status: 400, why }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Bad { why, .. } => f.write_str(why),
            Fault::Idle => f.write_str("nothing was sent in time"),
            Fault::Slow => f.write_str("the message was not whole in time"),
            Fault::Cut => f.write_str("the connection ended in mid-message"),
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
