//! Task 4 of handout E (ELEN4017): task3_client.rs over UDP. The other half
//! is udp_server.rs. The change is in step 1, the socket's type; the rest of
//! the difference is that a datagram can be lost.            [E-T4]
//!
//!     client (this file)      server
//!       |  1 socket             |
//!       |  2 connect            |       nothing is sent: see below
//!       |  3 send --datagram--->|   }
//!       |  4 recv <-datagram----|   }   or silence: send it again
//!       |  5 close              |       nothing is sent

use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program};
use socketlab::net::{self, UdpSocket};
use socketlab::{Error, Result, console, say, warn};

/// How often a datagram is sent before the server counts as gone.
const ATTEMPTS: u32 = 3;

const PROGRAM: Program = Program {
    lab: "echo",
    role: "client",
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-udp-client 127.0.0.1 12001",
};

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

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3_600_000);
    let address = net::resolve_one(&args.host, args.port.0)?;

    // ---- 1 socket() ------------------------------------------------------
    // SOCK_DGRAM instead of SOCK_STREAM: this argument chooses UDP.
    let server = UdpSocket::new(address)?;

    // ---- 2 connect() -------------------------------------------------
    // No handshake, not a packet: the kernel notes the peer. It then drops
    // datagrams of strangers, and tells us when the server's machine says
    // that nobody has the port (ECONNREFUSED).
    server.connect(address)?;

    while let Some(sentence) = read_sentence()? {
        match ask(&server, &sentence, Duration::from_millis(wait)) {
            Ok(echo) => say!("{}", console::escape(&echo)),
            // This one is too long for a datagram; the next may fit.
            Err(error) if error.call() == "send" => warn!("{error}"),
            Err(error) => return Err(error),
        }
        if sentence == b"exit" || sentence == b"stop" {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    server.close();
    Ok(())
}

/// Sends a datagram and waits for its echo, three times if need be. An echo
/// that arrives too late, or twice, is not taken for that of another
/// sentence: it is compared.
fn ask(server: &UdpSocket, sentence: &[u8], wait: Duration) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 65_536];
    for attempt in 1..=ATTEMPTS {
        // ---- 3 send() ----------------------------------------------------
        // Whole or not at all: more than 65,507 bytes fail with EMSGSIZE.
        // An empty sentence is a datagram too.                  (viva 11)
        server.send(sentence)?;

        // ---- 4 recv() ----------------------------------------------------
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
                    // The server's buffer may have cut ours: still an echo.
                    if sentence.starts_with(echo)
                        && echo.is_empty() == sentence.is_empty()
                    {
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

fn read_sentence() -> Result<Option<Vec<u8>>> {
    console::prompt_person("datagram (stop: end the server): ");
    console::read_stdin_line()
}
