//! Real sockets on 127.0.0.1: steps 4 to 10, with one function for each call,
//! and the options that the kernel reports. `names show` uses them.
//!
//! ```text
//! server   4 socket   5 bind   6 listen            8 accept   10 close
//! client   4 socket                     7 connect             10 close
//! either   9 getsockname: the address and port of this socket
//! ```
//!
//! The kernel chooses the ports, and every wait has a deadline.

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

/// A call that waits longer than this fails, so that the program ends.
const DEADLINE: Duration = Duration::from_secs(10);

/// A socket of this family and type, with a deadline on every wait.
pub fn socket(family: Domain, kind: Type) -> Result<Socket> {
    // ---- 4 socket() ------------------------------------------------------
    // The three arguments are the handout's first three words: domain, type,
    // protocol. The protocol 0 is a request: the kernel chooses the usual
    // protocol of this domain and type, such as TCP.            (viva 13)
    // Python: socket.socket()  C: socket()
    let on =
        format!("{}, {}, 0", constants::family(family), constants::kind(kind));
    let made = step("socket", None, on, || Socket::new(family, kind, None))?;
    set_deadline(&made)?;
    Ok(made)
}

/// Limits each send() and recv() of this socket to ten seconds.
pub fn set_deadline(socket: &Socket) -> Result<()> {
    socket
        .set_read_timeout(Some(DEADLINE))
        .and_then(|()| socket.set_write_timeout(Some(DEADLINE)))
        .map_err(|error| Error::new("setsockopt", "timeout", error))
}

/// Binds to 127.0.0.1 and a port. With port 0 the kernel chooses one.
pub fn bind(socket: &Socket, port: u16) -> Result<SocketAddr> {
    // ---- 5 bind() --------------------------------------------------------
    // The last two words, hostname and port, are an address of THIS machine.
    // Clients reach the socket at it. The kernel gets the bytes of a sockaddr;
    // names must be looked up before.                           (viva 9)
    // Python: s.bind()  C: bind()
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

/// Makes a bound socket a listening one.
pub fn listen(socket: &Socket) -> Result<()> {
    // ---- 6 listen() ------------------------------------------------------
    // listen() makes this the server: the side that waits at a known address.
    // From now on the kernel completes handshakes. It queues up to 5 + 1
    // connections until accept().             [T-Q2] [T-Q5] (viva 2)
    // Python: s.listen(5)  C: listen(fd, 5)
    step("listen", Some(socket), 5, || socket.listen(5))
}

/// A TCP client of that server, connected.
pub fn client(server: SocketAddr) -> Result<Socket> {
    let socket = socket(Domain::IPV4, Type::STREAM)?;
    connect(&socket, server)?;
    Ok(socket)
}

/// Connects a socket to a server.
pub fn connect(socket: &Socket, server: SocketAddr) -> Result<()> {
    // ---- 7 connect() -----------------------------------------------------
    // connect() makes this the client: the side that begins. The kernel also
    // gives the socket an address and a port.      [T-Q1] [T-Q6] (viva 6)
    // Python: s.connect()  C: connect()
    net::connect(socket, server)
}

/// Takes the oldest connection from the listener's queue.
pub fn accept(listener: &Socket) -> Result<Socket> {
    // ---- 8 accept() ------------------------------------------------------
    // accept() returns a new socket. Its own address and port are those of
    // the listener; only the peer's address and port distinguish it from the
    // other connections.                               [T-Q4] (viva 4)
    // Python: s.accept()  C: accept()
    let (made, _) = step("accept", Some(listener), "", || listener.accept())?;
    set_deadline(&made)?;
    Ok(made)
}

/// The address and port of this end.
pub fn name(socket: &Socket) -> Result<SocketAddr> {
    // ---- 9 getsockname() -------------------------------------------------
    // Returns the port that the kernel chose in bind() with port 0, or in
    // connect(). getpeername() does the same for the other end. (viva 14)
    // Python: s.getsockname()  C: getsockname()
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
        // The descriptor is free again. The port is free, too, except at the
        // end that closed first: the kernel keeps it in TIME_WAIT for 60 s.
        // Python: s.close()  C: close()             [T-Q5] [T-Q6]
        net::close(socket);
    }
}

/// Waits until `count` bytes have arrived. MSG_PEEK leaves them unread.
pub fn wait_for(socket: &Socket, count: usize) -> Result<()> {
    let mut buffer = vec![0; count];
    let flags = RecvFlags::PEEK | RecvFlags::WAITALL;
    let found = step("recv", Some(socket), "MSG_PEEK, MSG_WAITALL", || {
        let (_, ready) = recv(socket, buffer.as_mut_slice(), flags)?;
        Ok(ready)
    })?;
    match found {
        found if found >= count => Ok(()),
        found => {
            let why = format!("only {found} of {count} bytes arrived");
            Err(Error::other(why))
        }
    }
}

/// Calls recv() once, for up to 64 bytes. No topic sends more than that.
pub fn receive(mut socket: &Socket) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 64];
    let count = socket.read(&mut buffer)?;
    buffer.truncate(count);
    Ok(buffer)
}

/// The values that the kernel has given a socket: SO_DOMAIN, SO_TYPE,
/// SO_PROTOCOL. `?` means that this system does not report the value.
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

/// Returns an error unless the topic has seen what it claims, so that the
/// program ends with status 1.
pub fn expect(seen: bool, what: &str) -> Result<()> {
    match seen {
        true => Ok(()),
        false => Err(Error::other(format!("not seen on this system: {what}"))),
    }
}
