//! Live sockets on 127.0.0.1: steps 4 to 10, a function for each call, and
//! what the kernel tells of a socket. The topics of `names show` use them.
//!
//! ```text
//! server   4 socket   5 bind   6 listen            8 accept   10 close
//! client   4 socket                     7 connect             10 close
//! either   9 getsockname: which address and port have I got?
//! ```
//!
//! Ports are chosen by the kernel, and every wait has a deadline.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::{RecvFlags, recv};
#[cfg(target_os = "linux")]
use socket2::Protocol;
use socket2::{Domain, SockAddr, Socket, Type};
use socketlab::net::{self, step};
use socketlab::{Error, Result};

use crate::constants;

/// A topic that hangs would be worse than one that fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket of this family and type, with a deadline on every wait.
pub fn socket(family: Domain, kind: Type) -> Result<Socket> {
    // ---- 4 socket() ------------------------------------------------------
    // Domain, type, protocol: the handout's first three words are the three
    // arguments. The last is 0, which is not a protocol: the kernel takes
    // the family's usual one of this type, TCP for a stream.    (viva 13)
    let on =
        format!("{}, {}, 0", constants::family(family), constants::kind(kind));
    let made = step("socket", None, on, || Socket::new(family, kind, None))?;
    set_deadline(&made)?;
    Ok(made)
}

/// Lets no send() and no recv() of this socket wait longer than ten seconds.
pub fn set_deadline(socket: &Socket) -> Result<()> {
    socket
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| socket.set_write_timeout(Some(PATIENCE)))
        .map_err(|error| Error::new("setsockopt", "timeout", error))
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

/// Makes a server of a bound socket.
pub fn listen(socket: &Socket) -> Result<()> {
    // ---- 6 listen() ------------------------------------------------------
    // This makes it a server, the side that waits at an address that others
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

/// Makes a client of a socket.
pub fn connect(socket: &Socket, server: SocketAddr) -> Result<()> {
    // ---- 7 connect() -----------------------------------------------------
    // This makes it a client, the side that begins. A socket without a port
    // gets one now, and an address to go with it.  [T-Q1] [T-Q6] (viva 6)
    net::connect(socket, server)
}

/// Takes the oldest connection of the listener's queue.
pub fn accept(listener: &Socket) -> Result<Socket> {
    // ---- 8 accept() ------------------------------------------------------
    // One socket more, with the listener's own address and port. What is
    // new is the peer: four numbers identify it.       [T-Q4] (viva 4)
    let (made, _) = step("accept", Some(listener), "", || listener.accept())?;
    set_deadline(&made)?;
    Ok(made)
}

/// The address and port of this end, as the kernel knows them.
pub fn name(socket: &Socket) -> Result<SocketAddr> {
    // ---- 9 getsockname() -------------------------------------------------
    // The answer to "which port have I got?", after bind(0) and after
    // connect(). getpeername() is the same for the other end.   (viva 14)
    ip_address("getsockname", socket.local_addr())
}

/// The address and port of the other end.
pub fn peer(socket: &Socket) -> Result<SocketAddr> {
    ip_address("getpeername", socket.peer_addr())
}

fn ip_address(
    call: &'static str,
    found: io::Result<SockAddr>,
) -> Result<SocketAddr> {
    let found = found.map_err(|error| Error::new(call, "", error))?;
    let not_ip = || Error::other(format!("{call}(): not an IP address"));
    found.as_socket().ok_or_else(not_ip)
}

/// Closes all these sockets.
pub fn close(sockets: impl IntoIterator<Item = Socket>) {
    for socket in sockets {
        // ---- 10 close() --------------------------------------------------
        // The number of the descriptor is free again. So is the port, except
        // at the end that closed first: TIME_WAIT.  [T-Q5] [T-Q6]
        net::close(socket);
    }
}

/// Waits until `count` bytes have arrived, and leaves them unread.
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

/// What one recv() returns: up to 64 bytes, more than any topic sends.
pub fn receive(mut socket: &Socket) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 64];
    let count = socket.read(&mut buffer)?;
    buffer.truncate(count);
    Ok(buffer)
}

/// What the kernel made of a socket: SO_DOMAIN, SO_TYPE, SO_PROTOCOL. A `?`
/// where it does not tell.
pub fn became(socket: &Socket) -> [String; 3] {
    let told = |found: io::Result<String>| found.unwrap_or("?".into());
    let kind = told(socket.r#type().map(constants::kind));
    #[cfg(target_os = "linux")]
    {
        let number = |protocol: Option<Protocol>| protocol.map_or(0, i32::from);
        let protocol = socket.protocol().map(number).map(constants::protocol);
        [told(socket.domain().map(constants::family)), kind, told(protocol)]
    }
    #[cfg(not(target_os = "linux"))] // only Linux has SO_DOMAIN
    ["?".into(), kind, "?".into()]
}

/// An error unless a topic saw what it says, so that the exit status tells.
pub fn expect(seen: bool, what: &str) -> Result<()> {
    match seen {
        true => Ok(()),
        false => Err(Error::other(format!("not seen on this system: {what}"))),
    }
}
