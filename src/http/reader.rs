//! Reads messages from a socket: heads with a deadline, bodies piece by piece.
//! One recv() may return half a head, or three requests (pipelining). The
//! reader keeps the bytes that it has not used for the next call.
//!
//! ```
//! use std::io::Write;
//! use std::net::TcpListener;
//! use std::time::Duration;
//!
//! use http::{Body, Fault, Reader};
//! use socketlab::Error;
//! use socketlab::net::TcpSocket;
//!
//! fn main() -> Result<(), Fault> {
//!     let listener = TcpListener::bind("127.0.0.1:0").map_err(Error::from)?;
//!     let address = listener.local_addr().map_err(Error::from)?;
//!     let socket = TcpSocket::new(address)?;
//!     socket.connect(address)?;
//!
//!     // The server's response: a head, an empty line, five bytes.
//!     for server in listener.incoming().take(1) {
//!         server
//!             .and_then(|mut server| server.write_all(
//!                 b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
//!             ))
//!             .map_err(Error::from)?;
//!     }
//!
//!     let mut reader = Reader::new(socket);
//!     let wait = Duration::from_secs(10);
//!     let response = reader.read_response(wait)?.ok_or(Fault::Cut)?;
//!     assert_eq!(response.status, 200);
//!     let mut text = Vec::new();
//!     let mut body = Body::new(response.framing("GET")?);
//!     while let Some(piece) = body.next(&mut reader)? {
//!         text.extend_from_slice(piece);
//!     }
//!     assert_eq!(text, b"hello");
//!     Ok(())
//! }
//! ```

use std::time::{Duration, Instant};

use memchr::memchr;

use super::Fault;
use super::check::{LONGEST_LINE, check_request_line, is_token};
use super::head::{LARGEST_HEAD, Request, Response};
use socketlab::net::TcpSocket;
use socketlab::stream::Stream;

/// The complete head must arrive within this time after its first byte. A limit
/// for each recv() would not be enough: a client that sends one byte every few
/// seconds would never exceed it.
pub const HEAD_DEADLINE: Duration = Duration::from_secs(10);

/// How long one recv() of a body waits. [`Reader::set_limits`] changes it.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of an idle connection's buffer: one page of memory, because ten
/// thousand idle clients need ten thousand buffers.
pub(super) const SMALL: usize = 4 * 1024;

/// The receiving side of a connection: TCP, or TLS over it.
pub struct Reader<S = TcpSocket> {
    socket: S,
    pub(super) buffer: Vec<u8>, // start..end has arrived and is unread
    pub(super) start: usize,
    pub(super) end: usize,
    head: Duration, // limit for a complete head, after its first byte
    patience: Duration, // limit for one recv() of a body
    deadline: Option<Instant>, // for a complete body
    limit: Option<Duration>, // the socket's present SO_RCVTIMEO
}

impl<S: Stream> Reader<S> {
    /// A reader for this socket. Nobody else may call recv() on the socket.
    pub fn new(socket: S) -> Reader<S> {
        Reader {
            socket,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            head: HEAD_DEADLINE,
            patience: BODY_PATIENCE,
            deadline: None,
            limit: None,
        }
    }

    /// The socket, to send on.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// Bytes that have arrived but were not used yet: the next request of a
    /// pipeline, or the first bytes of a tunnel.
    pub fn buffered(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Was the refused request a HEAD? The response to HEAD must not have a
    /// body, whatever its status (RFC 9110, section 9.3.2).
    pub fn asks_head(&self) -> bool {
        match self.buffered().strip_prefix(b"HEAD") {
            Some([next, ..]) => !is_token(&[*next]),
            Some([]) => true,
            None => false,
        }
    }

    /// Removes the buffered bytes from the reader and returns them.
    pub fn take_buffered(&mut self) -> Vec<u8> {
        let bytes = self.buffered().to_vec();
        self.start = self.end;
        bytes
    }

    /// Replaces [`HEAD_DEADLINE`] for this connection.
    pub fn set_head_deadline(&mut self, limit: Duration) {
        self.head = limit;
    }

    /// Sets the limits for bodies: `patience` for each recv(), and `deadline`
    /// for the complete body.
    pub fn set_limits(
        &mut self,
        patience: Duration,
        deadline: Option<Instant>,
    ) {
        (self.patience, self.deadline) = (patience, deadline);
    }

    /// Waits for the first byte of the next message, for at most `idle`.
    /// Returns false if the peer closes before it.
    pub fn wait(&mut self, idle: Duration) -> Result<bool, Fault> {
        if !self.buffered().is_empty() {
            return Ok(true);
        }
        match self.fill(idle, SMALL) {
            Ok(count) => Ok(count > 0),
            Err(error) if error.is_timeout() => Err(Fault::Idle),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the next request's head. Returns `None` if the client has closed
    /// between two requests. It waits `idle` for the first byte, then
    /// [`HEAD_DEADLINE`] for the rest.
    pub fn read_request(
        &mut self,
        idle: Duration,
    ) -> Result<Option<Request>, Fault> {
        match self.read_head(idle, true)? {
            Some(length) => {
                let request = Request::parse(self.peek(length))?;
                self.start += length;
                Ok(Some(request))
            }
            None => Ok(None),
        }
    }

    /// Reads the next response's head. It may be an interim response (1xx),
    /// after which another one follows. Returns `None` if the server closed
    /// without a byte. It waits `wait` for the first byte, then
    /// [`HEAD_DEADLINE`] for the rest.
    pub fn read_response(
        &mut self,
        wait: Duration,
    ) -> Result<Option<Response>, Fault> {
        match self.read_head(wait, false)? {
            Some(length) => {
                let response = Response::parse(self.peek(length))?;
                self.start += length;
                Ok(Some(response))
            }
            None => Ok(None),
        }
    }

    /// The first `length` unread bytes.
    fn peek(&self, length: usize) -> &[u8] {
        self.buffered().get(..length).unwrap_or_default()
    }

    /// Reads until the buffer contains a complete head; returns its length.
    fn read_head(
        &mut self,
        idle: Duration,
        request: bool,
    ) -> Result<Option<usize>, Fault> {
        let mut deadline = None; // is set at the first byte
        let mut searched = 0; // the end of the head is not in these bytes
        let mut line = false; // the first line is complete, and checked
        loop {
            // Some clients send an empty line after a body. Skip it.
            if searched == 0 {
                self.skip_empty_lines();
            }
            let bytes = self.buffered();
            if !line && !bytes.is_empty() {
                line = match request {
                    true => check_beginning(bytes)?,
                    false => check_response(bytes)?,
                };
            }
            if let Some(end) = end_of_head(bytes, searched) {
                if end > LARGEST_HEAD {
                    return Err(too_large());
                }
                return Ok(Some(end));
            }
            searched = bytes.len();
            if searched > LARGEST_HEAD {
                return Err(too_large());
            }
            let limit = match deadline {
                None if searched == 0 => idle,
                None => {
                    deadline = Some(Instant::now() + self.head);
                    self.head
                }
                Some(end) => time_left(end).ok_or(Fault::Slow)?,
            };
            match self.fill(limit, SMALL) {
                Ok(0) if searched == 0 => return Ok(None),
                Ok(0) => return Err(Fault::Cut),
                Ok(_) => {
                    // Empty lines count as a first byte too.
                    deadline = deadline.or(Some(Instant::now() + self.head));
                }
                Err(error) if error.is_timeout() && deadline.is_none() => {
                    return Err(Fault::Idle);
                }
                Err(error) if error.is_timeout() => return Err(Fault::Slow),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Skips empty lines before a start line.
    fn skip_empty_lines(&mut self) {
        loop {
            match self.buffered() {
                [b'\r', b'\n', ..] => self.start += 2,
                [b'\n', ..] => self.start += 1,
                _ => return,
            }
        }
    }

    /// Calls recv() once and puts the bytes after the unread ones. `want`: the
    /// buffer's new size, if there are no unread bytes.
    /// Python: s.recv(4096)  C: recv(s, buffer, 4096, 0)
    fn fill(
        &mut self,
        limit: Duration,
        want: usize,
    ) -> socketlab::Result<usize> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() != want {
                self.buffer = vec![0; want];
            }
        } else if self.end == self.buffer.len() {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.end, self.start) = (self.end - self.start, 0);
            } else {
                // The head is larger than a page. LARGEST_HEAD limits it.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        if self.limit != Some(limit) {
            self.socket.set_recv_timeout(Some(limit))?;
            self.limit = Some(limit);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = self.socket.recv(room)?;
        self.end += count;
        Ok(count)
    }

    /// Calls recv() once for a body, with the limits for bodies.
    pub(super) fn fill_body(&mut self, want: usize) -> Result<usize, Fault> {
        let mut limit = self.patience;
        if let Some(deadline) = self.deadline {
            limit = limit.min(time_left(deadline).ok_or(Fault::Slow)?);
        }
        self.fill(limit, want).map_err(|error| match error.is_timeout() {
            true => Fault::Slow,
            false => error.into(),
        })
    }
}

/// The time until the deadline; `None` if it has passed.
fn time_left(deadline: Instant) -> Option<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left)
}

/// Where the head ends: after its empty line.
fn end_of_head(bytes: &[u8], searched: usize) -> Option<usize> {
    // The last recv() may have returned a part of the end: CR LF CR | LF.
    let mut at = searched.saturating_sub(3);
    while let Some(found) = memchr(b'\n', bytes.get(at..)?) {
        at += found + 1;
        match bytes.get(at..)? {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// Refuses a request whose beginning is malformed, before the complete head
/// has arrived. Returns true if the first line is complete.
fn check_beginning(bytes: &[u8]) -> Result<bool, Fault> {
    let head = bytes.get(..LONGEST_LINE + 2).unwrap_or(bytes);
    match memchr(b'\n', head) {
        Some(end) => {
            let line = head.get(..end).unwrap_or_default();
            check_request_line(line.strip_suffix(b"\r").unwrap_or(line))?;
            Ok(true)
        }
        // A TLS client, for example, begins with the byte 22 and sends no LF.
        // Without this check it would get the refusal only at the deadline.
        None if !bytes
            .first()
            .is_some_and(|b| is_token(&[*b]) || *b == b'\r') =>
        {
            Err(Fault::bad("The request does not begin with a method."))
        }
        None if head.len() < bytes.len() => {
            let why = "The request line is longer than 8 KiB.";
            Err(Fault::Bad { status: 414, why })
        }
        None => Ok(false),
    }
}

/// The same for a response. Returns true if it begins with `HTTP/`.
fn check_response(bytes: &[u8]) -> Result<bool, Fault> {
    let mut both = bytes.iter().zip(b"HTTP/");
    match both.all(|(found, wanted)| found == wanted) {
        true => Ok(bytes.len() >= b"HTTP/".len()),
        false => Err(Fault::bad("The response does not begin with HTTP/.")),
    }
}

fn too_large() -> Fault {
    let why = "The head is larger than 16 KiB.";
    Fault::Bad { status: 431, why }
}

#[cfg(test)]
mod tests;
