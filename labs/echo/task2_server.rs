//! Task 2 of handout E (ELEN4017): task1_server.rs plus step 6, the answer.
//! The other half is task2_client.rs; task3_server.rs adds the commands.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept
//!   |------- "hello" ------>|  5 recv
//!   |<------ "hello" -------|  6 send                          [E-T2]
//!   |-------- FIN --------->|  7 close    both sockets
//! ```
//!
//! Steps 1 to 5 are explained in task1_server.rs.

use std::net::SocketAddr;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // As in task1_server.rs, step 1.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // As in task1_server.rs, step 2.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // As in task1_server.rs, step 3.
    // A client that does not read is disconnected after 30 s: on Linux the
    // sockets that accept() returns inherit both limits from the listener.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    // ---- 4 accept() ------------------------------------------------------
    // As in task1_server.rs, step 4: once, so one client.
    let (client, peer) = listener.accept()?;
    say!("[{peer}] connected");

    match converse(&client, peer) {
        Ok(()) => say!("[{peer}] left"),
        Err(error) => say!("[{peer}] lost: {error}"),
    }

    // ---- 7 close() -------------------------------------------------------
    // As in task1_server.rs, step 6: the client's socket and the listener.
    client.close();
    listener.close();
    say!("bye");
    Ok(())
}

/// The conversation: each piece goes back as it came, until the client closes.
fn converse(client: &TcpSocket, peer: SocketAddr) -> Result<()> {
    let mut buffer = [0; 1024];
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // As in task1_server.rs, step 5.
        let count = client.recv(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let s = if count == 1 { "" } else { "s" };
        say!("[{peer}] {count} byte{s}: {}", console::escape(bytes));

        // ---- 6 send() ----------------------------------------------------
        // The very bytes, not a text made of them: NUL and broken UTF-8 come
        // back as they went. send_all() because a single send() may take
        // only a part.                                  [E-T2] (viva 10)
        client.send_all(bytes)?;
    }
}

/// Task 2: echoes what one client sends, then ends.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind listen accept recv send close",
    example: "echo-task2-server 127.0.0.1 12001",
};
