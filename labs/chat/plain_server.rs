//! The chat room of handout G (IIT Goa), question 8, as short as possible: a
//! thread for each client, and the hub in plain_hub.rs. The other half is
//! plain_client.rs; server.rs is the one to use.
//!
//! ```text
//! clients                 server (this file)          [G-8b]
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   a thread for each client
//!   |------ "hello" ------->|  5 recv     thread --- channel ---> hub
//!   |<-- "Batman: hello" ---|  6 send     plain_hub.rs: to all others
//!   |<------- FIN ----------|  7 close
//! ```

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use chat::plain_hub::{Event, run_hub};
use crossbeam_channel::{Sender, bounded};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, signals, threads};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;
    // ---- 1 socket() ------------------------------------------------------
    // This socket only listens. Python: socket.socket()  C: socket()
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // Clients connect to this address. SO_REUSEADDR: also after a restart.
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // Now the kernel completes handshakes; 5 clients may wait for accept().
    // On Linux their sockets inherit this limit for send().
    listener.set_send_timeout(Some(Duration::from_secs(5)))?;
    listener.listen(5)?;
    signals::at_once_on_signal()?; // Ctrl-C: `bye`, the kernel sends FIN
    net::announce(listener.local_addr()?);

    // One thread owns the room: the hub. The clients' threads put events into a
    // channel (Python: queue.Queue), and the hub handles them one by one. So
    // it needs no lock, and all members see the same order.        (viva 6)
    let (events, queue) = bounded(64);
    threads::spawn_essential("hub", move || run_hub(&queue))?;
    loop {
        // ---- 4 accept() --------------------------------------------------
        // Returns a socket for one client. Its thread waits in recv(), so the
        // others do not wait. Limit: without a free descriptor it fails.
        let (client, peer) = listener.accept()?;
        let events = events.clone();
        let _ = thread::Builder::new()
            .spawn(move || converse(client, peer, &events));
    }
}

/// One client: hands each of its lines to the hub until it leaves.
fn converse(client: TcpSocket, from: SocketAddr, events: &Sender<Event>) {
    let _ = client.send_all(b"Enter login name:\n");
    let mut lines = LineReader::new(client.clone(), 4096, Duration::MAX);
    lines.wait_for_ever(); // a person may be silent
    // ---- 5 recv() --------------------------------------------------------
    // read() calls recv() until a newline has come, because one recv() may
    // return half a line or two. A client that is gone ends the loop.
    while let Ok(Received::Line(line)) = lines.read()
        && line != b"quit"
    {
        let text = console::escape(&line);
        let _ = events.send((from, client.clone(), Some(text)));
    }
    let _ = events.send((from, client.clone(), None));
    // ---- 7 close() -------------------------------------------------------
    // Sends FIN. The kernel frees the socket when the hub has dropped its
    // handle, too. Limit: a line of over 4,096 bytes ends the client.
    client.finish();
}

/// A chat room, as short as possible.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12005; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "chat",
    role: Role::Server,
    port: 12005,
    steps: "socket bind listen accept recv send close",
    example: "chat-plain-server 127.0.0.1 12005",
};
