//! Requests for files, to a web server or through a proxy. The load generator
//! parses the first responses on a connection. After that it only counts bytes,
//! so that the server has more work than the generator.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kit::load::{self, Outcome, exchange, repeat};

pub const SMALL: &str = "/1k.bin";
pub const LARGE: &str = "/100m.bin";

/// A folder with the files in www, and with the servers' configurations.
pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let www = folder.path().join("www");
    fs::create_dir(&www).expect("a folder");
    fs::write(www.join("1k.bin"), vec![b'x'; 1024]).expect("a file");
    let large = fs::File::create(www.join("100m.bin")).expect("a file");
    large.set_len(100 << 20).expect("a size");
    // Many servers give up root's rights, but must still read and write here.
    for (path, mode) in [(folder.path(), 0o777), (&www, 0o755)] {
        let all = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, all).expect("permissions");
    }
    folder
}

/// Which server gets the request, and which has the file.
#[derive(Clone, Copy)]
pub struct Way {
    pub to: SocketAddr,
    pub origin: SocketAddr,
}

impl Way {
    pub fn direct(origin: SocketAddr) -> Way {
        Way { to: origin, origin }
    }

    pub fn connect(self) -> io::Result<TcpStream> {
        load::connect(self.to)
    }

    /// A request to a proxy has the complete URL.
    pub fn request(self, path: &str, fields: &str) -> Vec<u8> {
        let host = self.origin;
        let site = match self.to == host {
            true => String::new(),
            false => format!("http://{host}"),
        };
        let line = format!("GET {site}{path} HTTP/1.1");
        format!("{line}\r\nHost: {host}\r\n{fields}\r\n").into_bytes()
    }
}

/// Receives a head, which must have status 200. Returns it, and the bytes that
/// came after it.
pub fn head(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..count]);
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        if let Some(end) = end {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8_lossy(&bytes).to_lowercase();
            return match head.split(' ').nth(1) {
                Some("200") => Ok((head, rest)),
                _ => Err(io::Error::other(
                    head.lines().next().unwrap_or_default().to_string(),
                )),
            };
        }
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Receives one complete response. Returns its size, with its head.
fn answer(stream: &mut TcpStream) -> io::Result<usize> {
    let (head, rest) = head(stream)?;
    let line = head.lines().find_map(|l| l.strip_prefix("content-length:"));
    let length: usize = line
        .and_then(|value| value.trim().parse().ok())
        .ok_or(ErrorKind::InvalidData)?;
    let left = length.saturating_sub(rest.len());
    io::copy(&mut stream.take(left as u64), &mut io::sink())?;
    Ok(head.len() + length)
}

/// Requests one small file on this connection. Returns the response's size.
pub fn ask(stream: &mut TcpStream, way: Way) -> io::Result<usize> {
    stream.write_all(&way.request(SMALL, ""))?;
    answer(stream)
}

/// Requests one small file on a new connection.
pub fn ping(way: Way) -> io::Result<()> {
    ask(&mut way.connect()?, way).map(drop)
}

/// Keeps one request in flight on each of `CONNECTIONS` connections. A server
/// that closes after each response gets a new connection for each request.
pub fn keep_alive<const CONNECTIONS: usize>(
    way: Way,
    time: Duration,
) -> io::Result<Outcome> {
    let mut streams = (0..CONNECTIONS)
        .map(|_| way.connect())
        .collect::<io::Result<Vec<_>>>()?;
    let request = way.request(SMALL, "");
    for stream in &mut streams {
        stream.write_all(&request)?;
    }
    for stream in &mut streams {
        answer(stream)?;
    }
    // All later responses have the same size as this second one.
    match ask(&mut streams[0], way) {
        Ok(size) => exchange(streams, &request, size, time),
        Err(_) => visits(way, time),
    }
}

/// Connects, requests one small file, reads until the server closes.
pub fn visits(way: Way, time: Duration) -> io::Result<Outcome> {
    let request = way.request(SMALL, "Connection: close\r\n");
    repeat(time, |all| last_answer(way.connect()?, &request, all))
}

/// Sends this request, and reads until the server closes.
pub fn last_answer(
    mut stream: TcpStream,
    request: &[u8],
    all: &mut Vec<u8>,
) -> io::Result<()> {
    stream.write_all(request)?;
    match stream.read_to_end(all)? {
        1024.. => Ok(()),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// Requests the large file again and again; counts MiB.
pub fn download(way: Way, time: Duration) -> io::Result<Outcome> {
    downloads(way.connect()?, &way.request(LARGE, ""), time)
}

/// Repeats this request for the large file on this connection.
pub fn downloads(
    mut stream: TcpStream,
    request: &[u8],
    time: Duration,
) -> io::Result<Outcome> {
    let start = Instant::now();
    let mut piece = vec![0; 256 * 1024];
    let mut operations = 0;
    while operations == 0 || start.elapsed() < time {
        stream.write_all(request)?;
        let (_, rest) = head(&mut stream)?;
        let mut left = (100 << 20) - rest.len();
        while left > 0 {
            let most = left.min(piece.len());
            left -= match stream.read(&mut piece[..most])? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => count,
            };
        }
        operations += 100;
    }
    Ok(Outcome { operations, elapsed: start.elapsed(), lost: 0 })
}
