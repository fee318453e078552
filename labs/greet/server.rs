//! A greeting for each client that connects. Handout T (Terna), simple server;
//! the other half is client.rs. Stateless: the server keeps nothing about a
//! client.
//!
//! ```text
//! client                       server (this file)
//!   |                            |  1 socket  2 bind  3 listen
//!   |-------- handshake -------->|  4 accept  one NEW socket per client
//!   |<-- "Thank you for conn…" --|  5 send                        [T-S]
//!   |<---------- FIN ------------|  6 close
//! ```
//!
//! The calls have their real names and are the system's own: nothing is
//! hidden. `call(name, …)` around each only names it in errors and in TRACE=1.
//! Run: make greet-server        Try: nc 127.0.0.1 12345

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
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
    let address = net::resolve_one(&host, port)?;
    if args.hostname {
        explain_hostname(&host, address); // [T-V4]
    }
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // Makes an endpoint in the kernel. It has no port and no peer yet, and no
    // packet is sent. Python: socket.socket(). AF_INET is IPv4, SOCK_STREAM
    // asks for a stream of bytes, and 0 for its usual protocol, TCP.
    //                                                     [T-F1] (viva 3)
    // Rust: || … is a function without a name. call() runs it, and `?` leaves
    // main with the error if it failed.
    let arguments = net::socket_arguments(address, "SOCK_STREAM");
    let listener = call("socket", None, arguments, || {
        socket(net::family(address), SocketType::STREAM, None)
    })?;

    // ---- 2 bind() --------------------------------------------------------
    // Claims the address that clients connect to.        [T-F2] (viva 13)
    // SO_REUSEADDR first: connections of the last run wait in TIME_WAIT for
    // a minute, and without the option the kernel refuses the port. (try 4)
    if !args.no_reuse {
        call("setsockopt", Some(&listener), "SO_REUSEADDR, 1", || {
            set_socket_reuseaddr(&listener, true)
        })?;
    }
    call("bind", Some(&listener), address, || bind(&listener, &address))?;

    // ---- 3 listen() ------------------------------------------------------
    // From here the KERNEL completes handshakes and queues the connections,
    // 5 + 1 on Linux. So a client is connected before accept() runs. The 5
    // does not limit how many clients are served.        [T-F3] (viva 9)
    call("listen", Some(&listener), 5, || listen(&listener, 5))?;
    let local = getsockname(&listener).ok();
    let local = local.and_then(|local| local.try_into().ok());
    let local: SocketAddr = local.unwrap_or(address);
    net::announce(local);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Blocks until the queue holds a complete connection, and returns a
        // SECOND socket for it, on the same port. `listener` never carries a
        // byte of data.                                  [T-F4] (viva 8)
        // acceptfrom() is C's accept(fd, &address, &length).
        let accepted =
            call("accept", Some(&listener), local, || acceptfrom(&listener));
        match accepted {
            Ok((client, peer)) => {
                let peer = peer.and_then(|peer| peer.try_into().ok());
                let peer: SocketAddr = peer.unwrap_or(address);
                say!("Got connection from {}", python_address(peer));
                if let Err(error) = converse(client, peer) {
                    say!("[{peer}] lost: {error}");
                }
            }
            // The client has left the queue, or the process has too many open
            // descriptors. Neither is a reason to end. Without the pause, an
            // error that stays would keep a processor busy.
            Err(error) => {
                warn!("{error}");
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// The conversation: the server sends one sentence.
fn converse(client: OwnedFd, peer: SocketAddr) -> Result<()> {
    // ---- 5 send() --------------------------------------------------------
    // Copies the bytes into the kernel's send buffer and returns; TCP sends
    // them when it can. A client that never reads does not block the server,
    // because 24 bytes always fit into an empty buffer.   [T-F7] (try 1)
    call_send(&client, peer, GREETING, || {
        send(&client, GREETING, SendFlags::empty())
    })?;

    // ---- 6 close() -------------------------------------------------------
    // Rust: drop() ends the life of a value. An OwnedFd owns a descriptor, so
    // that its drop() calls close().
    // The kernel sends FIN after the last byte, and the client reads end of
    // stream. The server closes first, so its end of the connection waits in
    // TIME_WAIT.                                                  [T-F10]
    // Limit: when a client has sent bytes that nobody read, the kernel sends
    // RST instead of FIN.
    call_close(client, drop);
    Ok(())
}

/// Prints which address the machine's own name leads to.
fn explain_hostname(host: &str, address: SocketAddr) {
    say!("gethostname() is {host}, which resolves to {}", address.ip());
    if address.ip().is_loopback() {
        say!(
            "that is loopback: other machines cannot connect, and neither \
             can a client here that asks for another loopback address"
        );
    }
}

/// The sentence for each client. It has no newline, because the handout's
/// server sends none.
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
    #[argh(switch)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "greet",
    role: Role::Server,
    port: 12345,
    steps: "socket bind listen accept send close",
    example: "greet-server 127.0.0.1 12345",
};
