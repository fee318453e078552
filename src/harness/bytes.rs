//! Sends and receives bytes on a socket for a test. Each wait has a deadline,
//! and a failure says what had arrived before it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::time::Duration;

use socketlab::console;

use crate::server::Server;

/// A failed test shows at most this many bytes of a reply.
const SHOWN: usize = 100;

/// Sends each byte in a segment of its own.
#[track_caller]
pub fn trickle(mut stream: &TcpStream, bytes: &[u8]) {
    for byte in bytes {
        stream.write_all(&[*byte]).expect("it takes a byte");
    }
}

/// Sends all bytes.
#[track_caller]
pub fn send(mut stream: &TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("it takes bytes");
}

/// Receives exactly `count` bytes from the peer.
#[track_caller]
pub fn receive(mut stream: &TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let mut arrived = 0;
    while arrived < count {
        match stream.read(&mut bytes[arrived..]) {
            Ok(0) => panic!(
                "the peer closed after {arrived} of {count} bytes, as one \
                 does that calls recv() only once: {}",
                console::escape_short(&bytes[..arrived], SHOWN)
            ),
            Ok(more) => arrived += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!(
                "only {arrived} of {count} bytes came ({error}); a peer that \
                 waits for a line end, or for the close, looks like this: {}",
                console::escape_short(&bytes[..arrived], SHOWN)
            ),
        }
    }
    bytes
}

/// Receives one line from the peer, and returns it without its newline.
#[track_caller]
pub fn receive_line(stream: &TcpStream) -> String {
    let mut line = Vec::new();
    loop {
        match receive(stream, 1)[0] {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    String::from_utf8_lossy(&line).trim_end_matches('\r').to_string()
}

/// Receives everything until the peer closes.
#[track_caller]
pub fn receive_all(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it closes in time");
    bytes
}

/// Half-close: sends FIN, but can still receive.
#[track_caller]
pub fn half_close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).expect("a half-close");
}

/// Ends the connection with RST instead of FIN.
pub fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).expect("SO_LINGER 0");
}

/// Plays another UDP server, on a port below those of clients. An attacker has
/// forged its address as the sender of `first`. It replies to each reply, with
/// the same bytes or with `always`. Returns how many replies it got.
#[track_caller]
pub fn answer_each_other(
    server: &Server,
    first: &[u8],
    always: Option<&[u8]>,
) -> usize {
    let other = (20_000..32_000)
        .find_map(|port| UdpSocket::bind(("127.0.0.1", port)).ok())
        .expect("a free port");
    other.connect(server.address).expect("an address");
    let silence = Duration::from_millis(700);
    other.set_read_timeout(Some(silence)).expect("a limit");
    other.send(first).expect("it is sent");
    let mut buffer = [0; 1024];
    for answers in 0..5000 {
        let Ok(count) = other.recv(&mut buffer) else { return answers };
        other.send(always.unwrap_or(&buffer[..count])).expect("it is sent");
    }
    panic!("after 5000 answers they still answer each other");
}
