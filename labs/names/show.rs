//! `names show`: the vocabulary of the handout beside live sockets. Each
//! topic makes its own, on 127.0.0.1 and ports that the kernel chooses.
//!
//! ```text
//! sockets     the figure: two ends, a listener, and the kernel  [T-X1]
//! words       domain, type, protocol, hostname, port
//! four-tuple  two connections on one port of the server         [T-Q4]
//! same-port   TCP and UDP on the same number; a second TCP server
//! ephemeral   when a client gets its port, and from where
//! kinds       connection, boundaries, reliability: not one thing [T-Q8]
//! lost        bytes that send() took and nobody read
//! ```
//!
//! A topic that did not come out as it says ends the program with status 1.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, Socket, Type};
use socketlab::net::{self, step};
use socketlab::{Error, Result, args, say};

use crate::{constants, diagram, kinds, tuple};

/// A topic that hangs would be worse than one that fails.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Of 127.0.0.1: in a new network namespace (`unshare -n`), for instance.
const UNREACHABLE: i32 = Errno::NETUNREACH.raw_os_error();

type Topic = (&'static str, &'static str, fn() -> Result<()>);

/// The topics in order: word, title, what shows it.
const TOPICS: &[Topic] = &[
    ("sockets", "two sockets and what lies between", diagram::sockets),
    ("words", "the words of socket(), bind() and connect()", diagram::words),
    ("four-tuple", "one port of the server, many connections", tuple::four),
    ("same-port", "TCP and UDP count their ports apart", tuple::same_port),
    ("ephemeral", "the port that a client never asked for", tuple::ephemeral),
    ("kinds", "connection, boundaries, reliability", kinds::kinds),
    ("lost", "what send() took and nobody read", kinds::lost),
];

/// Shows a topic, or all; with TRACE=1 each call of it.           (try 10)
pub fn tell(topic: Option<&str>) -> Result<()> {
    let mut shown = 0;
    for (name, title, show) in TOPICS {
        if topic.is_some_and(|wanted| wanted != *name) {
            continue;
        }
        if shown > 0 {
            say!("");
        }
        say!("== {name}: {title}");
        show()?;
        shown += 1;
    }
    if shown == 0 {
        let names: Vec<&str> = TOPICS.iter().map(|(name, ..)| *name).collect();
        args::usage(&format!(
            "show WHAT? One of {}; alone, all of them. A host called show: \
             names --host show",
            names.join(", ")
        ));
    }
    Ok(())
}

/// A socket of this family and type, with a deadline on every wait.
pub fn socket(family: Domain, kind: Type) -> Result<Socket> {
    // ---- 4 socket() ------------------------------------------------------
    // Domain, type, protocol: the handout's first three words are the three
    // arguments. The last is 0, which is no protocol: the kernel takes the
    // family's usual one of this type, TCP for a stream.       (viva 13)
    let on = format!(
        "{}, {}, 0",
        constants::family(family.into()),
        constants::kind(kind.into())
    );
    let made = step("socket", None, on, || Socket::new(family, kind, None))?;
    let limited = made
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| made.set_write_timeout(Some(PATIENCE)));
    limited.map_err(|error| Error::new("setsockopt", "timeout", error))?;
    Ok(made)
}

/// Binds to 127.0.0.1 and a port; 0 leaves the choice to the kernel.
pub fn bind(socket: &Socket, port: u16) -> Result<SocketAddr> {
    // ---- 5 bind() --------------------------------------------------------
    // The last two words, hostname and port: an address of THIS machine, at
    // which the socket can be found. bind() takes the sockaddr's bytes; the
    // names were looked up before.                              (viva 9)
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    step("bind", Some(socket), address, || socket.bind(&address.into()))?;
    name(socket)
}

/// A TCP server on a port of its own.
pub fn listener() -> Result<(Socket, SocketAddr)> {
    let socket = socket(Domain::IPV4, Type::STREAM)?;
    let local = bind(&socket, 0)?;
    listen(&socket)?;
    Ok((socket, local))
}

/// Makes a server of it.
pub fn listen(socket: &Socket) -> Result<()> {
    // ---- 6 listen() ------------------------------------------------------
    // This is what makes it a server: it waits, at an address that others
    // know. The kernel now completes handshakes and keeps up to 5 + 1 of
    // them, before any accept().              [T-Q2] [T-Q5] (viva 2)
    step("listen", Some(socket), 5, || socket.listen(5))
}

/// A TCP client of that server, connected.
pub fn client(server: SocketAddr) -> Result<Socket> {
    let socket = socket(Domain::IPV4, Type::STREAM)?;
    connect(&socket, server)?;
    Ok(socket)
}

/// Makes a client of it.
pub fn connect(socket: &Socket, server: SocketAddr) -> Result<()> {
    // ---- 7 connect() -----------------------------------------------------
    // This is what makes it a client: it begins. A socket without a port
    // gets one now, and an address to go with it.  [T-Q1] [T-Q6] (viva 6)
    net::connect(socket, server).map_err(|error| match error.errno() {
        Some(number) if number == UNREACHABLE => Error::other(format!(
            "connect({server}): Network is unreachable (ENETUNREACH). \
             127.0.0.1 is this machine itself, so its loopback interface \
             is down: `ip link show lo`, and as root `ip link set lo up`"
        )),
        _ => error,
    })
}

/// The oldest connection of the queue.
pub fn accept(listener: &Socket) -> Result<Socket> {
    // ---- 8 accept() ------------------------------------------------------
    // One socket more, with the listener's own address and port. What is
    // new is the peer: four numbers identify it.       [T-Q4] (viva 4)
    let (made, _) = step("accept", Some(listener), "", || listener.accept())?;
    let limited = made.set_read_timeout(Some(PATIENCE));
    limited.map_err(|error| Error::new("setsockopt", "timeout", error))?;
    Ok(made)
}

/// This end, as the kernel knows it.
pub fn name(socket: &Socket) -> Result<SocketAddr> {
    // ---- 9 getsockname() -------------------------------------------------
    // The answer to "which port have I got?", after bind(0) and after
    // connect(). getpeername() is the same for the other end.   (viva 14)
    let local = socket.local_addr();
    local
        .map_err(|error| Error::new("getsockname", "", error))?
        .as_socket()
        .ok_or_else(|| Error::other("getsockname(): not an IP address"))
}

/// The other end.
pub fn peer(socket: &Socket) -> Result<SocketAddr> {
    let peer = socket.peer_addr();
    peer.map_err(|error| Error::new("getpeername", "", error))?
        .as_socket()
        .ok_or_else(|| Error::other("getpeername(): not an IP address"))
}

/// Gives the descriptors back.
pub fn close(sockets: impl IntoIterator<Item = Socket>) {
    for socket in sockets {
        // ---- 10 close() --------------------------------------------------
        // The number of the descriptor is free again; the port is, too, but
        // for the end that closed first: TIME_WAIT. [T-Q5] [T-Q6]
        net::close(socket);
    }
}

/// Waits until `count` bytes are there, without taking them.
pub fn wait_for(socket: &Socket, count: usize) -> Result<()> {
    let mut buffer = vec![0; count];
    let flags = RecvFlags::PEEK | RecvFlags::WAITALL;
    let found = step("recv", Some(socket), "MSG_PEEK, MSG_WAITALL", || {
        let (_, ready) = recv(socket, buffer.as_mut_slice(), flags)?;
        Ok(ready)
    })?;
    match found {
        found if found >= count => Ok(()),
        found => Err(Error::other(format!("only {found} of {count} bytes"))),
    }
}

/// One recv(), with room for all that is there.
pub fn receive(mut socket: &Socket) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 64];
    let count = socket.read(&mut buffer)?;
    buffer.truncate(count);
    Ok(buffer)
}

/// What the kernel made of a socket: SO_DOMAIN, SO_TYPE, SO_PROTOCOL.
pub fn became(socket: &Socket) -> [String; 3] {
    let ask = |found: io::Result<String>| found.unwrap_or("?".into());
    #[cfg(target_os = "linux")]
    let (domain, protocol) = (
        ask(socket.domain().map(|domain| constants::family(domain.into()))),
        ask(socket.protocol().map(|protocol| {
            constants::protocol(protocol.map_or(0, i32::from))
        })),
    );
    #[cfg(not(target_os = "linux"))] // nobody else has SO_DOMAIN
    let (domain, protocol) = ("?".to_string(), "?".to_string());
    let kind = ask(socket.r#type().map(|kind| constants::kind(kind.into())));
    [domain, kind, protocol]
}
