//! The load generator: a few threads with blocking sockets. It looks at the
//! first answer on a connection, and after that only counts bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Threads that share the connections of a scenario.
const THREADS: usize = 4;

/// No answer for this long means that the proxy is stuck, not slow.
const STUCK: Duration = Duration::from_secs(10);

/// Who is asked, and through whom.
#[derive(Clone, Copy)]
pub struct Way {
    pub proxy: SocketAddr,
    pub origin: SocketAddr,
}

pub struct Outcome {
    pub operations: u64,
    pub elapsed: Duration,
}

fn connect(way: Way) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(way.proxy)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STUCK))?;
    stream.set_write_timeout(Some(STUCK))?;
    Ok(stream)
}

fn request(way: Way, path: &str, fields: &str) -> Vec<u8> {
    let host = way.origin;
    let line = format!("GET http://{host}{path} HTTP/1.1");
    format!("{line}\r\nHost: {host}\r\n{fields}\r\n").into_bytes()
}

/// A head, which must say 200, and what came behind it.
fn head(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..count]);
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
        if let Some(end) = end {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8_lossy(&bytes).to_lowercase();
            match head.split(' ').nth(1) {
                Some("200") => return Ok((head, rest)),
                _ => return Err(io::Error::other(head)),
            }
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

pub fn ping(way: Way) -> io::Result<()> {
    let mut stream = connect(way)?;
    stream.write_all(&request(way, "/1k.bin", ""))?;
    answer(&mut stream).map(drop)
}

/// Keeps one request under way on each of `connections` connections. A proxy
/// that closes after each answer gets a new connection for each.
pub fn keep_alive(
    way: Way,
    connections: usize,
    time: Duration,
) -> io::Result<Outcome> {
    let request = request(way, "/1k.bin", "");
    let mut streams = (0..connections)
        .map(|_| connect(way))
        .collect::<io::Result<Vec<_>>>()?;
    let (mut size, mut closes) = (0, false);
    for stream in &mut streams {
        stream.write_all(&request)?;
        answer(stream)?;
        // The second answer has the size of all that follow.
        match stream.write_all(&request).and_then(|()| answer(stream)) {
            Ok(found) => size = found,
            Err(_) => closes = true,
        }
    }
    if closes {
        return visits(way, time);
    }
    share(streams, |streams| {
        let deadline = Instant::now() + time;
        let mut operations = 0;
        let mut answer = vec![0; size];
        while Instant::now() < deadline {
            for stream in &mut *streams {
                stream.write_all(&request)?;
            }
            for stream in streams.iter_mut().rev() {
                stream.read_exact(&mut answer)?;
                operations += 1;
            }
        }
        Ok(operations)
    })
}

/// Connects, asks for one small file, reads to the end.
pub fn visits(way: Way, time: Duration) -> io::Result<Outcome> {
    let request = request(way, "/1k.bin", "Connection: close\r\n");
    each(time, |all| {
        let mut stream = connect(way)?;
        stream.write_all(&request)?;
        stream.read_to_end(all)?;
        enough(all)
    })
}

/// A tunnel for each small file.
pub fn tunnels(way: Way, time: Duration) -> io::Result<Outcome> {
    let close = "Connection: close\r\n\r\n";
    let inner = format!("GET /1k.bin HTTP/1.1\r\nHost: bench\r\n{close}");
    each(time, |all| {
        let mut stream = tunnel(way)?;
        stream.write_all(inner.as_bytes())?;
        stream.read_to_end(all)?;
        enough(all)
    })
}

fn enough(answer: &[u8]) -> io::Result<()> {
    match answer.len() {
        1024.. => Ok(()),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn tunnel(way: Way) -> io::Result<TcpStream> {
    let mut stream = connect(way)?;
    let origin = way.origin;
    let request =
        format!("CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    head(&mut stream)?;
    Ok(stream)
}

/// The large file, again and again; counts MiB.
pub fn download(way: Way, time: Duration) -> io::Result<Outcome> {
    bulk(connect(way)?, &request(way, "/100m.bin", ""), time)
}

/// The same through a tunnel.
pub fn tunnel_download(way: Way, time: Duration) -> io::Result<Outcome> {
    let inner = b"GET /100m.bin HTTP/1.1\r\nHost: bench\r\n\r\n";
    bulk(tunnel(way)?, inner, time)
}

fn bulk(
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
    Ok(Outcome { operations, elapsed: start.elapsed() })
}

/// Repeats `once` in each thread; it may use the buffer that it is given.
fn each(
    time: Duration,
    once: impl Fn(&mut Vec<u8>) -> io::Result<()> + Sync,
) -> io::Result<Outcome> {
    share(vec![(); THREADS], |_| {
        let deadline = Instant::now() + time;
        let mut operations = 0;
        let mut buffer = Vec::new();
        while Instant::now() < deadline {
            buffer.clear();
            once(&mut buffer)?;
            operations += 1;
        }
        Ok(operations)
    })
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
