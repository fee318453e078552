//! Prints what a server sends first: plain_client.rs with time limits. It
//! reads the greeting, called banner, of each service that speaks first and
//! then waits for the client: SMTP sends 220, POP3 +OK, IMAP * OK.
//!                                                        [D-Q1] [T-M]
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
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, call, call_close, call_connect, call_recv};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let wait = Duration::from_secs(wait);
    let host = if args.hostname { net::hostname() } else { args.host };
    let addresses = net::resolve(&host, args.port.0)?;
    let (server, address) = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // The same call as in the server: the next call makes this socket a
        // client's.                                      [T-F1] (viva 1)
        let arguments = net::socket_arguments(address, "SOCK_STREAM");
        let server = call("socket", None, arguments, || {
            socket(net::family(address), SocketType::STREAM, None)
        })?;

        // ---- 2 connect() -------------------------------------------------
        // The handshake: SYN, SYN-ACK, ACK. The kernel picks our port, which
        // is why a client needs no bind(). If no server listens there, the
        // other kernel answers the SYN with RST: ECONNREFUSED.
        //                                                 [T-F5] (try 6)
        // Without an answer, connect() would block for two minutes. On Linux
        // SO_SNDTIMEO shortens that, because connect() sends the SYN. The
        // errno is then EINPROGRESS, and the error says "timed out".
        let limit = format!("SO_SNDTIMEO, {wait:?}");
        call("setsockopt", Some(&server), limit, || {
            set_socket_timeout(&server, Timeout::Send, Some(wait))
        })?;
        call_connect(&server, address, || connect(&server, &address))?;
        Ok((server, address))
    })?;

    // ---- 3 recv() --------------------------------------------------------
    // One recv() returns what has arrived by then: a part of the greeting or
    // all of it, because TCP has no messages. Only 0 says that nothing more
    // will come, so the client calls recv() until then. The handout's single
    // recv(1024) may print a part.                        [T-F6] (try 2)
    let received = print_greeting(&server, address, wait)?;
    if received == 0 {
        let text = format!("{address} closed the connection without a word");
        return Err(Error::other(text));
    }

    // ---- 4 close() -------------------------------------------------------
    // Answers the server's FIN with ours and frees the descriptor.  [T-F10]
    call_close(server, drop);
    Ok(())
}

/// Prints what arrives until end of stream, for `wait` and for [`MOST`] bytes
/// at most, and returns how many bytes that was.
fn print_greeting(
    server: &OwnedFd,
    address: SocketAddr,
    wait: Duration,
) -> Result<usize> {
    let deadline = Instant::now() + wait;
    let mut buffer = [0; 1024];
    let mut total = 0;
    let mut line = Vec::new();
    while total < MOST {
        // SO_RCVTIMEO bounds recv(), because some servers wait for the client
        // to speak first. The deadline is for the complete greeting: with
        // `wait` for each recv(), a server that sends one byte every few
        // seconds would keep the client for days. The limit is at least a
        // millisecond, because 0 would mean no limit.
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = left.max(Duration::from_millis(1));
        let option = format!("SO_RCVTIMEO, {limit:?}");
        call("setsockopt", Some(server), option, || {
            set_socket_timeout(server, Timeout::Recv, Some(limit))
        })?;
        let received = call_recv(server, address, &mut buffer, |buffer| {
            recv(server, buffer, RecvFlags::empty())
        });
        let late = left.is_zero() && total > 0;
        match received {
            Ok(0) => break,
            Ok(count) if !late => {
                total += count;
                let bytes = buffer.get(..count).unwrap_or_default();
                print_lines(&mut line, bytes);
            }
            Err(error) if total == 0 && error.is_timeout() => {
                return Err(error.after(wait));
            }
            Err(error) if !error.is_timeout() => {
                print_rest(&line);
                return Err(error);
            }
            // The server keeps the connection open, mostly for a command.
            Ok(_) | Err(_) => {
                print_rest(&line);
                say!("(the server keeps the connection open; leaving)");
                return Ok(total);
            }
        }
    }
    print_rest(&line);
    Ok(total)
}

/// Prints complete lines and keeps the rest, so that a line that came in two
/// parts is printed as one.
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

/// The client reads this many bytes at most: a greeting is short, and a server
/// could send without end.
const MOST: usize = 64 * 1024; // bytes

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
    /// connect to the address of gethostname(), as the handout does
    #[argh(switch)]
    hostname: bool,
}

const PROGRAM: Program = Program {
    lab: "greet",
    role: Role::Client { server: Some("greet-server") },
    port: 12345,
    steps: "socket connect recv close",
    example: "greet-client 127.0.0.1 12345",
};
