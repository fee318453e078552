//! Task 4 of handout E (ELEN4017): the echo over UDP. The other half is
//! task4_client.rs. Beside task3_server.rs: listen() and accept() are gone,
//! and each datagram brings its sender's address.            [E-T4]
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind
//!   |------ datagram ------>|  3 recvfrom   who sent it, and what
//!   |<----- datagram -------|  4 sendto     back to that address
//!   |                       |  5 close
//! ```
//!
//! No client is connected, so `stop` and `exit` have nothing to end here: the
//! server echoes them, and the client leaves.
//!
//! Limit: two servers can answer each other without end.    (try 5)

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;

    // ---- 1 socket() ------------------------------------------------------
    // The argument SOCK_DGRAM instead of SOCK_STREAM makes it UDP. Python:
    // socket.socket(AF_INET, SOCK_DGRAM).
    let socket = UdpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The same call as TCP's, but UDP has its own port numbers: a TCP server
    // may use 12001 at the same time. listen() is missing, because UDP has
    // no connections to queue.
    socket.bind(address)?;
    net::announce(socket.local_addr()?);

    // ---- 5 close() -------------------------------------------------------
    // Written here because Ctrl-C may come at any time: the program ends, and
    // the kernel closes the socket. That sends nothing: clients do not notice
    // that the server is gone.
    signals::at_once_on_signal()?;

    // Room for the largest datagram. With less, the kernel cuts a longer one
    // and throws its rest away, without an error.
    let mut buffer = vec![0; 65_536];
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // Returns one datagram, and the address that it came from. 0 bytes
        // are an empty datagram, and not end of stream. [T-F8] (viva 7)
        let (count, peer) = match socket.recvfrom(&mut buffer) {
            Ok(received) => received,
            // Windows reports here that an earlier echo found no receiver;
            // Linux does so only on a connected socket. Serve the others.
            Err(error) => {
                warn!("{error}");
                continue;
            }
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        let s = if count == 1 { "" } else { "s" };
        say!("[{peer}] {count} byte{s}: {}", console::message(bytes));

        // ---- 4 sendto() --------------------------------------------------
        // One datagram back. The call does not say whether it arrives. A
        // failure concerns only this client; serve the others. [T-F9]
        if let Err(error) = socket.sendto(bytes, peer) {
            warn!("{error}");
        }
    }
}

/// Task 4: sends every datagram back to where it came from.
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
    steps: "socket bind recvfrom sendto close",
    example: "echo-task4-server 127.0.0.1 12001",
};
