//! Sends a response. A small file and its head go out in one send(). Two calls
//! would make two segments, and with Nagle's algorithm the second one would
//! wait until the client has acknowledged the first.             (viva 9)
//! For a large file the kernel copies from its file cache directly to the
//! socket (sendfile), so the bytes never pass through our memory.

use std::ops::Range;
use std::sync::Arc;

use http::Head;
use socketlab::net::TcpSocket;
use socketlab::{Error, Result};

use crate::files::{Content, Resource};

/// Bytes that we ask one sendfile() to send.
const PIECE: u64 = 1024 * 1024;

/// A response: its body, and those fields of the head that do not depend on
/// the connection.
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The head, without Connection and the empty line.
    pub head: Head,
    /// What follows the head.
    pub body: Body,
}

/// The body of a response.
pub enum Body {
    /// The status has no body, and so no Content-Length either: 204, 304.
    None,
    /// A page that the server has composed.
    Page(Vec<u8>),
    /// All of a file.
    File(Arc<Resource>),
    /// Parts of a file, each with the text that precedes it; and the text at
    /// the end.
    Parts(Arc<Resource>, Vec<(String, Range<u64>)>, String),
}

impl Body {
    /// Bytes that Content-Length announces.
    fn length(&self) -> Option<u64> {
        match self {
            Body::None => None,
            Body::Page(page) => Some(page.len() as u64),
            Body::File(file) => Some(file.size),
            Body::Parts(_, parts, end) => {
                let part = |(before, part): &(String, Range<u64>)| {
                    before.len() as u64 + part.end - part.start
                };
                Some(parts.iter().map(part).sum::<u64>() + end.len() as u64)
            }
        }
    }
}

/// Sends a head and its body; for HEAD the head only. `connection` is the
/// value of the Connection field. `sent` counts the body's bytes, also if
/// send() fails half-way.                                        [W-T2f]
pub fn send(
    client: &TcpSocket,
    response: Response,
    connection: Option<&str>,
    head_only: bool,
    sent: &mut u64,
) -> Result<()> {
    // ---- 6 send() --------------------------------------------------------
    // Python: client.sendall(bytes)  C: send(client, …) in a loop
    // The kernel copies the bytes into the socket's send buffer. If the buffer
    // is full, the call waits until the client has read some of them.
    let mut head = response.head;
    if let Some(length) = response.body.length() {
        head = head.field("Content-Length", length);
    }
    if let Some(connection) = connection {
        head = head.field("Connection", connection);
    }
    let head = head.end();
    match &response.body {
        _ if head_only => client.send_all(&head),
        Body::None => client.send_all(&head),
        Body::Page(page) => {
            client.send_parts(&[&head, page])?;
            *sent += page.len() as u64;
            Ok(())
        }
        Body::File(file) => send_part(client, &head, file, 0..file.size, sent),
        Body::Parts(file, parts, end) => {
            let mut before = head;
            for (head, part) in parts {
                before.extend_from_slice(head.as_bytes());
                *sent += head.len() as u64;
                send_part(client, &before, file, part.clone(), sent)?;
                before.clear();
            }
            client.send_all(end.as_bytes())?;
            *sent += end.len() as u64;
            Ok(())
        }
    }
}

/// Sends `before`, then these bytes of the file.
fn send_part(
    client: &TcpSocket,
    before: &[u8],
    file: &Resource,
    part: Range<u64>,
    sent: &mut u64,
) -> Result<()> {
    let content = match &file.content {
        Content::Memory(bytes) => {
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let part = index(part.start)..index(part.end);
            let bytes = bytes.get(part).unwrap_or_default();
            client.send_parts(&[before, bytes])?;
            *sent += bytes.len() as u64;
            return Ok(());
        }
        Content::File(content) => content,
    };
    // Python: os.sendfile(out, in, offset, count), or s.sendfile(file)
    // C: sendfile(out, in, &offset, count)
    client.send_all(before)?;
    let mut at = part.start;
    while at < part.end {
        let piece = (part.end - at).min(PIECE);
        let piece = usize::try_from(piece).unwrap_or(usize::MAX);
        let count = client.send_file(content, at, piece)? as u64;
        if count == 0 {
            // Content-Length has announced more bytes than the file still
            // has. We cannot take it back. We close, and the client sees
            // that bytes are missing.
            let why = "the file became shorter while it was sent";
            return Err(Error::other(why));
        }
        at += count;
        *sent += count;
    }
    Ok(())
}
