//! The UDP echo client to use: as task4_client.rs, but it repeats a lost
//! datagram and recognises its echo. The other half is udp_server.rs. [E-T4]
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect            |       nothing is sent: see below
//!   |  3 send --datagram--->|   }
//!   |  4 recv <-datagram----|   }   or silence: send it again
//!   |  5 close              |       nothing is sent
//! ```

use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, LARGEST_DATAGRAM, UdpSocket};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3_600_000);
    let wait = Duration::from_millis(wait);
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let open = |address| -> Result<UdpSocket> {
        // ---- 1 socket() --------------------------------------------------
        // The argument SOCK_DGRAM instead of SOCK_STREAM makes it UDP.
        let server = UdpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // Sends no packet; the kernel only stores the peer's address. It then
        // drops other senders' datagrams, and if the server's machine reports
        // that no socket has the port, the next call fails with ECONNREFUSED.
        // Without connect(), as in task4_client.rs, it would not.  (viva 5)
        server.connect(address)?;
        Ok(server)
    };
    let mut found: Option<UdpSocket> = None;
    let mut too_long = 0;

    while let Some(sentence) = read_sentence()? {
        let answer = match &found {
            Some(server) => ask(server, &sentence, wait),
            // Only an echo shows which address of a name is the server's.
            None => net::try_each_for(retry, &addresses, |address| {
                let server = open(address)?;
                let echo = ask(&server, &sentence, wait)?;
                found = Some(server);
                Ok(echo)
            }),
        };
        match answer {
            Ok(echo) => say!("{}", console::escape(&echo)),
            // The next sentence may be short enough for a datagram.
            Err(error) if is_too_long(&sentence) => {
                warn!("{error}");
                too_long += 1;
            }
            Err(error) => return Err(error),
        }
        if sentence == b"exit" || sentence == b"stop" {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // Releases the port; nothing is sent.
    if let Some(server) = found {
        server.close();
    }
    match too_long {
        0 => Ok(()),
        count => Err(Error::other(format!("not sent, too long: {count}"))),
    }
}

/// Sends a datagram and waits for its echo, up to three times. It compares the
/// echo, so that a late or double echo of another sentence is not accepted.
fn ask(server: &UdpSocket, sentence: &[u8], wait: Duration) -> Result<Vec<u8>> {
    let mut buffer = vec![0; 65_536];
    for attempt in 1..=ATTEMPTS {
        // ---- 3 send() ----------------------------------------------------
        // Complete or not at all: more than 65,507 bytes fail with EMSGSIZE. An
        // empty sentence is an empty datagram. (viva 11)
        server.send(sentence)?;

        // ---- 4 recv() ----------------------------------------------------
        // Returns one datagram, or fails after the time limit; then the client
        // sends again.
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
        "no echo: the datagrams were lost, or no server has that port",
    ))
}

/// Does send() fail with EMSGSIZE?
fn is_too_long(sentence: &[u8]) -> bool {
    sentence.len() > LARGEST_DATAGRAM
}

/// Is this the sentence, or its first part from a server with a small buffer?
fn is_echo(echo: &[u8], sentence: &[u8]) -> bool {
    echo == sentence
        || (echo.len() >= SMALLEST_BUFFER && sentence.starts_with(echo))
}

fn read_sentence() -> Result<Option<Vec<u8>>> {
    console::prompt_person("datagram (stop or exit: leave): ");
    console::read_stdin_line()
}

/// How often a datagram is sent before the server counts as gone.
const ATTEMPTS: u32 = 3;

/// A server whose buffer is too small echoes the first part of a datagram.
/// Buffers are not smaller than this, so a shorter echo, "a" for "ab", is the
/// late echo of another sentence.
const SMALLEST_BUFFER: usize = 512;

/// Sends each line as a datagram and prints its echo; repeats lost datagrams.
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
    /// seconds to try again while no server listens there (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-udp-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-udp-client 127.0.0.1 12001",
};
