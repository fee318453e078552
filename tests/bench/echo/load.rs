//! The loads, TCP and UDP.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::kit::load::{self, Outcome, STUCK, connect, exchange, repeat};

/// Bytes of one ping: small, so that the calls count and not the copying.
const PING: usize = 64;

/// A datagram without a reply for this long counts as lost and is sent again.
const LOST: Duration = Duration::from_millis(200);

const MIB: usize = 1 << 20;

pub fn ping(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&[b'x'; PING])?;
    stream.read_exact(&mut [0; PING])
}

/// Keeps one ping in flight on each of `connections` connections.
pub fn ping_pong(
    address: SocketAddr,
    connections: usize,
    time: Duration,
) -> io::Result<Outcome> {
    let streams = (0..connections)
        .map(|_| connect(address))
        .collect::<io::Result<Vec<_>>>()?;
    exchange(streams, &[b'x'; PING], PING, time)
}

/// Streams `mib` MiB through one connection. It writes and reads at the same
/// time, because a client that first writes everything blocks forever: the
/// server stops reading when the client reads none of its echoes.
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
    Ok(Outcome { operations: mib, elapsed, lost: 0 })
}

/// Connects, sends one ping, reads its echo and closes, again and again, in a
/// few threads.
pub fn visits(address: SocketAddr, time: Duration) -> io::Result<Outcome> {
    repeat(time, |_| ping(&mut connect(address)?))
}

/// Does the same as `ping_pong` with datagrams, which may be lost.
pub fn udp_ping_pong(
    address: SocketAddr,
    sockets: usize,
    time: Duration,
) -> io::Result<Outcome> {
    let sockets = (0..sockets)
        .map(|_| udp_connect(address))
        .collect::<io::Result<Vec<_>>>()?;
    let lost = AtomicU64::new(0);
    let outcome = load::share(sockets, |sockets| {
        udp_until(sockets, Instant::now() + time, &lost)
    })?;
    Ok(Outcome { lost: lost.into_inner(), ..outcome })
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

fn udp_until(
    sockets: &[UdpSocket],
    deadline: Instant,
    lost: &AtomicU64,
) -> io::Result<u64> {
    let mut operations = 0;
    let mut number = 0_u64;
    while Instant::now() < deadline {
        number += 1;
        for socket in sockets.iter() {
            udp_send(socket, number)?;
        }
        for socket in sockets.iter().rev() {
            while !udp_answered(socket, number)? {
                lost.fetch_add(1, Ordering::Relaxed);
                if Instant::now() > deadline + STUCK {
                    return Err(ErrorKind::TimedOut.into());
                }
                udp_send(socket, number)?;
            }
            operations += 1;
        }
    }
    Ok(operations)
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

/// Waits for the echo of the datagram with this number, and ignores late echoes
/// of earlier ones. Returns false if the echo does not come in time.
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
