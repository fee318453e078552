//! Writes heads and chunks as bytes. Send a head and its body with one send():
//! see [`TcpSocket::send_parts`](socketlab::net::TcpSocket::send_parts).

use std::fmt::Display;
use std::io::Write;

use super::{Fields, Framing};

/// The line before a chunk. The chunk's bytes and CR LF must follow it. Do not
/// write a chunk of length 0, because it ends the body.
pub fn chunk_line(length: usize) -> String {
    format!("{length:x}\r\n")
}

/// A head that is being written.
///
/// `Head::response(200).field("Content-Length", 5).end()`
pub struct Head(Vec<u8>);

impl Head {
    /// `HTTP/1.1 200 OK`. The version is always 1.1, because it says what the
    /// server supports, and not which version the request had.
    pub fn response(status: u16) -> Head {
        Head::response_with(status, reason(status))
    }

    /// A response with the reason phrase of another program.
    pub fn response_with(status: u16, reason: &str) -> Head {
        let mut head = Head(Vec::with_capacity(256));
        let _ = write!(head.0, "HTTP/1.1 {status} ");
        head.safely(|bytes| bytes.extend_from_slice(reason.as_bytes()))
    }

    /// `GET /path HTTP/1.1`
    pub fn request(method: &str, target: &str) -> Head {
        let mut head = Head(Vec::with_capacity(256));
        head = head.safely(|bytes| {
            let _ = write!(bytes, "{method} {target} HTTP/1.1");
        });
        head
    }

    /// `Name: value`.
    pub fn field(self, name: &str, value: impl Display) -> Head {
        self.safely(|bytes| {
            let _ = write!(bytes, "{name}: {value}");
        })
    }

    /// `Name: value`, where the value is bytes of another program.
    pub fn raw_field(self, name: &str, value: &[u8]) -> Head {
        self.safely(|bytes| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
        })
    }

    /// Adds all of these fields.
    pub fn fields(mut self, fields: &Fields) -> Head {
        for (name, value) in fields.iter() {
            self = self.raw_field(name, value);
        }
        self
    }

    /// Adds complete lines, each with its CR LF. They are not checked, so they
    /// must not contain text from a peer.
    pub fn lines(mut self, lines: &str) -> Head {
        self.0.extend_from_slice(lines.as_bytes());
        self
    }

    /// Adds the field that says how the body ends: Content-Length or
    /// Transfer-Encoding. No field is needed if the status or a close says it.
    pub fn framing(self, body: Framing) -> Head {
        match body {
            Framing::Length(length) => self.field("Content-Length", length),
            Framing::Chunked => self.field("Transfer-Encoding", "chunked"),
            Framing::None | Framing::UntilClose => self,
        }
    }

    /// Adds the empty line and returns the head as bytes.
    pub fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"\r\n");
        self.0
    }

    /// Adds a line and its CR LF. A CR or LF inside the line would begin a new
    /// field, which an attacker could choose (header injection). So each of
    /// them becomes a space.
    fn safely(mut self, write: impl FnOnce(&mut Vec<u8>)) -> Head {
        let start = self.0.len();
        write(&mut self.0);
        let mut rest = self.0.get_mut(start..).unwrap_or_default();
        while let Some(at) = memchr::memchr3(b'\r', b'\n', 0, rest) {
            let (before, after) = rest.split_at_mut(at + 1);
            before.last_mut().into_iter().for_each(|byte| *byte = b' ');
            rest = after;
        }
        self.0.extend_from_slice(b"\r\n");
        self
    }
}

/// The usual reason phrase of a status.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        508 => "Loop Detected",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_begin_a_new_line() {
        let head = Head::response(301).field("Location", "/a\r\nX: y").end();
        let expected = "HTTP/1.1 301 Moved Permanently\r\n\
                        Location: /a  X: y\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&head), expected);
    }
}
