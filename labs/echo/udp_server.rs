//! The UDP echo server to use: task4_server.rs, with a limit that ends a loop
//! between two servers. The other half is udp_client.rs.      [E-T4]
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind
//!   |------ datagram ------>|  3 recvfrom   who sent it, and what
//!   |<----- datagram -------|  4 sendto     back to that address
//!   |                       |  5 close
//! ```
//!
//! Stateless: one socket serves all clients, and no client is "connected".
//! So `stop` and `exit` have nothing to end here. They are echoed, and the
//! client leaves. A sender's address can be forged, so that a server that
//! obeyed `stop` would obey anybody.

use argh::{ArgsInfo, FromArgs};
use echo::command::Command;
use socketlab::args::{self, Port, Program, Role};
use socketlab::loop_guard::LoopGuard;
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let room = args::in_range("--buffer", args.buffer, 1, BUFFER);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // The argument SOCK_DGRAM instead of SOCK_STREAM makes it UDP.
    let socket = UdpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The same call as TCP's, but UDP has its own port numbers: a TCP server
    // may use 12001 at the same time. listen() is missing, because UDP has
    // no connections to queue.
    socket.bind(address)?;
    let own = socket.local_addr()?;
    net::announce(own);

    let mut guard = LoopGuard::new(own);
    let mut buffer = vec![0; room];
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // One datagram, and the address it came from. 0 bytes is an empty
        // datagram, which is legal, and not an end.     [T-F8] (viva 7)
        let (count, peer) = match socket.recvfrom(&mut buffer) {
            Ok(received) => received,
            // Windows reports here that an earlier echo found no receiver.
            Err(error) => {
                warn!("{error}");
                continue;
            }
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        if !args.quiet {
            let shown = console::message(bytes);
            let s = if count == 1 { "" } else { "s" };
            say!("[{peer}] {count} byte{s}: {shown}");
        }

        // ---- 4 sendto() --------------------------------------------------
        // The call does not say whether it arrives. A failure concerns only
        // this client; serve the others.                       [T-F9]
        // An echo of an echo would never end; see loop_guard.rs.  (try 5)
        if guard.allow(peer)
            && let Err(error) = socket.sendto(bytes, peer)
        {
            warn!("{error}");
        }
        if args.stop_ends_server && Command::of(bytes) == Some(Command::Stop) {
            break;
        }
    }

    // ---- 5 close() -------------------------------------------------------
    // Sends nothing, so clients do not notice that the server has ended.
    socket.close();
    say!("bye");
    Ok(())
}

/// Room for the largest datagram that there is. With less room, the kernel
/// cuts a longer one and throws its rest away, without an error.
const BUFFER: usize = 65_536;

/// Task 4: sends every datagram back to where it came from.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// bytes of room for a datagram (default 65536): less cuts longer ones
    #[argh(option, hidden_help, default = "BUFFER")]
    buffer: usize,
    /// do not print what is received
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// let `stop` end the server, too
    #[argh(switch, hidden_help)]
    stop_ends_server: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind recvfrom sendto close",
    example: "echo-udp-server 127.0.0.1 12001",
};
