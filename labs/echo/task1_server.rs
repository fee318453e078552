//! Task 1 of handout E (ELEN4017): prints what one client sends. The other
//! half is task1_client.rs; task2_server.rs adds the answer.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   a NEW socket for this client
//!   |------- "hello" ------>|  5 recv
//!   |-------- FIN --------->|  6 close    both sockets          [E-T1]
//! ```
//!
//! What the handout asks for, literally: the server serves one client and ends.
//! It has no threads and no loop around accept(); later stages add them.

use std::net::SocketAddr;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged); // [E-I6] (viva 4)
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?; // Ctrl-C ends this program

    // ---- 1 socket() ------------------------------------------------------
    // Makes an endpoint in the kernel and nothing more: no port, no peer, no
    // packet is sent. Python: socket.socket(AF_INET, SOCK_STREAM).   [E-S1]
    // Rust: `?` ends main() with an error line that names the call.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Claims the address and port that clients connect to. A client skips
    // this step, because connect() chooses a free port for it.      [E-S2]
    // SO_REUSEADDR lets a new run bind while connections of the last one
    // wait in TIME_WAIT; without it bind() fails with EADDRINUSE.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here the KERNEL completes handshakes and queues about 5 of them,
    // so a client can be "connected" before accept() runs. Without this
    // call the kernel answers a client's SYN with RST.              [E-S3]
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    // ---- 4 accept() ------------------------------------------------------
    // Blocks until the queue holds a client, then returns a SECOND socket
    // for it. `listener` never carries a byte.   [E-S4] (viva 1) (viva 2)
    let (client, peer) = listener.accept()?;
    say!("[{peer}] connected");

    match converse(&client, peer) {
        Ok(()) => say!("[{peer}] left"),
        Err(error) => say!("[{peer}] lost: {error}"),
    }

    // ---- 6 close() -------------------------------------------------------
    // Two sockets, two closes. Clients that come now are refused. The port is
    // free at once, because the client closed first (else see step 2). [E-S6]
    client.close();
    listener.close();
    say!("bye");
    Ok(())
}

/// The conversation: what one client sends, until it closes.
fn converse(client: &TcpSocket, peer: SocketAddr) -> Result<()> {
    let mut buffer = [0; 1024];
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // Blocks until bytes arrive, and returns what is there: a long
        // sentence comes in pieces, two short ones may come in one. 0 is end
        // of stream: the client has closed. [E-S5] (viva 3) (viva 7)
        let count = client.recv(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        // Escaped: a terminal would obey control characters of the client.
        let bytes = buffer.get(..count).unwrap_or_default();
        let s = if count == 1 { "" } else { "s" };
        say!("[{peer}] {count} byte{s}: {}", console::escape(bytes));
    }
}

/// Task 1: prints what one client sends, then ends.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind listen accept recv close",
    example: "echo-task1-server 127.0.0.1 12001",
};
