//! Task 1 of handout D (Durham): prints every client's messages, and sends no
//! reply. The other half is client.rs, or the client of any student.
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept, then at once the next one
//!   |------- "hello" ------>|  5 recv, print        } in a thread
//!   |------- "hello" ------>|                       } per client
//!   |-------- FIN --------->|  6 close              }       [D-T1.1]
//! ```
//!
//! A message is a line. Students' clients often send no newline, so a pause of
//! 200 ms ends a message, too. This is a guess, and the output marks it.
//! Run: make message-open-server      Try: nc 127.0.0.1 12002

use std::net::SocketAddr;

use argh::{ArgsInfo, FromArgs};
use message::messages::{self, IDLE, LONGEST, PAUSE};
use socketlab::args::{self, Port, Program, Role};
use socketlab::clients::{self, Clients};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    messages::load_time_zone();
    // ---- 1 socket() ------------------------------------------------------
    // SOCK_STREAM: TCP, bytes in order. Step 5 finds the messages in them.
    // Python: socket.socket() C: socket()
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // 127.0.0.1 is reached only from this machine; 0.0.0.0 also from others,
    // such as the one that you logged in from. [D-O8]
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // `ss -tln` shows the socket in LISTEN from here on. [D-O1] (viva 7) On
    // Linux accept()'s sockets inherit the two limits of 30 s below.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    listener.set_user_timeout(net::SEND_TIMEOUT)?;
    listener.listen(BACKLOG)?;
    let clients = Clients::new(&listener, args.max_clients, NO_ROOM)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Every client that knows the address and the port is accepted; it
        // needs nothing else. [D-T1.3] [D-Q3] (viva 1)
        match listener.accept() {
            Ok((client, peer)) => clients.spawn(client, peer, converse),
            Err(error) if clients.keep_accepting(&error) => {}
            Err(_) => break, // Ctrl-C, or SIGTERM by `kill`      [D-O6]
        }
    }
    clients.finish();
    Ok(())
}

/// The conversation: the client sends, the server prints.
fn converse(client: TcpSocket, peer: SocketAddr) -> Result<()> {
    say!("[{peer}] connected");
    let mut reader = LineReader::new(client.clone(), LONGEST, IDLE);
    reader.accept_pause(PAUSE);
    let mut number = 0;
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // read() calls recv() until a newline has come. Two messages in one
        // segment are still two; one message in two segments is still one.
        //                                    [D-T1.2] (viva 6) (try 2)
        let received = reader.read()?; // clients.rs prints an error
        number += 1;
        let time = messages::time();
        let (text, note) = match received {
            Received::Line(text) => (text, ""),
            Received::Unterminated(text) => (text, " (ended by a pause)"),
            Received::TooLong => (Vec::new(), "(too long: discarded)"),
            // recv() returned 0: FIN has come, or this server is stopping. Even
            // after kill -9 a FIN comes, because the kernel closes the socket.
            // [D-T1.1] (viva 8)
            Received::End => break,
        };
        // Escaped: a message must not clear or colour our screen. (try 3)
        let text = console::message(&text);
        say!("[{peer}] message {number} at {time}: {text}{note}");
    }
    let why = clients::end_of_stream();
    say!("[{peer}] {why}, messages: {}", number - 1);
    // ---- 6 close() -------------------------------------------------------
    // Sends our FIN after the client's. Without close(), each client's socket
    // stays in CLOSE-WAIT until no descriptor is free. (viva 14)
    drop(reader); // a second handle; the last one closes
    client.close();
    Ok(())
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// What a new client reads when all slots are taken.
const NO_ROOM: &str = "message-open-server: no room, try again later\n";

/// Task 1: prints every message of every client.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12002; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// clients served at once (default 1024)
    #[argh(option, hidden_help, default = "clients::MAX_CLIENTS")]
    max_clients: usize,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "message",
    role: Role::Server,
    port: 12002,
    steps: "socket bind listen accept recv close",
    example: "message-open-server 127.0.0.1 12002",
};
