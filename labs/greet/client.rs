//! Prints what a server says first. Handout T (Terna), simple client; the
//! other half is server.rs. It is also a banner reader for every service
//! that speaks first: SMTP says 220, POP3 +OK, IMAP * OK.    [D-Q1] [T-M]
//!
//! ```text
//! client (this file)           server
//!   |  1 socket                  |
//!   |  2 connect  - handshake -->|
//!   |  3 recv  <----- bytes -----|  until end of stream           [T-C]
//!   |  4 close ------ FIN ------>|
//! ```
//!
//! The calls are the system's own, as in server.rs.
//! Run: make greet-client        against a mail server: greet-client HOST 25

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SocketType, connect, recv, socket};
use socketlab::args::{self, Port, Program};
use socketlab::net::{self, call, call_close, call_connect, call_recv};
use socketlab::{Error, Result, console, say};

/// Most that is read: a greeting is short, and an endless one is no greeting.
const MOST: usize = 64 * 1024; // bytes

const PROGRAM: Program = Program {
    lab: "greet",
    role: "client",
    port: 12345,
    steps: "socket connect recv close",
    example: "greet-client 127.0.0.1 12345",
};

/// Prints what the server says, until it closes or falls silent.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12345)
    #[argh(positional)]
    port: Port,
    /// seconds the server has to accept, and again to greet (default 5)
    #[argh(option, default = "5")]
    wait: u64,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let wait = Duration::from_secs(wait);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let (server, address) = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // The same call as in the server: what makes a socket a client's is
        // what happens next.                             [T-F1] (viva 1)
        let arguments = net::socket_arguments(address, "SOCK_STREAM");
        let server = call("socket", None, arguments, || {
            socket(net::family(address), SocketType::STREAM, None)
        })?;

        // ---- 2 connect() -------------------------------------------------
        // The handshake: SYN, SYN-ACK, ACK. The kernel picks our port, which
        // is why a client needs no bind(). Nobody listening there answers
        // SYN with RST: ECONNREFUSED.                    [T-F5] (try 6)
        // Silence would take two minutes. SO_SNDTIMEO, the WRITE timeout,
        // shortens it: on Linux connect() counts as sending, the SYN. Its
        // errno is then EINPROGRESS, which is printed as "timed out".
        let limit = format!("SO_SNDTIMEO, {wait:?}");
        call("setsockopt", Some(&server), limit, || {
            set_socket_timeout(&server, Timeout::Send, Some(wait))
        })?;
        call_connect(&server, address, || connect(&server, &address))?;
        Ok((server, address))
    })?;

    // ---- 3 recv() --------------------------------------------------------
    // One recv() gives what has arrived by then: a part of the greeting, all
    // of it, never a "message". Only 0 says that there is no more, so we ask
    // until then; the handout's single recv(1024) hopes.  [T-F6] (try 2)
    let heard = hear(&server, address, wait)?;
    if heard == 0 {
        let text = format!("{address} closed the connection without a word");
        return Err(Error::other(text));
    }

    // ---- 4 close() -------------------------------------------------------
    // Answers the server's FIN with ours; the descriptor is free again. In
    // Rust drop() does it: see server.rs.                         [T-F10]
    call_close(server, drop);
    Ok(())
}

/// Prints what arrives until end of stream, for `wait` and for [`MOST`] bytes
/// at most, and returns how many bytes that was.
fn hear(
    server: &OwnedFd,
    address: SocketAddr,
    wait: Duration,
) -> Result<usize> {
    let deadline = Instant::now() + wait;
    let mut buffer = [0; 1024];
    let mut heard = 0;
    let mut line = Vec::new();
    while heard < MOST {
        // SO_RCVTIMEO bounds recv(): a server that waits for us to speak
        // first would otherwise be waited for in turn, for ever. One deadline
        // for the whole greeting: with `wait` for each recv(), a byte every
        // few seconds would keep us for days. At least a millisecond, because
        // a limit of 0 means none.
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = left.max(Duration::from_millis(1));
        call("setsockopt", Some(server), "SO_RCVTIMEO", || {
            set_socket_timeout(server, Timeout::Recv, Some(limit))
        })?;
        let received = call_recv(server, address, &mut buffer, |buffer| {
            recv(server, buffer, RecvFlags::empty())
        });
        let late = left.is_zero() && heard > 0;
        match received {
            Ok(0) => break,
            Ok(count) if !late => {
                heard += count;
                let bytes = buffer.get(..count).unwrap_or_default();
                print_lines(&mut line, bytes);
            }
            Err(error) if heard == 0 || !error.is_timeout() => {
                print_rest(&line);
                return Err(error);
            }
            // It keeps the connection open, mostly for a command of ours.
            Ok(_) | Err(_) => {
                print_rest(&line);
                say!(
                    "(still open: the server waits for us, or drips. Leaving)"
                );
                return Ok(heard);
            }
        }
    }
    print_rest(&line);
    Ok(heard)
}

/// Prints whole lines and keeps the rest: a split line must not print as two.
fn print_lines(line: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'\n' => {
                let text = line.strip_suffix(b"\r").unwrap_or(line);
                say!("{}", console::escape(text));
                line.clear();
            }
            byte => line.push(byte),
        }
    }
}

fn print_rest(line: &[u8]) {
    if !line.is_empty() {
        say!("{}", console::escape(line));
    }
}
