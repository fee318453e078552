//! The calculator for many clients at once: question 8 of handout G, on the
//! program of question 6. The other half is client.rs; the conversation is in
//! session.rs. STATEFUL: a session has a name (protocol.rs).       [G-7b]
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept, then at once the next one
//!   |-------- "Ada" ------->|  5 recv   }                     [G-6a]
//!   |------ "12 + 42" ----->|  5 recv   } session.rs, in a thread
//!   |<------- "54" ---------|  6 send   } per client          [G-6c]
//!   |--------- "q" -------->|  7 close  }                     [G-6d]
//! ```
//!
//! Step 4 differs from sequential_server.rs: clients.spawn() runs converse() in
//! a thread of its own, so that a silent client blocks only itself. The other
//! differences limit the number of threads and end them. A lock is not needed,
//! because sessions share no variable. [G-8] [G-8a] (viva 10)

use argh::{ArgsInfo, FromArgs};
use calculator::session::{Patience, converse};
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, say};

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
    // The kernel does the handshakes from here on. (viva 2) If a client
    // acknowledges nothing for 30 s, the kernel ends its connection. On Linux
    // accept()'s sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Without a free descriptor accept() fails with EMFILE, and a new call
        // fails again at once. So keep_accepting() waits. (viva 13)
        match listener.accept() {
            Ok((client, peer)) => {
                clients.spawn(client, peer, move |client, peer| {
                    say!("[{peer}] connected");
                    converse(client, peer, patience)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    clients.finish();
    Ok(())
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// The line that a new client gets when all slots are in use.
const NO_ROOM: &str = "error: no room, try again later\n";

/// Computes for many clients at once.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12004; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// clients served at once (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
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
    example: "calculator-server 127.0.0.1 12004",
};
