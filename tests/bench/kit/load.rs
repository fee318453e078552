//! The load generator: a few threads with blocking sockets. It uses little CPU
//! time, so that the server is the bottleneck.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Threads that share the connections of a load.
const THREADS: usize = 4;

/// A server that sends no reply for this long is stuck, not slow.
pub const STUCK: Duration = Duration::from_secs(10);

/// What one turn achieved.
#[derive(Default)]
pub struct Outcome {
    pub operations: u64,
    pub elapsed: Duration,
    /// Datagrams.
    pub lost: u64,
}

pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STUCK))?;
    stream.set_write_timeout(Some(STUCK))?;
    Ok(stream)
}

/// Keeps one message in flight on each connection. The reply to each has
/// `answer` bytes.
pub fn exchange(
    streams: Vec<TcpStream>,
    message: &[u8],
    answer: usize,
    time: Duration,
) -> io::Result<Outcome> {
    share(streams, |streams| {
        let deadline = Instant::now() + time;
        let mut operations = 0;
        let mut answer = vec![0; answer];
        while Instant::now() < deadline {
            for stream in &mut *streams {
                stream.write_all(message)?;
            }
            // Read from the last connection to the first: when the last reply
            // is here, the others have arrived, too. Reading from the first
            // would put this thread to sleep and wake it for every reply.
            for stream in streams.iter_mut().rev() {
                stream.read_exact(&mut answer)?;
                operations += 1;
            }
        }
        Ok(operations)
    })
}

/// Repeats `once` in each thread. `once` gets an empty buffer that it may use.
pub fn repeat(
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

/// Divides `items` among a few threads, runs `work` in each and adds up the
/// operations.
pub fn share<T, F>(mut items: Vec<T>, work: F) -> io::Result<Outcome>
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
    Ok(Outcome { operations, elapsed, lost: 0 })
}
