//! Asks for the date or the time, again and again: question 3 of handout G,
//! literally. The other half is plain_server.rs; client.rs is the next stage.
//!
//! ```text
//! client (this file)          server
//!   |  1 socket                 |
//!   |  2 sendto --- SEND_DATE ->|  or SEND_TIME, at random
//!   |  3 recvfrom  2026-02-28 <-|  printed                   [G-3b]
//!   |    1 to 2 seconds         |  then again from 2         [G-3c]
//!   |  4 close                  |
//! ```

use std::thread;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let mut addresses = net::resolve(&args.host, args.port.0)?;
    addresses.sort_by_key(|address| address.is_ipv6()); // IPv4 first
    let Some(&server) = addresses.first() else { return Ok(()) };

    // ---- 1 socket() ------------------------------------------------------
    // Python: socket.socket(AF_INET, SOCK_DGRAM). C: socket(). Without
    // bind(): the first sendto() gives it a free port, which the server sees.
    let socket = UdpSocket::new(server)?;
    // A lost datagram would make recvfrom() wait without end. After 1 s it
    // fails with EAGAIN. Python: settimeout(1).                   (viva 7)
    socket.set_recv_timeout(Some(Duration::from_secs(1)))?;

    let mut buffer = [0; 1024];
    let mut next = Instant::now();
    let mut answered = false;
    for _ in 0..args.count.unwrap_or(u64::MAX) {
        // Python: time.sleep(random.uniform(1, 2)). Here the time for the reply
        // is part of the 1 to 2 seconds. [G-3c]
        thread::sleep(next.saturating_duration_since(Instant::now()));
        let gap = rand::random_range(1.0..=2.0);
        next = Instant::now() + Duration::from_secs_f64(gap);
        let request = match rand::random() {
            true => "SEND_DATE",
            false => "SEND_TIME",
        };

        // ---- 2 sendto() --------------------------------------------------
        // One datagram. The call also succeeds if no server runs, because UDP
        // has no handshake. (viva 4)
        socket.sendto(request.as_bytes(), server)?;

        // ---- 3 recvfrom() ------------------------------------------------
        // Waits for one datagram, and prints it. [G-3b] Limit: a reply that
        // comes after 1 s is taken for the reply to the next request, and any
        // program may send one. client.rs detects both. (viva 9) (try 5) (try
        // 6)
        match socket.recvfrom(&mut buffer) {
            Ok((count, _)) => {
                let answer = buffer.get(..count).unwrap_or_default();
                say!("{request}: {}", console::escape(answer));
                answered = true;
            }
            Err(error) if error.is_timeout() => {
                say!("{request}: no answer within 1 s: lost, or no server");
            }
            Err(error) => return Err(error),
        }
    }

    // ---- 4 close() -------------------------------------------------------
    // Releases the port. Nothing is sent.
    socket.close();
    if !answered {
        return Err(Error::other("no answer at all: does a server run?"));
    }
    Ok(())
}

/// Asks for date and time at random, every 1 to 2 s, until Ctrl-C.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12003)
    #[argh(positional)]
    port: Port,
    /// how many requests (default: until Ctrl-C)
    #[argh(option)]
    count: Option<u64>,
}

const PROGRAM: Program = Program {
    lab: "datetime",
    role: Role::Client { server: Some("datetime-plain-server") },
    port: 12003,
    steps: "socket sendto recvfrom close",
    example: "datetime-plain-client 127.0.0.1 12003 --count 5",
};
