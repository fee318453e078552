//! Task 3 of handout E (ELEN4017): task2_client.rs with a loop: many
//! sentences, until the user has had enough. The other half is
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
//! Limit: it sends a whole sentence before it reads. A sentence larger than
//! all buffers on the way stops both ends for ever: see deadlock.rs, and
//! tcp_client.rs for the cure.

use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let wait = Duration::from_secs(wait);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // As in task1_client.rs, step 1.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // As in task1_client.rs, step 2. Success is no turn yet: the kernel
        // answers for a server that still serves somebody else.    (try 3)
        // On Linux connect() waits 10 s at most, and so does each send().
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;
    loop {
        console::prompt_person("sentence (exit: leave, stop: end server): ");
        let Some(sentence) = console::read_stdin_line()? else { break };

        // ---- 3 send() ----------------------------------------------------
        // With a line end, from here on: in a stream of several messages
        // something must say where each one stops, or "hi" and "stop" sent
        // in a hurry arrive as "histop".               [E-T3] (viva 8)
        let mut message = sentence.clone();
        if !args.bare {
            message.push(b'\n');
        }
        // No bytes, no segment: nothing would come back.
        if message.is_empty() {
            continue;
        }
        server.send_all(&message)?;

        // ---- 4 recv() ----------------------------------------------------
        // The echo is as long as the message, so this counts bytes.
        let echo = read_echo(&server, message.len(), wait)?;
        let echo = echo.strip_suffix(b"\n").unwrap_or(&echo);
        say!("{}", console::escape(echo));
        if sentence == b"exit" || sentence == b"stop" {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // FIN. After `exit` or `stop` the server has sent its own already.
    server.close();
    Ok(())
}

/// Exactly `size` bytes: one send() may come back in many pieces, all of
/// them before one deadline.
fn read_echo(
    server: &TcpSocket,
    size: usize,
    wait: Duration,
) -> Result<Vec<u8>> {
    let deadline = Instant::now() + wait;
    let mut echo = vec![0; size];
    let mut arrived = 0;
    while arrived < size {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let text = format!("{arrived} of {size} bytes came in {wait:?}");
            return Err(Error::other(text));
        }
        server.set_recv_timeout(Some(left))?;
        let room = echo.get_mut(arrived..).unwrap_or_default();
        match server.recv(room)? {
            0 => return Err(Error::other("the server closed too early")),
            count => arrived += count,
        }
    }
    Ok(echo)
}

/// Task 3: sends each line, prints its echo; `exit` and `stop` end it.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// send no line end, for servers that compare recv() with b"stop"
    #[argh(switch)]
    bare: bool,
    /// seconds that an echo may take, as a whole (default 60: the sequential
    /// server may let us wait for our turn)
    #[argh(option, default = "60")]
    wait: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-task3-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-task3-client 127.0.0.1 12001",
};
