//! Task 3 of handout E (ELEN4017): task2_client.rs with a loop: many
//! sentences, until the user types `stop` or `exit`. The other half is
//! task3_server.rs.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect handshake->|
//!   |  3 send --- bytes --->|  } for each line of the user
//!   |  4 recv <-- bytes ----|  }                               [E-T3]
//!   |  5 close --- FIN ---->|
//! ```
//!
//! Limit: it sends a complete sentence before it reads. If the sentence is
//! larger than all buffers on the way, both ends wait for each other in send().
//! deadlock.rs shows this; tcp_client.rs avoids it.

use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let connect = |address| {
        // ---- 1 socket() --------------------------------------------------
        // Makes an endpoint in the kernel; connect() makes it a client's.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The kernel of the server completes the handshake, also while the
        // server program serves another client; we are served later. (try 2)
        // The next line limits connect() and, on Linux, each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    };
    let server = net::try_each_for(retry, &addresses, connect)?;
    loop {
        console::prompt_person("sentence (stop or exit: leave): ");
        let Some(sentence) = console::read_stdin_line()? else { break };

        // ---- 3 send() ----------------------------------------------------
        // With a newline from here on. In a stream of several messages
        // something must mark where each one ends, otherwise "hi" and "stop"
        // sent without a pause arrive as "histop".            (viva 8)
        let newline: &[u8] = if args.bare { b"" } else { b"\n" };
        let message = [&sentence, newline].concat();
        if message.is_empty() {
            continue; // nothing to send, so no echo would come back
        }
        server.send_all(&message)?;

        // ---- 4 recv() ----------------------------------------------------
        // The echo is as long as the message, so the client counts bytes.
        let echo = read_echo(&server, message.len(), wait)?;
        let echo = echo.strip_suffix(b"\n").unwrap_or(&echo);
        say!("{}", console::escape(echo));
        if sentence == b"stop" || sentence == b"exit" {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // Sends FIN. After `stop` or `exit` the server has already sent its own.
    server.close();
    Ok(())
}

/// Exactly `size` bytes: one send() may come back in many pieces, all of
/// them within `wait` seconds.
fn read_echo(server: &TcpSocket, size: usize, wait: u64) -> Result<Vec<u8>> {
    let wait = Duration::from_secs(wait);
    let deadline = Instant::now() + wait;
    let mut echo = vec![0; size];
    let mut arrived = 0;
    while arrived < size {
        let left = deadline.saturating_duration_since(Instant::now());
        server.set_recv_timeout(Some(left))?; // at least a microsecond
        let room = echo.get_mut(arrived..).unwrap_or_default();
        match server.recv(room) {
            Ok(0) => return Err(Error::other("the server closed too early")),
            Ok(count) => arrived += count,
            Err(error) if error.is_timeout() => return Err(error.after(wait)),
            Err(error) => return Err(error),
        }
    }
    Ok(echo)
}

/// Task 3: sends each line, prints its echo; `stop` and `exit` end it.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// send no newline, as the handout's own programs do
    #[argh(switch)]
    bare: bool,
    /// seconds that a complete echo may take (default 60: a server for one
    /// client at a time may serve another first)
    #[argh(option, default = "60")]
    wait: u64,
    /// seconds to try again while no server listens there (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-task3-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-task3-client 127.0.0.1 12001",
};
