//! Task 2 of handout E (ELEN4017): task1_client.rs plus step 4, the answer.
//! The other half is task2_server.rs.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect handshake->|
//!   |  3 send --- bytes --->|
//!   |  4 recv <-- bytes ----|                                  [E-T2]
//!   |  5 close --- FIN ---->|
//! ```

use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let wait = args::in_range("--wait", args.wait, 1, 3600);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // As in task1_client.rs, step 1.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // As in task1_client.rs, step 2.
        // On Linux connect() waits 10 s at most, and so does each send().
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;

    // ---- 3 send() --------------------------------------------------------
    // As in task1_client.rs, but the connection stays open: the close can
    // no longer say that the sentence is whole.
    console::prompt_person("sentence: ");
    let sentence = console::read_stdin_line()?.unwrap_or_default();
    server.send_all(&sentence)?;

    // ---- 4 recv() --------------------------------------------------------
    // One send() is not one recv(): a long echo comes in pieces, so count
    // until every byte is back. All of it within 10 s: a server that prints
    // and never answers (task 1) would hold us for ever, and so would one
    // that drips, if each recv() had 10 s of its own.            (viva 8)
    let deadline = Instant::now() + Duration::from_secs(wait);
    let mut echo = vec![0; sentence.len()];
    let mut arrived = 0;
    while arrived < echo.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let size = echo.len();
            let text = format!("{arrived} of {size} bytes came in {wait} s");
            return Err(Error::other(text));
        }
        server.set_recv_timeout(Some(left))?;
        let room = echo.get_mut(arrived..).unwrap_or_default();
        match server.recv(room)? {
            0 => return Err(Error::other("the server closed too early")),
            count => arrived += count,
        }
    }
    say!("{}", console::escape(&echo));

    // ---- 5 close() -------------------------------------------------------
    // FIN: the server, which has waited for more, sees the end and leaves.
    server.close();
    Ok(())
}

/// Task 2: sends one sentence, prints its echo, then ends.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// seconds that an echo may take, as a whole (default 10)
    #[argh(option, default = "10")]
    wait: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-task2-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-task2-client 127.0.0.1 12001",
};
