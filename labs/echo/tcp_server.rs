//! The echo server to use: handout E, tasks 1-3, with what a server needs in
//! use. The other half is tcp_client.rs; UDP is udp_server.rs.   [G-8]
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept, then at once the next one
//!   |------- "hello" ------>|  5 recv      } converse.rs, in a thread
//!   |<------ "hello" -------|  6 send      } per client
//!   |------- "stop" ------->|              }                  [E-T3]
//!   |<------- FIN ----------|  7 close     }
//! ```
//!
//! threads_server.rs starts its threads itself. Here src/socketlab/clients.rs
//! does it. It also bounds the number of threads, survives a lack of
//! descriptors or threads, contains a panic, and lets the clients end when the
//! server stops.

use argh::{ArgsInfo, FromArgs};
use echo::command::Command;
use echo::converse::converse;
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;

    // ---- 1 socket() ------------------------------------------------------
    // An endpoint in the kernel, without a port and without a peer.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The address and port that clients connect to. SO_REUSEADDR: also while
    // connections of the last run wait in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here the kernel completes handshakes. A queue of 5 is enough for a
    // classroom. A crowd that connects at one moment overflows it, and each SYN
    // that the kernel drops costs its client a second. If a client acknowledges
    // nothing for 30 s, the kernel ends its connection. On Linux accept()'s
    // sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    let stop = clients.stopper(&listener);
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Returns a new socket for the next client. spawn() starts a thread
        // for it and returns, so the loop is free at once.   (viva 6)
        match listener.accept() {
            Ok((client, peer)) => {
                let stop = stop.clone();
                clients.spawn(client, peer, move |client, peer| {
                    say!("[{peer}] connected");
                    match converse(client, peer, !args.quiet)? {
                        Some(Command::Stop) if args.stop_ends_server => {
                            stop(); // accept() fails from now on
                        }
                        _ => {}
                    }
                    Ok(())
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C, SIGTERM, --stop-ends-server
        }
    }
    clients.finish();
    Ok(())
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// What a client reads when all slots are taken.
const NO_ROOM: &str = "echo-server: no room, try again later\n";

/// Echoes every byte, to many clients at once, each until its `stop` or `exit`.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// clients served at once (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
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
    steps: "socket bind listen accept recv send close",
    example: "echo-server 127.0.0.1 12001",
};
