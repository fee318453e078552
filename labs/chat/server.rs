//! The chat room. Handout G (IIT Goa), question 8; the other half is
//! client.rs, or nc, or telnet, or ten lines of Python: the protocol is
//! lines of text. Stateful: the room remembers who is in it.
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   two threads for each member
//!   |------ "hello" ------->|  5 recv     member.rs, the reader
//!   |<-- "Batman: hello" ---|  6 send     hub.rs, outbox.rs: to all others
//!   |<------- FIN ----------|  7 close
//! ```
//!
//! One hub thread owns the room, and readers send it events: see hub.rs for
//! the channels. A lock around all sockets would do as well, until one
//! member stops reading while somebody holds it.             [G-8b] (viva 1)

use chat::log;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use chat::hub::{Event, Hub};
use chat::member::{Room, converse};
use crossbeam_channel::bounded;
use socketlab::args::{self, Port, Program};
use socketlab::clients::{self, Clients};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result};

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// Events that may wait for the hub. A reader that finds no room waits, and
/// its client with it: that is how the room slows those who talk.
const EVENTS: usize = 64;

const NO_ROOM: &str = "Server: the room is full, try again later\n";

const PROGRAM: Program = Program {
    lab: "chat",
    role: "server",
    port: 12005,
    steps: "socket bind listen accept recv send close",
    example: "chat-server 127.0.0.1 12005",
};

/// A chat room: clients log in with a name, and what one says all others see.
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
    /// lines a second that a member may say (default 0: no limit)
    #[argh(option, default = "0")]
    max_rate: usize,
    /// seconds in which a client must have said a name that is accepted
    /// (default 60)
    #[argh(option, default = "60")]
    login_limit: u64,
    /// seconds after which a machine that does not answer counts as gone
    /// (default 30); a person may be silent for as long as she likes
    #[argh(option, default = "30")]
    silence: u64,
    /// connections at once, also those that have not said a name yet
    /// (default 1024)
    #[argh(option, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// do not show the room on this console
    #[argh(switch)]
    quiet: bool,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let silence = args::in_range("--silence", args.silence, 3, 86_400);
    let login = args::in_range("--login-limit", args.login_limit, 1, 3600);
    let address = net::resolve_one(&args.host, port)?;

    // ---- 1 socket() ------------------------------------------------------
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // A room that is restarted takes its port again at once, whatever waits
    // in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // The kernel makes the handshakes; a crowd may come at once.
    // A client that does not read is disconnected after 30 s: on Linux the
    // sockets that accept() returns inherit both limits from the listener.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;

    // The hub and the console are threads of their own; a slow console
    // loses lines and delays no member.
    // Limit: a console that is stuck for ever (Ctrl-S) stops this thread as
    // soon as it has something to print, and newcomers wait.
    let (log, console) = log::open(args.quiet);
    let (events, heard) = bounded(EVENTS);
    let crowded = Arc::new(AtomicBool::new(false));
    let hub = Hub::new(args.echo, crowded.clone(), log);
    let hub = start("hub", move || hub.run(&heard))?;
    let show = start("console", move || console.print())?;
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
        // A thread for what this client says; its writer is a second one,
        // once it is a member.                                  (viva 12)
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
    // Everybody is told; then the readers end, with them the last senders
    // of events but ours, and then the hub.                     (viva 8)
    let _ = room.events.send(Event::Closing);
    let _ = show.join();
    clients.finish();
    drop(room);
    let _ = hub.join();
    Ok(())
}

fn start(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>> {
    let spawned = thread::Builder::new().name(name.into()).spawn(work);
    spawned.map_err(|error| Error::new("spawn", name, error))
}
