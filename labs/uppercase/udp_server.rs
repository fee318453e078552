//! Replies to each datagram in upper case. Handout W (Week 5), task 1 over UDP:
//! its UDPServer [W-K2] [W-E2]. The other half is udp_client.rs.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind
//!   |------ "hello" ------->|  3 recvfrom   who sent it, and what
//!   |<----- "HELLO" --------|  4 sendto     back to that address
//! ```
//!
//! Stateless, like tcp_server.rs, and without connections: one socket serves
//! all clients, without listen(), accept() or threads.       [W-T1.2]
//!
//! Limit: it replies to the address in the datagram, even if that is forged.
//! Only loops between servers end (src/socketlab/loop_guard.rs).

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::loop_guard::LoopGuard;
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM); // [W-T1.3]
    let port = args.port.for_server(args.allow_privileged);
    let room = args::in_range("--buffer", args.buffer, 1, BUFFER);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // SOCK_DGRAM means UDP. In tcp_server.rs it is SOCK_STREAM.
    let socket = UdpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // UDP has its own port numbers, separate from TCP's. Without SO_REUSEADDR a
    // second server on this port fails, instead of receiving this one's
    // datagrams. (viva 9)
    socket.bind(address)?;
    let own = socket.local_addr()?;
    net::announce(own);
    say!("The server is ready to receive");

    let mut guard = LoopGuard::new(own);
    let mut buffer = vec![0; room];
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // One datagram, or its first part, and its sender. Zero bytes are an
        // empty datagram, not an end. (viva 5)
        let (count, peer) = match socket.recvfrom(&mut buffer) {
            Ok(received) => received,
            Err(error) => {
                warn!("{error}");
                continue;
            }
        };
        let bytes = buffer.get_mut(..count).unwrap_or_default();
        if !args.quiet {
            let shown = console::message(bytes);
            let s = if count == 1 { "" } else { "s" };
            say!("[{peer}] {count} byte{s}: {shown}");
        }

        // ---- 4 sendto() --------------------------------------------------
        // a to z lose 32, all other bytes stay. A failure concerns only this
        // client; serve the others.       [W-T1.1a] [W-T1.1b] (viva 1)
        bytes.make_ascii_uppercase();
        // Not to this server itself, nor to another server in a loop.
        if guard.allow(peer)
            && let Err(error) = socket.sendto(bytes, peer)
        {
            warn!("{error}");
        }
    }
    // close() is missing, because Ctrl-C ends the loop, and the kernel closes
    // the socket. It sends nothing, so no client notices.
}

/// Large enough for the largest datagram. The skeleton has 2048: the kernel
/// cuts a longer one without an error. (try 7) (viva 7)
const BUFFER: usize = 65_536;

/// Answers every datagram, a to z in upper case.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12000; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// bytes of room for a datagram (default 65536; the handout: 2048)
    #[argh(option, hidden_help, default = "BUFFER")]
    buffer: usize,
    /// do not print what is received
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Server,
    port: 12000,
    steps: "socket bind recvfrom sendto",
    example: "uppercase-udp-server 127.0.0.1 12000",
};
