//! Task 1 of handout E (ELEN4017): sends one sentence that the user types. The
//! other half is task1_server.rs.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 connect handshake->|
//!   |  3 send --- bytes --->|                                  [E-T1]
//!   |  4 close --- FIN ---->|
//! ```

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    // The client must know the server's address and port. A name, such as
    // localhost, may have several addresses.                      [E-C1]
    let addresses = net::resolve(&args.host, args.port.0)?;
    // Rust: |address| { … } is a function without a name.
    let connect = |address| {
        // ---- 1 socket() --------------------------------------------------
        // The same call as the server's: connect() makes it a client's
        // socket, listen() a server's.                            [E-C2]
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The handshake: SYN, SYN-ACK, ACK. The kernel gives the socket a free
        // port. If no server listens, the other kernel answers RST, and
        // connect() fails with ECONNREFUSED. [E-C3] [E-I5] (viva 5) The next
        // line limits connect() and, on Linux, each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    };
    // Steps 1 and 2 for each address, until one of them connects. With
    // --retry also again each second, because the server may start later.
    let server = net::try_each_for(retry, &addresses, connect)?;

    // ---- 3 send() --------------------------------------------------------
    // The bytes that the user typed, without a newline. TCP adds no mark at
    // their end; only the close shows the server that this was all.
    console::prompt_person("sentence: ");
    if let Some(sentence) = console::read_stdin_line()? {
        server.send_all(&sentence)?;
    }

    // ---- 4 close() -------------------------------------------------------
    // The kernel sends FIN, and the server's recv() returns 0.
    server.close();
    Ok(())
}

/// Task 1: sends one sentence, then ends.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12001)
    #[argh(positional)]
    port: Port,
    /// seconds to try again while no server listens there (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Client { server: Some("echo-task1-server") },
    port: 12001,
    steps: "socket connect send close",
    example: "echo-task1-client 127.0.0.1 12001",
};
