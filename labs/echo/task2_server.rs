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
    // An endpoint in the kernel, without a port and without a peer.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The address and port that clients connect to. SO_REUSEADDR: also while
    // connections of the last run wait in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here the kernel completes handshakes and queues about 5 of them.
    // Two limits of 30 s: send() fails if the client does not read, and the
    // kernel ends the connection if the client acknowledges nothing. On
    // Linux the sockets that accept() returns inherit both limits.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    // ---- 4 accept() ------------------------------------------------------
    // Returns a new socket for the first client in the queue. It is not
    // in a loop, so the server serves one client and ends.
    let (client, peer) = listener.accept()?;
    say!("[{peer}] connected");

    match converse(&client, peer) {
        Ok(()) => say!("[{peer}] left"),
        Err(error) => say!("[{peer}] lost: {error}"),
    }

    // ---- 7 close() -------------------------------------------------------
    // The client's socket and the listener: FIN to the client, and the port
    // is free again.
    client.close();
    listener.close();
    say!("bye");
    Ok(())
}

/// The conversation: sends each piece back unchanged until the client closes.
fn converse(client: &TcpSocket, peer: SocketAddr) -> Result<()> {
    let mut buffer = [0; 1024];
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // What has arrived, at least one byte; 0 is end of stream.
        let count = client.recv(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let s = if count == 1 { "" } else { "s" };
        say!("[{peer}] {count} byte{s}: {}", console::escape(bytes));

        // ---- 6 send() ----------------------------------------------------
        // The same bytes, not a text made of them: NUL and invalid UTF-8 come
        // back as they went. send_all(), because a single send() may take
        // only a part. Python: sendall().               [E-T2] (viva 10)
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
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind listen accept recv send close",
    example: "echo-task2-server 127.0.0.1 12001",
};
