//! The echo of task 3 for many clients at once, in ONE thread: poll(2) says
//! which sockets are ready. The other half is any echo client.  [G-8]
//!
//! ```text
//! clients                 server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |                       |  4 poll     sleeps until any socket is ready:
//!   |------ handshake ----->|  5 accept      the listener has a client
//!   |------- "hello" ------>|  6 recv        this client's bytes are here
//!   |<------ "hello" -------|  7 send        there is room for the echo
//!   |-------- FIN --------->|  8 close
//! ```

use std::net::{Shutdown, SocketAddr};

use argh::{ArgsInfo, FromArgs};
use echo::command::CommandFinder;
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, PollFd, PollFlags, TcpSocket};
use socketlab::{Error, Result, console, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.for_server(false))?;
    signals::at_once_on_signal()?; // Ctrl-C: `bye`, the kernel sends FIN
    // ---- 1 socket() ------------------------------------------------------
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // Clients connect here. Without SO_REUSEADDR a restart fails (TIME_WAIT).
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // The kernel completes handshakes from here; before, it refuses them.
    listener.listen(1024)?; // up to 1,024 may wait for accept()
    net::announce(listener.local_addr()?);

    let mut clients: Vec<Client> = Vec::new();
    loop {
        // ---- 4 poll() ----------------------------------------------------
        // One wait for all sockets; the kernel marks those that are ready.
        // Python: select.poll(). No other call may block, because that would
        // delay all. Limit: silent clients are never removed.     (viva 18)
        let mut watched = Vec::new();
        for client in &clients {
            watched.push(PollFd::new(&client.socket, PollFlags::IN));
        }
        watched.push(PollFd::new(&listener, PollFlags::IN));
        net::poll(&mut watched, None)?;
        let ready: Vec<_> = watched.iter().map(|one| one.revents()).collect();
        for (client, ready) in clients.iter_mut().zip(&ready) {
            let ready = !ready.is_empty(); // also an error: recv() says which
            if ready && let Err(error) = serve(client) {
                say!("[{}] lost: {error}", client.peer);
                client.is_over = true; // the others stay
            }
        }
        if ready.last() == Some(&PollFlags::IN) {
            // ---- 5 accept() ----------------------------------------------
            let (socket, peer) = listener.accept()?;
            say!("[{peer}] connected");
            let finder = Some(CommandFinder::default());
            clients.push(Client { socket, peer, finder, is_over: false });
        }
        // ---- 8 close() ---------------------------------------------------
        // Rust: removing a Client from the list closes its socket.
        clients.retain(|client| !client.is_over);
    }
}

/// One client's state. A thread would keep it on its stack.
struct Client {
    socket: TcpSocket,
    peer: SocketAddr,
    finder: Option<CommandFinder>, // None after `stop`; see command.rs
    is_over: bool,
}

/// One recv() and one send() for a client that poll() has marked.
fn serve(client: &mut Client) -> Result<()> {
    // ---- 6 recv() --------------------------------------------------------
    // Does not block: bytes are here, or 0, because the client sent FIN.
    let (peer, mut buffer) = (client.peer, [0; 4096]);
    let count = client.socket.recv(&mut buffer)?;
    client.is_over = count == 0;
    let Some(finder) = &mut client.finder else {
        return Ok(()); // after `stop`: discard the rest, until FIN
    };
    if client.is_over {
        say!("[{peer}] left: end of stream");
        return Ok(());
    }
    let bytes = buffer.get(..count).unwrap_or_default();
    let (count, command) = finder.feed(bytes);
    let echo = bytes.get(..count).unwrap_or_default();
    let s = if count == 1 { "" } else { "s" };
    say!("[{peer}] {count} byte{s}: {}", console::message(echo));

    // ---- 7 send() --------------------------------------------------------
    // MSG_DONTWAIT: copies what the send buffer has room for and returns.
    // Limit: a client that does not read is cut off. To serve it, keep the
    // rest until poll() reports POLLOUT, which means room in the buffer.
    if client.socket.send_now(echo)? < count {
        return Err(Error::other("it does not read its echo"));
    }
    if let Some(command) = command {
        // Sends FIN. The client stays in the list until its own FIN, because
        // close() with unread bytes would send RST.
        say!("[{peer}] left: {command}");
        client.finder = None;
        client.socket.shutdown(Shutdown::Write)?;
    }
    Ok(())
}

/// Echoes to many clients at once, in one thread, with poll(2).
#[derive(FromArgs, ArgsInfo)]
struct Args {
    #[argh(positional, description = "address to bind (default 127.0.0.1)")]
    host: String,
    #[argh(positional, description = "port to bind (default 12001)")]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind listen poll accept recv send close",
    example: "echo-poll-server 127.0.0.1 12001",
};
