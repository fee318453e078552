//! A greeting for each client that connects. Handout T (Terna), simple server;
//! the other half is plain_client.rs. Stateless: it remembers no client.
//!
//! ```text
//! client                       server (this file)
//!   |                            |  1 socket  2 bind  3 listen
//!   |-------- handshake -------->|  4 accept  one NEW socket per client
//!   |<-- "Thank you for conn…" --|  5 send                        [T-S]
//!   |<---------- FIN ------------|  6 close
//! ```

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use rustix::net::sockopt::set_socket_reuseaddr;
use rustix::net::{SendFlags, SocketType};
use rustix::net::{acceptfrom, bind, getsockname, listen, send, socket};
use socketlab::args::{self, Port, Program, Role};
use socketlab::console::python_address;
use socketlab::net::{self, call, call_close, call_send};
use socketlab::{Result, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let host = if args.hostname { net::hostname() } else { args.host };
    let address = net::resolve_one(&host, port)?; // [T-V4] (try 5)
    if args.hostname {
        say!("gethostname() is {host}, which resolves to {}", address.ip());
    }
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // Makes an endpoint in the kernel, without a port and a peer. Python:
    // socket.socket(). AF_INET: IPv4; SOCK_STREAM: TCP. [T-F1] (viva 5) Rust:
    // || … is a function without a name. call() runs it; if it fails, the error
    // has the call's name, and `?` returns it from main.
    let arguments = net::socket_arguments(address, "SOCK_STREAM");
    let listener = call("socket", None, arguments, || {
        socket(net::family(address), SocketType::STREAM, None)
    })?;

    // ---- 2 bind() --------------------------------------------------------
    // Claims the address that clients connect to. After a close the kernel
    // keeps a connection for a minute (TIME_WAIT). SO_REUSEADDR: bind()
    // succeeds in that time. [T-F2] (viva 13) (try 4)
    if !args.no_reuse {
        call("setsockopt", Some(&listener), "SO_REUSEADDR, 1", || {
            set_socket_reuseaddr(&listener, true)
        })?;
    }
    call("bind", Some(&listener), address, || bind(&listener, &address))?;

    // ---- 3 listen() ------------------------------------------------------
    // From here the KERNEL completes handshakes and queues 5 + 1 of them, so
    // a client is connected before accept() runs.       [T-F3] (viva 11)
    call("listen", Some(&listener), 5, || listen(&listener, 5))?;
    let local = getsockname(&listener).ok();
    let local = local.and_then(|local| local.try_into().ok());
    net::announce(local.unwrap_or(address));

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Blocks until the queue holds a complete connection, and returns a
        // SECOND socket for it, on the same port. `listener` never carries a
        // byte of data. C: accept(fd, &address, &length). [T-F4] (viva 12)
        let accepted =
            call("accept", Some(&listener), address, || acceptfrom(&listener));
        let (client, peer) = match accepted {
            Ok(accepted) => accepted,
            // The client has left the queue, or no descriptor is free.
            Err(error) => {
                warn!("{error}");
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        let peer = peer.and_then(|peer| peer.try_into().ok());
        let peer: SocketAddr = peer.unwrap_or(address);
        say!("Got connection from {}", python_address(peer));

        // ---- 5 send() ----------------------------------------------------
        // Copies the bytes into the kernel's buffer and returns. 24 bytes fit,
        // so this never waits for a client.    [T-F7] (viva 18) (try 1)
        let sent = call_send(&client, peer, GREETING, || {
            send(&client, GREETING, SendFlags::empty())
        });
        if let Err(error) = sent {
            say!("[{peer}] lost: {error}");
        }

        // ---- 6 close() ---------------------------------------------------
        // The kernel sends FIN, so the client's recv() returns 0. The side
        // that closes first keeps TIME_WAIT. Rust: drop closes it. [T-F10]
        // Limit: if the client sent bytes, the kernel sends RST, not FIN.
        call_close(client, drop);
    }
}

/// Without a newline, as the handout sends it.
const GREETING: &[u8] = b"Thank you for connecting";

/// Greets every client and closes the connection.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12345; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// bind the address of gethostname(), as the handout does
    #[argh(switch)]
    hostname: bool,
    /// leave SO_REUSEADDR out, to see what a restart does then (try 4)
    #[argh(switch)]
    no_reuse: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "greet",
    role: Role::Server,
    port: 12345,
    steps: "socket bind listen accept send close",
    example: "greet-server 127.0.0.1 12345",
};
