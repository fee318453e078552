//! Origins that follow a script, and responses that are read byte by byte. This
//! file does not use the project's HTTP code, because that code is under test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, unbounded};
use serde_json::Value;

use harness::{DEADLINE, Server, send};

/// What an origin was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The start line and the fields, unchanged, with the empty line.
    pub head: String,
    pub body: Vec<u8>,
    /// Which of its connections, from 1.
    pub connection: usize,
    /// Which of its requests, from 1.
    pub number: usize,
}

impl Asked {
    /// The value of a field, `None` if it is absent.
    pub fn field(&self, name: &str) -> Option<String> {
        field(&self.head, name)
    }

    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

/// What an origin does after an answer.
#[derive(PartialEq)]
pub enum Then {
    Keep,
    Close,
}

/// An origin that follows a script.
pub struct Origin {
    pub address: SocketAddr,
    asked: Receiver<Asked>,
}

impl Origin {
    /// Runs `script` for each request, after head and body were read.
    pub fn start(
        script: impl Fn(&Asked, &TcpStream) -> Then + Send + Sync + 'static,
    ) -> Origin {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (seen, asked) = unbounded();
        let script = Arc::new(script);
        let numbers = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                let (seen, script) = (seen.clone(), script.clone());
                let numbers = numbers.clone();
                thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(DEADLINE * 3));
                    let _ = stream.set_nodelay(true);
                    while let Some((head, body)) = read_request(&stream) {
                        let number = numbers.fetch_add(1, SeqCst) + 1;
                        let connection = index + 1;
                        let asked = Asked { head, body, connection, number };
                        let _ = seen.send(asked.clone());
                        if script(&asked, &stream) == Then::Close {
                            return;
                        }
                    }
                });
            }
        });
        Origin { address, asked }
    }

    /// An origin that always answers with these bytes.
    pub fn says(answer: &str, then: fn() -> Then) -> Origin {
        let answer = answer.to_string();
        Origin::start(move |_, stream| {
            send(stream, answer.as_bytes());
            then()
        })
    }

    /// The next request that it got.
    #[track_caller]
    pub fn asked(&self) -> Asked {
        self.asked.recv_timeout(DEADLINE).expect("the origin is asked")
    }

    /// It was asked no more than the test has seen.
    #[track_caller]
    pub fn no_more(&self) {
        let more = self.asked.try_recv();
        assert!(more.is_err(), "the origin was asked: {more:?}");
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn read_request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let head = read_head(stream)?;
    if field(&head, "Expect").is_some() {
        return Some((head, Vec::new())); // the script sees to it
    }
    let body = read_body(stream, &head)?;
    Some((head, body))
}

/// The body that a head announces, of a request.
pub fn read_body(stream: &TcpStream, head: &str) -> Option<Vec<u8>> {
    if field(head, "Transfer-Encoding").is_some() {
        return read_chunks(stream).map(|(body, _)| body);
    }
    let length = field(head, "Content-Length").unwrap_or("0".into());
    read_exactly(stream, length.parse().ok()?)
}

fn read_head(mut stream: &TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into())
}

fn read_line(mut stream: &TcpStream) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => line.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8_lossy(&line).trim_end().into())
}

fn read_exactly(mut stream: &TcpStream, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// A chunked body and its trailers; `None` if it breaks off.
fn read_chunks(stream: &TcpStream) -> Option<(Vec<u8>, Vec<String>)> {
    let mut body = Vec::new();
    loop {
        let line = read_line(stream)?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            let mut trailers = Vec::new();
            loop {
                match read_line(stream)? {
                    line if line.is_empty() => return Some((body, trailers)),
                    line => trailers.push(line),
                }
            }
        }
        body.extend(read_exactly(stream, size)?);
        assert_eq!(read_line(stream)?, "", "CRLF after a chunk");
    }
}

fn field(head: &str, name: &str) -> Option<String> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_string())
    })
}

/// An answer that a client got.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    pub trailers: Vec<String>,
    /// Did the body come to its end?
    pub whole: bool,
}

impl Answer {
    pub fn field(&self, name: &str) -> Option<String> {
        field(&self.head, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into()
    }

    /// What X-Cache says.
    pub fn cache(&self) -> String {
        self.field("X-Cache").unwrap_or_default()
    }
}

/// Reads one answer to a request of this method.
#[track_caller]
pub fn read_answer(mut stream: &TcpStream, method: &str) -> Answer {
    let head = read_head(stream).expect("an answer's head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status: u16 = status.expect("a status");
    let mut answer =
        Answer { status, head, body: vec![], trailers: vec![], whole: true };
    if method == "HEAD" || status < 200 || status == 204 || status == 304 {
        return answer;
    }
    if answer.field("Transfer-Encoding").is_some() {
        match read_chunks(stream) {
            Some((body, trailers)) => {
                (answer.body, answer.trailers) = (body, trailers);
            }
            None => answer.whole = false,
        }
        return answer;
    }
    let length = answer.field("Content-Length");
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    let mut piece = [0; 65_536];
    while length != Some(answer.body.len()) {
        let room = length.map_or(piece.len(), |length| {
            piece.len().min(length - answer.body.len())
        });
        match stream.read(&mut piece[..room]) {
            Ok(0) => {
                answer.whole = length.is_none();
                return answer;
            }
            Ok(count) => answer.body.extend_from_slice(&piece[..count]),
            Err(error) => panic!("the body stopped coming: {error}"),
        }
    }
    answer
}

/// Asks through the proxy, on a new connection. `fields` are complete lines,
/// each with CR LF.
#[track_caller]
pub fn get(proxy: &Server, url: &str, fields: &str) -> Answer {
    ask(proxy, "GET", url, fields)
}

#[track_caller]
pub fn ask(proxy: &Server, method: &str, url: &str, fields: &str) -> Answer {
    let client = proxy.connect();
    let head = format!("{method} {url} HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
    send(&client, head.as_bytes());
    read_answer(&client, method)
}

/// Asks for the proxy's own page until it is as expected. A client has its
/// response a moment before the hub counts the request and the connection
/// returns to the pool.
#[track_caller]
pub fn report(proxy: &Server, holds: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let json = get(proxy, "http://proxy.local/json", "").text();
        let report = serde_json::from_str(&json).expect("JSON");
        if holds(&report) {
            return report;
        }
        assert!(began.elapsed() < DEADLINE, "{json}");
    }
}

/// Reads until the peer has closed or reset: true if it did in time.
pub fn sees_the_end(mut stream: &TcpStream) -> bool {
    let mut piece = [0; 65_536];
    let _ = stream.set_read_timeout(Some(DEADLINE));
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => {
                return !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock
                        | std::io::ErrorKind::TimedOut
                );
            }
        }
    }
}

/// Writes as much as the peer takes; true if it took all.
pub fn pour(mut stream: &TcpStream, total: u64) -> bool {
    let piece = vec![b'x'; 1024 * 1024];
    let mut left = total;
    while left > 0 {
        let count = left.min(piece.len() as u64);
        if stream.write_all(&piece[..count as usize]).is_err() {
            return false;
        }
        left -= count;
    }
    true
}
