//! The echo of task 3 for many clients at once, in ONE thread: poll(2) says
//! which sockets can go on. The other half is any echo client.  [G-8]
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |                       |  4 poll     sleeps until any socket can go on:
//!   |------ handshake ----->|  5 accept      the listener has a client
//!   |------- "hello" ------>|  6 recv        this client's bytes are here
//!   |<------ "hello" -------|  7 send        there is room for the echo
//!   |<------- FIN ----------|  8 close
//! ```
//!
//! The rule of such a server: only poll() may block. A blocking call for one
//! client would keep all others waiting, so what threads_server.rs keeps in
//! its calls, how far each client is, stands in a `Client` here. (viva 18)

use std::mem;
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use argh::{ArgsInfo, FromArgs};
use echo::command::{Command, CommandFinder};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, PollFd, PollFlags, TcpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    // An endpoint in the kernel, without a port and without a peer.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // The address and port that clients connect to.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // From here the kernel completes handshakes and queues them.
    listener.listen(BACKLOG)?;
    net::allow_many_sockets();
    net::announce(listener.local_addr()?);

    let mut clients: Vec<Client> = Vec::new();
    let mut buffer = vec![0; 64 * 1024]; // one for all: it is free after a step
    let mut full = false; // no descriptor was free for the last client
    loop {
        // ---- 4 poll() ----------------------------------------------------
        // One wait for all sockets. The kernel is given the list, and marks
        // those that can go on. C: poll(), Python: select.poll().
        let mut watched = vec![PollFd::new(&listener, can_accept(full))];
        for client in &clients {
            watched.push(PollFd::new(&client.socket, client.waits_for()));
        }
        net::poll(&mut watched, Some(time_left(&clients, full)))?;
        let ready: Vec<bool> =
            watched.iter().map(|one| !one.revents().is_empty()).collect();

        let (new_client, ready) = ready.split_first().unwrap_or((&false, &[]));
        for (client, ready) in clients.iter_mut().zip(ready) {
            client.go_on(*ready, &mut buffer);
        }
        full = false;
        if *new_client {
            // ---- 5 accept() ----------------------------------------------
            // Does not block, because a client waits in the queue.
            match listener.accept() {
                Ok((socket, peer)) => clients.push(Client::new(socket, peer)),
                Err(error) => {
                    warn!("{error}");
                    full = true; // otherwise poll() would report it at once
                }
            }
        }
        let stop = Some(Command::Stop);
        let stops =
            clients.iter().any(|one| one.is_over && one.command == stop);
        // ---- 8 close() ---------------------------------------------------
        // Dropping a client closes its socket.
        clients.retain(|client| !client.is_over);
        if stops && args.stop_ends_server {
            say!("bye");
            return Ok(());
        }
    }
}

/// How far one client is: what a thread would know by where it waits.
struct Client {
    socket: TcpSocket,
    peer: SocketAddr,
    finder: CommandFinder,
    echo: Vec<u8>, // what it has not been sent yet
    command: Option<Command>,
    is_leaving: bool, // it has had our FIN, and we wait for its own
    until: Instant,   // when it counts as gone
    is_over: bool,
}

impl Client {
    fn new(socket: TcpSocket, peer: SocketAddr) -> Client {
        say!("[{peer}] connected");
        Client {
            socket,
            peer,
            finder: CommandFinder::default(),
            echo: Vec::new(),
            command: None,
            is_leaving: false,
            until: Instant::now() + IDLE,
            is_over: false,
        }
    }

    /// While an echo waits for room, nothing more is read: TCP's flow control
    /// then stops a client that sends and does not read.
    fn waits_for(&self) -> PollFlags {
        match self.echo.is_empty() {
            true => PollFlags::IN,
            false => PollFlags::OUT,
        }
    }

    /// One step for this client, if poll() says that it will not block.
    fn go_on(&mut self, ready: bool, buffer: &mut [u8]) {
        let peer = self.peer;
        if (!ready || self.is_leaving) && Instant::now() > self.until {
            if !self.is_leaving {
                say!("[{peer}] lost: silent for {} s", IDLE.as_secs());
            }
            self.is_over = true;
        }
        if !ready || self.is_over {
            return;
        }
        if let Err(error) = self.step(buffer) {
            say!("[{peer}] lost: {error}");
            self.is_over = true;
        }
    }

    fn step(&mut self, buffer: &mut [u8]) -> Result<()> {
        if self.echo.is_empty() {
            // ---- 6 recv() ------------------------------------------------
            // Does not block, because bytes are here, or end of stream: 0.
            let count = self.socket.recv(buffer)?;
            self.is_over = count == 0;
            if self.is_over && !self.is_leaving {
                say!("[{}] left: end of stream", self.peer);
            }
            if count == 0 || self.is_leaving {
                return Ok(()); // what follows a command is thrown away
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            let (count, command) = self.finder.feed(bytes);
            let bytes = bytes.get(..count).unwrap_or_default();
            let (peer, s) = (self.peer, if count == 1 { "" } else { "s" });
            say!("[{peer}] {count} byte{s}: {}", console::message(bytes));
            self.command = command;
            self.echo = bytes.to_vec();
        }

        // ---- 7 send() ----------------------------------------------------
        // MSG_DONTWAIT: copies what the kernel's buffer has room for, and
        // returns at once. The rest waits until poll() reports room.
        let sent = self.socket.send_now(&self.echo)?;
        self.echo.drain(..sent);
        self.until = Instant::now() + IDLE;
        if let Some(command) = self.command
            && self.echo.is_empty()
            && !mem::replace(&mut self.is_leaving, true)
        {
            say!("[{}] left: {command}", self.peer);
            // FIN. The close comes after the client's own FIN, because a
            // close() with unread bytes would send RST.
            self.socket.shutdown(Shutdown::Write)?;
            self.until = Instant::now() + LINGER;
        }
        Ok(())
    }
}

/// Without a free descriptor the listener is left out for a moment.
fn can_accept(full: bool) -> PollFlags {
    match full {
        true => PollFlags::empty(),
        false => PollFlags::IN,
    }
}

/// How long poll() may sleep: until the next client counts as gone.
fn time_left(clients: &[Client], full: bool) -> Duration {
    let now = Instant::now();
    let next = clients.iter().map(|client| client.until).min();
    let left = next.map_or(IDLE, |next| next.saturating_duration_since(now));
    if full { left.min(Duration::from_millis(100)) } else { left }
}

/// Connections that may wait for accept().
const BACKLOG: i32 = 1024;

/// A client without progress for this time is gone.
const IDLE: Duration = Duration::from_secs(600);

/// How long a client that has left may take for its FIN.
const LINGER: Duration = Duration::from_secs(1);

/// Echoes to many clients at once, in one thread, with poll(2).
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// let `stop` end the server, too
    #[argh(switch)]
    stop_ends_server: bool,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind listen poll accept recv send close",
    example: "echo-poll-server 127.0.0.1 12001",
};
