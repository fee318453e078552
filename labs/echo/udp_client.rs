//! Task 4 of handout E (ELEN4017): task3_client.rs over UDP. The other half
//! is udp_server.rs. Step 1 chooses UDP; everything else that differs is
//! there because a datagram can be lost.                     [E-T4]
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect            |       nothing is sent: see below
//!   |  3 send --datagram--->|   }
//!   |  4 recv <-datagram----|   }   or silence: send it again
//!   |  5 close              |       nothing is sent
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, LARGEST_DATAGRAM, UdpSocket};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3_600_000);
    let wait = Duration::from_millis(wait);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let mut found: Option<UdpSocket> = None;

    while let Some(sentence) = read_sentence()? {
        let answer = match &found {
            Some(server) => ask(server, &sentence, wait),
            // Only an echo shows which address of a name is the server's.
            None => net::try_each(&addresses, |address| {
                let server = open(address)?;
                let echo = ask(&server, &sentence, wait)?;
                found = Some(server);
                Ok(echo)
            }),
        };
        match answer {
            Ok(echo) => say!("{}", console::escape(&echo)),
            // The next sentence may fit into a datagram.
            Err(error) if is_too_long(&sentence) => warn!("{error}"),
            Err(error) => return Err(error),
        }
        if sentence == b"exit" || sentence == b"stop" {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // Gives the port back; no packet tells the server.
    if let Some(server) = found {
        server.close();
    }
    Ok(())
}

fn open(address: SocketAddr) -> Result<UdpSocket> {
    // ---- 1 socket() ------------------------------------------------------
    // SOCK_DGRAM instead of SOCK_STREAM: this argument chooses UDP.
    let server = UdpSocket::new(address)?;

    // ---- 2 connect() -----------------------------------------------------
    // Sends no packet: the kernel only notes the peer. It then drops the
    // datagrams of strangers, and tells us when the server's machine reports
    // that no socket has the port (ECONNREFUSED).
    server.connect(address)?;
    Ok(server)
}

/// Sends a datagram and waits for its echo, three times if need be. An echo
/// that arrives too late, or twice, is not taken for that of another
/// sentence: it is compared.
fn ask(server: &UdpSocket, sentence: &[u8], wait: Duration) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 65_536];
    for attempt in 1..=ATTEMPTS {
        // ---- 3 send() ----------------------------------------------------
        // Never in part: more than 65,507 bytes fail with EMSGSIZE. An
        // empty sentence is a datagram too.                     (viva 11)
        server.send(sentence)?;

        // ---- 4 recv() ----------------------------------------------------
        // One datagram, or the deadline: silence is an answer too.
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            server.set_recv_timeout(Some(left))?;
            match server.recv(&mut buffer) {
                Ok(count) => {
                    let echo = buffer.get(..count).unwrap_or_default();
                    if is_echo(echo, sentence) {
                        return Ok(echo.to_vec());
                    }
                    say!("(an echo of something else, ignored)");
                }
                Err(error) if error.is_timeout() => break,
                Err(error) => return Err(error),
            }
        }
        warn!("no echo, attempt {attempt} of {ATTEMPTS}");
    }
    Err(Error::other(
        "no echo: the datagrams were lost, or nobody listens there",
    ))
}

/// Does send() fail with EMSGSIZE?
fn is_too_long(sentence: &[u8]) -> bool {
    sentence.len() > LARGEST_DATAGRAM
}

/// All of the sentence, or what a server with a small buffer leaves of it.
fn is_echo(echo: &[u8], sentence: &[u8]) -> bool {
    echo == sentence
        || (echo.len() >= SMALLEST_BUFFER && sentence.starts_with(echo))
}

fn read_sentence() -> Result<Option<Vec<u8>>> {
    console::prompt_person("datagram (exit: leave, stop: end server): ");
    console::read_stdin_line()
}

/// How often a datagram is sent before the server counts as gone.
const ATTEMPTS: u32 = 3;

/// A server whose buffer is too small echoes the beginning of a datagram. No
/// buffer is smaller than this, so a shorter echo, "a" for "ab", is the late
/// echo of another sentence.
const SMALLEST_BUFFER: usize = 512;

/// Task 4: sends each line as a datagram, prints its echo.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// milliseconds to wait for an echo before sending again (default 1000)
    #[argh(option, default = "1000")]
    wait: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-udp-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-udp-client 127.0.0.1 12001",
};
