//! Asking for files, of a web server or through a proxy. The load generator
//! looks at the first answers on a connection, and after that only counts
//! bytes.

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
    // Many servers drop root's rights, and must still get in and write.
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

    /// To a proxy one says the whole address.
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

/// A head, which must have status 200, and what came after it.
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

/// One whole answer; its size with its head.
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

/// One small file on this connection; the size of the answer.
pub fn ask(stream: &mut TcpStream, way: Way) -> io::Result<usize> {
    stream.write_all(&way.request(SMALL, ""))?;
    answer(stream)
}

/// One small file on a connection of its own.
pub fn ping(way: Way) -> io::Result<()> {
    ask(&mut way.connect()?, way).map(drop)
}

/// Keeps one request under way on each of `CONNECTIONS` connections. Who
/// closes after each answer gets a new connection for each.
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
    // The second answer has the size of all that follow.
    match ask(&mut streams[0], way) {
        Ok(size) => exchange(streams, &request, size, time),
        Err(_) => visits(way, time),
    }
}

/// Connects, asks for one small file, reads to the end.
pub fn visits(way: Way, time: Duration) -> io::Result<Outcome> {
    let request = way.request(SMALL, "Connection: close\r\n");
    repeat(time, |all| last_answer(way.connect()?, &request, all))
}

/// Asks for one small file and reads until the other side closes.
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

/// The large file, again and again; counts MiB.
pub fn download(way: Way, time: Duration) -> io::Result<Outcome> {
    downloads(way.connect()?, &way.request(LARGE, ""), time)
}

/// The same with this request on this connection.
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
