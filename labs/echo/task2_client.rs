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
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let connect = |address| {
        // ---- 1 socket() --------------------------------------------------
        // Makes an endpoint in the kernel; connect() makes it a client's.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The handshake, for which the kernel gives the socket a free port. The
        // next line limits connect() and, on Linux, each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    };
    let server = net::try_each_for(retry, &addresses, connect)?;

    // ---- 3 send() --------------------------------------------------------
    // The bytes that were typed, without a newline. The connection stays
    // open for the echo, so the close no longer shows where the sentence ends.
    console::prompt_person("sentence: ");
    let sentence = console::read_stdin_line()?.unwrap_or_default();
    server.send_all(&sentence)?;

    // ---- 4 recv() --------------------------------------------------------
    // One send() is not one recv(): a long echo comes in pieces, so the
    // client calls recv() until every byte is back.              (viva 8)
    let echo = read_echo(&server, sentence.len(), wait)?;
    say!("{}", console::escape(&echo));

    // ---- 5 close() -------------------------------------------------------
    // Sends FIN. The server's recv() returns 0, and the server closes, too.
    server.close();
    Ok(())
}

/// Exactly `size` bytes, all of them within `wait` seconds. With `wait` for
/// each recv(), a server that sends one byte now and then would block the
/// client without end. Task 1's server never replies, so some limit is needed.
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

/// Task 2: sends one sentence, prints its echo, then ends.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// seconds that the complete echo may take (default 10)
    #[argh(option, default = "10")]
    wait: u64,
    /// seconds to try again while no server listens there (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-task2-server") },
    port: 12001,
    steps: "socket connect send recv close",
    example: "echo-task2-client 127.0.0.1 12001",
};
