//! How the kernel distinguishes sockets: a port is not enough.
//!
//! ```text
//! TCP 127.0.0.1:5000  *                    listener: two numbers
//! TCP 127.0.0.1:5000  127.0.0.1:50122      accepted: four numbers
//! TCP 127.0.0.1:5000  127.0.0.1:50124      accepted: four numbers
//! UDP 127.0.0.1:5000  *                    port 5000 of another protocol
//! ```
//!
//! For each segment the kernel first looks for the connection with all four
//! numbers. If there is none and the segment is a SYN, it looks for a listener.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};
use socketlab::{Error, Result, say};

use crate::live_sockets::{
    accept, bind, client, close, connect, expect, listen, listener, name, peer,
    receive, socket,
};
use crate::page::{item, text};
use crate::ranges;

/// How often to try for a port that is free in TCP and in UDP.
const TRIES: usize = 50;

/// Two clients and one listener: five sockets. The two accepted ones differ
/// only in their peers.                                   [T-Q4] (viva 4)
pub fn four() -> Result<()> {
    let (listener, server) = listener()?;
    // Two clients on one machine: their addresses are equal, so the kernel
    // gives them different ports.
    let (one, two) = (client(server)?, client(server)?);
    text(
        "Both connect() calls have returned, although accept() has not run \
         yet: after listen() the kernel completes handshakes and queues them.",
    );
    let (first, second) = (accept(&listener)?, accept(&listener)?);
    say!("{:<12} {:<22} getpeername()", "socket", "getsockname()");
    say!("{:<12} {:<22} none", "listener", server.to_string());
    for (label, socket) in [
        ("client 1", &one),
        ("client 2", &two),
        ("accepted 1", &first),
        ("accepted 2", &second),
    ] {
        let (local, far) = (name(socket)?, peer(socket)?);
        say!("{label:<12} {:<22} {far}", local.to_string());
    }
    // Client 2 sends first. Each accepted socket still gets only the bytes
    // of its own client, because every segment contains the 4-tuple.
    let mut found = Vec::new();
    for (mut sender, word) in [(&two, "two"), (&one, "one")] {
        sender
            .write_all(word.as_bytes())
            .map_err(|error| Error::new("send", server, error))?;
    }
    for accepted in [&first, &second] {
        let bytes = receive(accepted)
            .map_err(|error| Error::new("recv", server, error))?;
        found.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    expect(found == ["one", "two"], "each connection has its own bytes")?;
    text(
        "Client 2 sent 'two', then client 1 sent 'one'; accepted 1 received \
         'one', accepted 2 'two'. Three sockets here have the server's port. \
         The kernel distinguishes them by the 4-tuple, which includes the \
         peer's address and port.",
    );
    close([one, two, first, second, listener]);
    Ok(())
}

/// The same port number in TCP and in UDP.               (viva 15) [T-Q3]
pub fn same_port() -> Result<()> {
    let (tcp, udp, address) = pair()?;
    item("TCP", &format!("{address}: bind() and listen() done"));
    item("UDP", &format!("{address}: bind() works: UDP has its own ports"));
    for (label, kind) in [("TCP", Type::STREAM), ("UDP", Type::DGRAM)] {
        // A second bind() of the same protocol, address and port fails, since
        // the kernel could not know which socket should get the data.
        let again = socket(Domain::IPV4, kind)?;
        let refused = match bind(&again, address.port()) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => true,
            Err(error) => return Err(error),
            Ok(_) => false,
        };
        expect(refused, "a second socket of the same kind is refused")?;
        let told = "a second time: Address already in use (EADDRINUSE)";
        item(label, &format!("{address} {told}"));
        close([again]);
    }
    // On Linux all of 127.0.0.0/8 is loopback, so 127.0.0.2 is a second
    // address of this machine. Its ports are free.
    let other = SocketAddr::from(([127, 0, 0, 2], address.port()));
    let second = socket(Domain::IPV4, Type::STREAM)?;
    match second.bind(&other.into()).and_then(|()| second.listen(5)) {
        Ok(()) => item("TCP", &format!("{other}: works: another address")),
        Err(error) => {
            let only = "only Linux has all of 127.0.0.0/8";
            item("TCP", &format!("{other}: {error} ({only})"));
        }
    }
    text(
        "A port is in use for one protocol and one address. There are 65535 \
         for TCP and 65535 for UDP, on each address.",
    );
    close([second, tcp, udp]);
    Ok(())
}

/// A TCP listener and a UDP socket on the same number.
fn pair() -> Result<(Socket, Socket, SocketAddr)> {
    for _ in 0..TRIES {
        let tcp = socket(Domain::IPV4, Type::STREAM)?;
        let address = bind(&tcp, 0)?;
        listen(&tcp)?;
        let udp = socket(Domain::IPV4, Type::DGRAM)?;
        if bind(&udp, address.port()).is_ok() {
            return Ok((tcp, udp, address));
        }
        // Another program uses this port in UDP, so try another one.
    }
    let why = "no port was free in TCP and in UDP at the same time";
    Err(Error::other(why))
}

/// Shows that the kernel chooses the client's port in connect(). (viva 14)
pub fn ephemeral() -> Result<()> {
    let (listener, server) = listener()?;
    // No bind(): the new socket has the address 0.0.0.0 and the port 0.
    let idle = socket(Domain::IPV4, Type::STREAM)?;
    let before = name(&idle)?;
    item("before", &format!("socket() done: getsockname() says {before}"));
    connect(&idle, server)?;
    let after = name(&idle)?;
    item("after", &format!("connect() done: getsockname() says {after}"));
    expect(
        before.ip() == Ipv4Addr::UNSPECIFIED && before.port() == 0,
        "no port before connect()",
    )?;
    expect(after.port() != 0, "a port after connect()")?;
    // A UDP client needs no connect(). The kernel gives it a port when it
    // sends its first datagram, so that the peer can reply.
    let aim = socket(Domain::IPV4, Type::DGRAM)?;
    let to = bind(&aim, 0)?;
    let udp = socket(Domain::IPV4, Type::DGRAM)?;
    udp.send_to(b"", &to.into())
        .map_err(|error| Error::new("sendto", to, error))?;
    let lent = name(&udp)?.port();
    item("UDP", &format!("the first sendto() does the same: port {lent}"));
    match ranges::ephemeral() {
        Some(range) => {
            let inside = range.contains(&after.port()) && range.contains(&lent);
            expect(inside, "both of them from ip_local_port_range")?;
            let (least, most) = (range.start(), range.end());
            let text = format!(
                "{least} to {most} on this kernel (ip_local_port_range); all \
                 of them are in it. IANA advises 49152 to 65535, and the \
                 handout's own screen shows 48437"
            );
            item("range", &text);
        }
        None => item("range", "this system does not show it in /proc"),
    }
    close([idle, udp, aim, listener]);
    Ok(())
}
