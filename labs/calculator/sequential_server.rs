//! The calculator of question 6, handout G: one client at a time, each for any
//! time. The other half is client.rs; the conversation is in session.rs.
//! STATEFUL: a session has a name (protocol.rs). [G-7b]
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept
//!   |-------- "Ada" ------->|  5 recv   }                     [G-6a]
//!   |------ "12 + 42" ----->|  5 recv   } session.rs
//!   |<------- "54" ---------|  6 send   }                     [G-6c]
//!   |--------- "q" -------->|  7 close  }                     [G-6d]
//! ```
//!
//! While the server serves one client, the kernel connects the next one, which
//! waits in the queue without a reply. server.rs serves it at once: compare the
//! two at step 4. (viva 9) (try 1)

use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use calculator::session::{Patience, converse};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    let patience = Patience::new(args.idle, args.pause);

    // ---- 1 socket() ------------------------------------------------------
    // This socket only listens; each client gets another one from accept().
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // If the port is in use, the program ends with an error that explains it.
    // (viva 12)
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here on the kernel completes handshakes, also during a session, so
    // that the next clients are connected and wait. (viva 9) If a client
    // acknowledges nothing for 30 s, the kernel ends its connection. On Linux
    // accept()'s sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    signals::at_once_on_signal()?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // One conversation, then the next accept(), so no other client is
        // served before it ends. (viva 9)
        match listener.accept() {
            Ok((client, peer)) => {
                say!("[{peer}] connected");
                if let Err(error) = converse(client, peer, patience) {
                    say!("[{peer}] lost: {error}");
                }
            }
            // The client left while it waited, or no descriptor is free. Wait a
            // moment, because the second error may repeat at once.
            Err(error) => {
                warn!("{error}");
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 5;

/// Computes for one client at a time.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12004; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// seconds without a message that end a session (default 600)
    #[argh(option, hidden_help, default = "600")]
    idle: u64,
    /// milliseconds of silence after which a message without a newline
    /// counts as complete (default 200; 0: wait for the newline)
    #[argh(option, hidden_help, default = "200")]
    pause: u64,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "calculator",
    role: Role::Server,
    port: 12004,
    steps: "socket bind listen accept recv send close",
    example: "calculator-sequential-server 127.0.0.1 12004",
};
