//! Task 3 of handout E (ELEN4017): many messages, many clients, one after
//! the other, until a client says `stop`. The other half is task3_client.rs.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept
//!   |------- "hello" ------>|  5 recv      } converse.rs
//!   |<------ "hello" -------|  6 send      }
//!   |------- "stop" ------->|              }                  [E-T3]
//!   |<------- FIN ----------|  7 close     }
//! ```
//!
//! Sequential: while one client is served, the next one is connected by the
//! kernel, waits in the queue, and hears nothing.                (try 3)

use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use echo::command::Command;
use echo::converse::converse;
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // As in task1_server.rs, step 1.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // As in task1_server.rs, step 2.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // As in task1_server.rs, step 3. The 5 matters now: about so many
    // clients can wait here while one is served.
    // A client that does not read is disconnected after 30 s: on Linux the
    // sockets that accept() returns inherit both limits from the listener.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // In a loop: the next client is taken when converse() has returned,
        // and not before.                               (viva 6) (try 3)
        let (client, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            // A client that gave up while it waited, or no descriptors left:
            // no reason to end. The pause keeps a lasting error quiet.
            Err(error) => {
                warn!("{error}");
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        say!("[{peer}] connected");
        match converse(client, peer, true) {
            Ok(Some(Command::Stop)) => break,
            Ok(_) => {}
            Err(error) => say!("[{peer}] lost: {error}"),
        }
    }
    listener.close();
    say!("bye");
    Ok(())
}

/// Task 3: echoes to one client at a time until one says `stop`.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind listen accept recv send close",
    example: "echo-task3-server 127.0.0.1 12001",
};
