//! A response, and its way onto the wire. A small one leaves with its head in
//! one send: two would be two segments, and with Nagle's algorithm the second
//! would wait for the first one's acknowledgement.              (viva 9)
//! A large file goes from the disk's cache to the socket inside the kernel
//! (sendfile), so that a gigabyte passes through no memory of ours.

use std::ops::Range;
use std::sync::Arc;

use http::Head;
use socketlab::net::TcpSocket;
use socketlab::{Error, Result};

use crate::files::{Content, Resource};

/// Bytes that one sendfile is asked to send.
const PIECE: u64 = 1024 * 1024;

/// A response: its head as far as it does not depend on the connection, and
/// its body.
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
    /// None, not even of length 0: 204, 304.
    None,
    /// A page.
    Page(Vec<u8>),
    /// All of a file.
    File(Arc<Resource>),
    /// Parts of a file, each after the text that precedes it, and an end.
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

/// Sends a head and its body (not for HEAD). `connection`: the value of that
/// field. `sent` counts the body's bytes, also if it fails half-way. [W-T2f]
pub fn send(
    client: &TcpSocket,
    response: Response,
    connection: Option<&str>,
    head_only: bool,
    sent: &mut u64,
) -> Result<()> {
    // ---- 6 send() --------------------------------------------------------
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

/// What comes before, then these bytes of the file.
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
    client.send_all(before)?;
    let mut at = part.start;
    while at < part.end {
        let piece = (part.end - at).min(PIECE);
        let piece = usize::try_from(piece).unwrap_or(usize::MAX);
        let count = client.send_file(content, at, piece)? as u64;
        if count == 0 {
            // The head has promised more bytes than there are any more.
            // Only a close tells the client that something is missing.
            return Err(Error::other("the file shrank while it was sent"));
        }
        at += count;
        *sent += count;
    }
    Ok(())
}
