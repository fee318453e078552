//! task3_server.rs, but after step 4 converse() runs in a thread of its own,
//! so that a silent client delays only itself.         [G-8] (viva 6)
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept, then at once the next one
//!   |------- "hello" ------>|  5 recv      } converse.rs, in a thread
//!   |<------ "hello" -------|  6 send      } per client
//!   |------- "stop" ------->|              }
//!   |<------- FIN ----------|  7 close     }
//! ```
//!
//! Limit: nothing bounds the number of threads, and Ctrl-C cuts off the clients
//! that are being served. clients.rs solves both in tcp_server.rs.

use std::process;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use echo::command::Command;
use echo::converse::converse;
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, say, signals, warn};

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

    loop {
        // ---- 4 accept() --------------------------------------------------
        // The next client is accepted while earlier ones are still served.
        let (client, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            // The client has left the queue, or no descriptor is free.
            // Wait a moment, because the second error may repeat at once.
            Err(error) => {
                warn!("{error}");
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        say!("[{peer}] connected");
        // A thread for this client. Rust: `move` moves `client` into the
        // thread, so that converse() closes the socket at its end.
        // Like thread::spawn(), but the thread bears the client's address
        // as its name, and a failure is an error instead of a panic.
        let spawned =
            thread::Builder::new().name(peer.to_string()).spawn(move || {
                match converse(client, peer, true) {
                    Ok(Some(Command::Stop)) if args.stop_ends_server => {
                        say!("bye");
                        process::exit(0);
                    }
                    Ok(_) => {}
                    Err(error) => say!("[{peer}] lost: {error}"),
                }
            });
        // Without a free thread, the client's socket is closed unserved.
        if let Err(error) = spawned {
            warn!("refused: {}", Error::new("spawn", peer, error));
        }
    }
}

/// Task 3 with a thread per client.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
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
    example: "echo-threads-server 127.0.0.1 12001",
};
