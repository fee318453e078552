//! The chat room. Handout G (IIT Goa), question 8; the other half is client.rs,
//! nc, telnet, or ten lines of Python, because the protocol is lines of text.
//! Stateful: the room remembers who is in it.
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   two threads for each member
//!   |------ "hello" ------->|  5 recv     reader.rs
//!   |<-- "Batman: hello" ---|  6 send     hub.rs, outbox.rs: to all others
//!   |<------- FIN ----------|  7 close
//! ```
//!
//! One hub thread owns the room, and readers send it events: see hub.rs for
//! the channels. With a lock around all sockets, one member that stops
//! reading would block the thread that holds it.            [G-8b] (viva 1)

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use chat::hub::{Event, Hub};
use chat::reader::{Room, converse};
use crossbeam_channel::bounded;
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::log::Log;
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, threads};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let silence = args::in_range("--silence", args.silence, 3, 86_400);
    let login = args::in_range("--login-limit", args.login_limit, 1, 3600);
    let address = net::resolve_one(&args.host, port)?;

    // ---- 1 socket() ------------------------------------------------------
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // SO_REUSEADDR: a restarted server gets its port at once, although old
    // connections are in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // The kernel completes the handshakes; many clients may come at once. If a
    // client acknowledges nothing for 30 s, the kernel ends its connection. On
    // Linux accept()'s sockets inherit the two limits below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;

    // The hub and the log are threads of their own. A slow console loses lines
    // of the log, but does not delay a member. If the hub panics, the server
    // ends with status 1, because without it nobody could join. Limit: a stuck
    // console (Ctrl-S) also blocks this thread as soon as it prints a line
    // itself; then new clients wait.
    let log = Log::start(args.quiet, LOG_LINES)?;
    let (events, queue) = bounded(EVENTS);
    let crowded = Arc::new(AtomicBool::new(false));
    let hub = Hub::new(args.echo, crowded.clone(), log.clone());
    let hub = threads::spawn_essential("hub", move || hub.run(&queue))?;
    let room = Room {
        events,
        crowded,
        max_rate: args.max_rate,
        login: Duration::from_secs(login),
        silence: Duration::from_secs(silence),
    };
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // A thread that reads from this client. Once it is a member, a
        // second thread writes to it.                           (viva 12)
        match listener.accept() {
            Ok((client, peer)) => {
                let room = room.clone();
                clients.spawn(client, peer, move |client, peer| {
                    converse(client, peer, &room)
                });
            }
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C or SIGTERM
        }
    }
    // The hub tells all members. Then the readers end, and each drops its
    // sender of events. Ours is the last: without it the hub ends. (viva 8)
    let _ = room.events.send(Event::Closing);
    clients.finish_with(|| {
        drop(room);
        let _ = hub.join();
        log.flush();
    });
    Ok(())
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// Events that may wait for the hub. When the queue is full, readers wait,
/// and TCP's flow control makes their clients wait.
const EVENTS: usize = 64;

/// Lines that may wait for the log thread.
const LOG_LINES: usize = 4096;

const NO_ROOM: &str = "Server: the room is full, try again later\n";

/// A chat room: clients log in with a name, and all others see each member's
/// lines.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12005; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// send a member's own lines back, as the handout's text says; its
    /// screens show otherwise
    #[argh(switch)]
    echo: bool,
    /// lines a second that a member may send (default 0: no limit)
    #[argh(option, default = "0")]
    max_rate: usize,
    /// seconds in which a client must have sent an acceptable name (default 60)
    #[argh(option, hidden_help, default = "60")]
    login_limit: u64,
    /// seconds after which a machine that does not answer counts as gone
    /// (default 30); a person may be silent for any time
    #[argh(option, default = "30")]
    silence: u64,
    /// connections at once, also those without a name yet (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// do not show the room on this console
    #[argh(switch, hidden_help)]
    quiet: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "chat",
    role: Role::Server,
    port: 12005,
    steps: "socket bind listen accept recv send close",
    example: "chat-server 127.0.0.1 12005",
};
