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
    // An endpoint in the kernel, without a port and without a peer.
    let listener = TcpSocket::new(address)?;
    // ---- 2 bind() --------------------------------------------------------
    // Clients connect here. Without SO_REUSEADDR a restart fails (TIME_WAIT).
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // The kernel completes handshakes from here; before, it refuses them.
    listener.listen(1024)?; // so many may wait for accept()
    net::announce(listener.local_addr()?);

    let mut clients: Vec<Client> = Vec::new();
    loop {
        // ---- 4 poll() ----------------------------------------------------
        // One wait for all sockets: the kernel gets the list, and marks those
        // that can go on. C: poll(), Python: select.poll(). Only this call may
        // block: one that waits for one client delays all others. (viva 18)
        // Limit: a client that is silent for ever stays in the list.
        let mut watched = Vec::new();
        for client in &clients {
            watched.push(PollFd::new(&client.socket, PollFlags::IN));
        }
        watched.push(PollFd::new(&listener, PollFlags::IN));
        net::poll(&mut watched, None)?;
        let ready: Vec<_> = watched.iter().map(|one| one.revents()).collect();
        for (client, ready) in clients.iter_mut().zip(&ready) {
            let ready = !ready.is_empty(); // also an error: recv() says which
            if ready && let Err(error) = go_on(client) {
                say!("[{}] lost: {error}", client.peer);
                client.is_over = true; // and the others go on
            }
        }
        if ready.last() == Some(&PollFlags::IN) {
            // ---- 5 accept() ----------------------------------------------
            // Does not block: the listener is marked, so a client is in its
            // queue. Limit: no descriptor left ends the server.
            let (socket, peer) = listener.accept()?;
            say!("[{peer}] connected");
            let (finder, is_over) = Default::default(); // none yet, false
            clients.push(Client { socket, peer, finder, is_over });
        }
        // ---- 8 close() ---------------------------------------------------
        // Rust: a Client that is taken out of the list closes its socket.
        clients.retain(|client| !client.is_over);
    }
}

/// How far one client is: what a thread would know by where it waits.
struct Client {
    socket: TcpSocket,
    peer: SocketAddr,
    finder: CommandFinder, // has the line that has begun; see command.rs
    is_over: bool,
}

/// One step for a client that poll() has marked, so that nothing blocks.
fn go_on(client: &mut Client) -> Result<()> {
    // ---- 6 recv() --------------------------------------------------------
    // The bytes that are here, or 0: the client has sent FIN.
    let (peer, mut buffer) = (client.peer, [0; 4096]);
    let count = client.socket.recv(&mut buffer)?;
    if count == 0 {
        say!("[{peer}] left: end of stream");
        client.is_over = true;
        return Ok(());
    }
    let bytes = buffer.get(..count).unwrap_or_default();
    let (count, command) = client.finder.feed(bytes);
    let echo = bytes.get(..count).unwrap_or_default();
    let s = if count == 1 { "" } else { "s" };
    say!("[{peer}] {count} byte{s}: {}", console::message(echo));

    // ---- 7 send() --------------------------------------------------------
    // MSG_DONTWAIT: takes what there is room for, and does not wait for a
    // client that does not read. Limit: we cut it off. To serve it, keep the
    // rest of its echo until poll() reports POLLOUT: there is room again.
    if client.socket.send_now(echo)? < count {
        return Err(Error::other("it does not read its echo"));
    }
    if let Some(command) = command {
        // FIN; its own FIN then ends it in step 6. A close() with unread bytes
        // would send RST. Limit: `stop` never ends the server.
        say!("[{peer}] left: {command}");
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
