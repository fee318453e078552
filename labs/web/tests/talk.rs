//! Shared by the tests: HTTP with std only, without the code under test. It
//! writes a request as bytes and reads a response by its Content-Length.

use std::net::TcpStream;

use harness::{Server, receive, send};

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into()
    }
}

/// A request as bytes; `fields` are complete lines with their CR LF.
pub fn request(method: &str, target: &str, fields: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n")
        .into_bytes()
}

/// Reads one response; `head_only` for HEAD.
#[track_caller]
pub fn read_reply(stream: &TcpStream, head_only: bool) -> Reply {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(receive(stream, 1));
    }
    let head = String::from_utf8_lossy(&head).to_string();
    let status = head.get(9..12).and_then(|digits| digits.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {head}"));
    let mut reply = Reply { status, head, body: Vec::new() };
    let length = reply.field("Content-Length");
    let length = length.map(|length| length.parse().expect("a length"));
    if !head_only && let Some(length) = length {
        reply.body = receive(stream, length);
    }
    reply
}

/// Sends bytes on a new connection and reads one response.
#[track_caller]
pub fn ask(server: &Server, bytes: &[u8]) -> Reply {
    let client = server.connect();
    send(&client, bytes);
    read_reply(&client, bytes.starts_with(b"HEAD"))
}

/// Sends a GET on a new connection and reads the response.
#[track_caller]
pub fn get(server: &Server, target: &str, fields: &str) -> Reply {
    ask(server, &request("GET", target, fields))
}
