//! The load generator: a few threads with blocking sockets, cheap enough that
//! the server is the one who is busy.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of one ping: small, so that the calls count and not the copying.
const PING: usize = 64;

/// Threads that share the connections of a scenario.
const THREADS: usize = 4;

/// No echo for this long means that the server is stuck, not slow.
const STUCK: Duration = Duration::from_secs(10);

/// A datagram unanswered for this long is counted as lost and sent again.
const LOST: Duration = Duration::from_millis(200);

const MIB: usize = 1 << 20;

/// What one turn achieved.
#[derive(Default)]
pub struct Outcome {
    pub operations: u64,
    pub lost: u64,
    pub elapsed: Duration,
}

pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STUCK))?;
    stream.set_write_timeout(Some(STUCK))?;
    Ok(stream)
}

pub fn ping(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&[b'x'; PING])?;
    stream.read_exact(&mut [0; PING])
}

/// Keeps one ping under way on each of `connections` connections.
pub fn ping_pong(
    address: SocketAddr,
    connections: usize,
    time: Duration,
) -> io::Result<Outcome> {
    let streams = (0..connections)
        .map(|_| connect(address))
        .collect::<io::Result<Vec<_>>>()?;
    share(streams, |streams| ping_until(streams, Instant::now() + time))
}

/// Sends on all sockets, then receives from all, from the last one back: by
/// the time the last echo is here, the others wait to be picked up. Reading
/// from the first would put this thread to sleep and wake it for every echo.
fn ping_until(
    streams: &mut [TcpStream],
    deadline: Instant,
) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut answer = [0; PING];
    while Instant::now() < deadline {
        for stream in &mut *streams {
            stream.write_all(&[b'x'; PING])?;
        }
        for stream in streams.iter_mut().rev() {
            stream.read_exact(&mut answer)?;
            outcome.operations += 1;
        }
    }
    Ok(outcome)
}

/// Streams `mib` MiB through one connection, writing and reading at once, as
/// a client that first writes everything would block for ever.
pub fn bulk(address: SocketAddr, mib: u64) -> io::Result<Outcome> {
    let mut reader = connect(address)?;
    let mut writer = reader.try_clone()?;
    let start = Instant::now();
    let sender = thread::spawn(move || -> io::Result<()> {
        let block = vec![b'x'; MIB];
        for _ in 0..mib {
            writer.write_all(&block)?;
        }
        writer.shutdown(Shutdown::Write)
    });
    let mut block = vec![0; MIB];
    for _ in 0..mib {
        reader.read_exact(&mut block)?;
    }
    let elapsed = start.elapsed();
    sender.join().expect("the sending thread does not panic")?;
    Ok(Outcome { operations: mib, lost: 0, elapsed })
}

/// Connects, sends one ping, reads its echo, closes; again and again, in a
/// few threads.
pub fn visits(address: SocketAddr, time: Duration) -> io::Result<Outcome> {
    share(vec![(); THREADS], |_| {
        let deadline = Instant::now() + time;
        let mut outcome = Outcome::default();
        while Instant::now() < deadline {
            ping(&mut connect(address)?)?;
            outcome.operations += 1;
        }
        Ok(outcome)
    })
}

/// The same as `ping_pong` with datagrams, which may get lost.
pub fn udp_ping_pong(
    address: SocketAddr,
    sockets: usize,
    time: Duration,
) -> io::Result<Outcome> {
    let sockets = (0..sockets)
        .map(|_| udp_connect(address))
        .collect::<io::Result<Vec<_>>>()?;
    share(sockets, |sockets| udp_until(sockets, Instant::now() + time))
}

/// One datagram there and back.
pub fn udp_ping(address: SocketAddr) -> io::Result<()> {
    let socket = udp_connect(address)?;
    udp_send(&socket, 0)?;
    match udp_answered(&socket, 0)? {
        true => Ok(()),
        false => Err(ErrorKind::TimedOut.into()),
    }
}

fn udp_connect(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(address)?;
    socket.set_read_timeout(Some(LOST))?;
    Ok(socket)
}

fn udp_until(sockets: &[UdpSocket], deadline: Instant) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut number = 0_u64;
    while Instant::now() < deadline {
        number += 1;
        for socket in sockets.iter() {
            udp_send(socket, number)?;
        }
        for socket in sockets.iter().rev() {
            while !udp_answered(socket, number)? {
                outcome.lost += 1;
                if Instant::now() > deadline + STUCK {
                    return Err(ErrorKind::TimedOut.into());
                }
                udp_send(socket, number)?;
            }
            outcome.operations += 1;
        }
    }
    Ok(outcome)
}

fn udp_send(socket: &UdpSocket, number: u64) -> io::Result<()> {
    let mut datagram = [b'x'; PING];
    datagram[..8].copy_from_slice(&number.to_be_bytes());
    match socket.send(&datagram) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(e) => Err(e),
    }
}

/// Waits for the echo of this very datagram; a late echo of an earlier one
/// is passed over. False when none came in time.
fn udp_answered(socket: &UdpSocket, number: u64) -> io::Result<bool> {
    let mut answer = [0; PING];
    loop {
        match socket.recv(&mut answer) {
            Ok(PING) if answer[..8] == number.to_be_bytes() => {
                return Ok(true);
            }
            Ok(_) => {}
            Err(e) if is_loss(&e) => return Ok(false),
            Err(e) => return Err(e),
        }
    }
}

fn is_loss(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::ConnectionRefused
    )
}

/// Deals `items` out to a few threads, runs `work` in each and adds up.
fn share<T, F>(mut items: Vec<T>, work: F) -> io::Result<Outcome>
where
    T: Send,
    F: Fn(&mut [T]) -> io::Result<Outcome> + Sync,
{
    let each = items.len().div_ceil(THREADS).max(1);
    let start = Instant::now();
    let outcomes: Vec<io::Result<Outcome>> = thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks_mut(each)
            .map(|hand| scope.spawn(|| work(hand)))
            .collect();
        workers
            .into_iter()
            .map(|w| w.join().expect("a load thread does not panic"))
            .collect()
    });
    let mut total = Outcome { elapsed: start.elapsed(), ..Default::default() };
    for outcome in outcomes {
        let outcome = outcome?;
        total.operations += outcome.operations;
        total.lost += outcome.lost;
    }
    Ok(total)
}
