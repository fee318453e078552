//! The load generator: a few threads with blocking sockets, cheap enough that
//! the server is the one who is busy. It looks at the first answer of a
//! server, and after that only counts bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Threads that share the connections of a scenario.
const THREADS: usize = 4;

/// No answer for this long means that the server is stuck, not slow.
const STUCK: Duration = Duration::from_secs(10);

pub const SMALL: &str = "/1k.bin";
pub const LARGE: &str = "/100m.bin";

/// What one turn achieved.
#[derive(Default)]
pub struct Outcome {
    pub operations: u64,
    pub elapsed: Duration,
}

pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STUCK))?;
    stream.set_write_timeout(Some(STUCK))?;
    Ok(stream)
}

fn request(path: &str, fields: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n{fields}\r\n").into_bytes()
}

/// One answer, which must be 200; its size with its head.
fn answer(stream: &mut TcpStream) -> io::Result<usize> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let whole = loop {
        let count = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..count]);
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        match end {
            Some(end) => break end + 4 + length(&bytes[..end])?,
            None if count == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            None => {}
        }
    };
    let rest = whole.saturating_sub(bytes.len());
    io::copy(&mut stream.take(rest as u64), &mut io::sink())?;
    Ok(whole)
}

fn length(head: &[u8]) -> io::Result<usize> {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let line = head.lines().find_map(|l| l.strip_prefix("content-length:"));
    let length = line.and_then(|value| value.trim().parse().ok());
    match head.split(' ').nth(1) {
        Some("200") => length.ok_or(ErrorKind::InvalidData.into()),
        _ => Err(io::Error::other(head.lines().next().unwrap_or_default())),
    }
}

/// One small file on a connection of its own.
pub fn ping(address: SocketAddr) -> io::Result<()> {
    ask(&mut connect(address)?)
}

/// One small file on this connection.
pub fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&request(SMALL, ""))?;
    answer(stream).map(drop)
}

/// Keeps one request under way on each of `connections` connections.
pub fn keep_alive(
    address: SocketAddr,
    connections: usize,
    time: Duration,
) -> io::Result<Outcome> {
    let mut streams = (0..connections)
        .map(|_| connect(address))
        .collect::<io::Result<Vec<_>>>()?;
    let request = request(SMALL, "");
    let mut size = 0;
    for stream in &mut streams {
        stream.write_all(&request)?;
        size = answer(stream)?;
    }
    share(streams, |streams| {
        let deadline = Instant::now() + time;
        let mut operations = 0;
        let mut answer = vec![0; size];
        while Instant::now() < deadline {
            for stream in &mut *streams {
                stream.write_all(&request)?;
            }
            // From the last one back: by the time its answer is here, the
            // others wait to be picked up, and nobody sleeps for them.
            for stream in streams.iter_mut().rev() {
                stream.read_exact(&mut answer)?;
                operations += 1;
            }
        }
        Ok(operations)
    })
}

/// Connects, asks for one small file, reads to the end.
pub fn visits(address: SocketAddr, time: Duration) -> io::Result<Outcome> {
    let request = request(SMALL, "Connection: close\r\n");
    share(vec![(); THREADS], |_| {
        let deadline = Instant::now() + time;
        let mut operations = 0;
        let mut answer = Vec::new();
        while Instant::now() < deadline {
            let mut stream = connect(address)?;
            stream.write_all(&request)?;
            answer.clear();
            stream.read_to_end(&mut answer)?;
            if answer.len() < 1024 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            operations += 1;
        }
        Ok(operations)
    })
}

/// The large file, again and again; counts MiB.
pub fn download(address: SocketAddr, time: Duration) -> io::Result<Outcome> {
    let start = Instant::now();
    let mut stream = connect(address)?;
    let request = request(LARGE, "");
    let mut piece = vec![0; 256 * 1024];
    let (mut operations, mut size) = (0, 0);
    while operations == 0 || start.elapsed() < time {
        stream.write_all(&request)?;
        if size == 0 {
            size = answer(&mut stream)?;
        } else {
            let mut left = size;
            while left > 0 {
                let most = left.min(piece.len());
                left -= match stream.read(&mut piece[..most])? {
                    0 => return Err(ErrorKind::UnexpectedEof.into()),
                    count => count,
                };
            }
        }
        operations += 100;
    }
    Ok(Outcome { operations, elapsed: start.elapsed() })
}

/// Deals `items` out to a few threads, runs `work` in each and adds up.
fn share<T, F>(mut items: Vec<T>, work: F) -> io::Result<Outcome>
where
    T: Send,
    F: Fn(&mut [T]) -> io::Result<u64> + Sync,
{
    let each = items.len().div_ceil(THREADS).max(1);
    let start = Instant::now();
    let counts: Vec<io::Result<u64>> = thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks_mut(each)
            .map(|hand| scope.spawn(|| work(hand)))
            .collect();
        workers
            .into_iter()
            .map(|w| w.join().expect("a load thread does not panic"))
            .collect()
    });
    let elapsed = start.elapsed();
    let operations = counts.into_iter().sum::<io::Result<u64>>()?;
    Ok(Outcome { operations, elapsed })
}
