//! The chat room of handout G (IIT Goa), question 8, in its fewest lines. The
//! other half is plain_client.rs; server.rs is the one to use.
//!
//! ```text
//! clients                 server (this file)          [G-8b]
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept   a thread for each client
//!   |------ "hello" ------->|  5 recv     thread --- channel ---> hub
//!   |<-- "Batman: hello" ---|  6 send     hub: to all other members
//!   |<------- FIN ----------|  7 close
//! ```

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr};
use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use crossbeam_channel::{Receiver, Sender, bounded};
use jiff::Zoned;
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals, threads};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;

    // ---- 1 socket() ------------------------------------------------------
    // It only listens: accept() returns one more for each client.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Clients connect to this address. SO_REUSEADDR lets a restarted server
    // have it while old connections are in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // Now the kernel completes handshakes; 5 clients may wait for accept().
    // On Linux their sockets inherit the limit for send().
    listener.set_send_timeout(Some(Duration::from_secs(5)))?;
    listener.listen(5)?;
    signals::at_once_on_signal()?; // Ctrl-C: `bye`, the kernel sends FIN
    net::announce(listener.local_addr()?);

    // One thread owns the room: the hub. The others put events into a channel
    // (Python: queue.Queue), and the hub takes them out one by one. So there
    // is no lock, and all members see the same order.             (viva 6)
    let (events, queue) = bounded(64);
    threads::spawn_essential("hub", move || run_hub(&queue))?;
    loop {
        // ---- 4 accept() --------------------------------------------------
        // Blocks until a client has connected, and returns its own socket.
        // Its thread waits in recv(), so that it delays nobody else.
        // Limit: no descriptor left is an error, and ends the server.
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
    // read() calls recv() until a newline has come: one recv() may return
    // half a line, or two. A client that is gone is an end or an error.
    while let Ok(Received::Line(line)) = lines.read()
        && line != b"quit"
    {
        let text = console::escape(&line);
        let _ = events.send((from, client.clone(), Some(text)));
    }
    let _ = events.send((from, client.clone(), None));

    // ---- 7 close() -------------------------------------------------------
    // Sends FIN. The kernel frees the socket with its last handle, the hub's.
    client.finish();
}

/// Whose line, its socket, and the line; `None`: it has left.
type Event = (SocketAddr, TcpSocket, Option<String>);

/// The name and the socket of each member.
type Room = BTreeMap<SocketAddr, (String, TcpSocket)>;

/// The hub: knows who is in, and sends to all.                    (viva 1)
fn run_hub(events: &Receiver<Event>) {
    let mut room = Room::new();
    for (from, client, line) in events {
        let member = room.get(&from).map(|(name, _)| name.clone());
        match (member, line) {
            // A login. Limit: it could be `Robin: hi`; see names.rs.
            (None, Some(name)) => {
                let taken = room.values().any(|(other, _)| *other == name);
                if taken || name.is_empty() || name == "Server" {
                    let text = "Server: that name is taken\nEnter login name:";
                    send(&client, text);
                    continue;
                }
                room.insert(from, (name.clone(), client));
                announce(&room, &format!("{name} has joined."));
            }
            (Some(name), Some(text)) => {
                broadcast(&room, &format!("{name}: {text}"), Some(from));
            }
            (Some(name), None) => {
                room.remove(&from);
                announce(&room, &format!("{name} has left."));
            }
            (None, None) => {} // it left without a login
        }
    }
}

fn announce(room: &Room, what: &str) {
    let (time, count) = (Zoned::now().strftime("%H.%M"), room.len());
    let line = format!("Server: time={time} {what} Member count={count}");
    broadcast(room, &line, None);
}

/// A line to all but its author, as the handout's screens show it. [G-8c]
fn broadcast(room: &Room, line: &str, author: Option<SocketAddr>) {
    say!("{line}");
    let others = room.iter().filter(|(member, _)| author != Some(**member));
    others.for_each(|(_, (_, client))| send(client, line));
}

fn send(client: &TcpSocket, line: &str) {
    // ---- 6 send() --------------------------------------------------------
    // Copies the line into the kernel's buffer, all of it while there is room.
    // When a client does not read, the buffer fills, and send() blocks.
    // Limit: one member stops the room for 5 s; then it is cut off, and its
    // thread tells the hub. outbox.rs never blocks.               (try 2)
    let line = format!("{line}\n");
    if client.send(line.as_bytes()).ok() != Some(line.len()) {
        let _ = client.shutdown(Shutdown::Both);
    }
}

/// A chat room, in its fewest lines.
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
