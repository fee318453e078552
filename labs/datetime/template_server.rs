//! UDP, as short as possible: a server that replies to every datagram. Handout
//! G (IIT Goa), question 1 [G-1]; the other half is template_client.rs.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind
//!   |----- datagram ------->|  3 recvfrom
//!   |<---- datagram --------|  4 sendto
//! ```
//!
//! Stateless: after the reply the server stores nothing about the client. TCP's
//! steps beside these: `socketlab steps datetime-template-server
//! calculator-template-server`.

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::loop_guard::LoopGuard;
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // SOCK_DGRAM means UDP, so listen() and accept() are not needed. Python:
    // socket.socket(AF_INET, SOCK_DGRAM) C: socket()
    let socket = UdpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // A client must know the server's port, so the server chooses it. (viva 6)
    socket.bind(address)?;
    let own = socket.local_addr()?;
    net::announce(own);

    let mut guard = LoopGuard::new(own);
    let mut buffer = [0; 2048]; // a longer datagram is cut, its rest is lost
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // Waits for a datagram; returns its bytes and its sender's address. The
        // next one may come from another client. (viva 1)
        let (count, client) = match socket.recvfrom(&mut buffer) {
            Ok(received) => received,
            Err(error) => {
                warn!("{error}");
                continue;
            }
        };
        let message = buffer.get(..count).unwrap_or_default();
        say!("[{client}] {}", console::message(message));

        // ---- 4 sendto() --------------------------------------------------
        // The server knows only the address that recvfrom() returned. It may be
        // forged: this server's own, or that of a server that replies to
        // replies.
        if guard.allow(client)
            && let Err(error) = socket.sendto(b"Hello from the server", client)
        {
            warn!("{error}");
        }
    }
}

/// Prints each datagram and replies to it.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12003; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "datetime",
    role: Role::Server,
    port: 12003,
    steps: "socket bind recvfrom sendto",
    example: "datetime-template-server 127.0.0.1 12003",
};
