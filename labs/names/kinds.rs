//! Three properties: TCP has a connection, no boundaries, and is reliable.
//! Other sockets combine these properties in other ways.
//!
//! ```text
//!                       connection   boundaries   reliable
//! AF_INET SOCK_STREAM      yes          no          while connected
//! AF_INET SOCK_DGRAM       no           yes         no
//! AF_UNIX SOCK_SEQPACKET   yes          yes         yes
//! AF_UNIX SOCK_DGRAM       no           yes         yes
//! ```
//!
//! So "connection-oriented" does not mean "stream", and "connectionless" does
//! not mean "unreliable". This file tries each row.
//! [T-Q8] (viva 7) (viva 17)

use std::io::{self, Write};

use socket2::{Domain, Socket, Type};
use socketlab::{Error, Result, console, say};

use crate::constants;
use crate::live_sockets::{
    accept, bind, client, close, expect, listener, name, receive, set_deadline,
    socket, wait_for,
};
use crate::page::text;

/// Sends two messages, one after the other, on each kind of socket, and
/// prints what one recv() returns.
pub fn kinds() -> Result<()> {
    say!("socket()                 connect()  send 'one', send 'two', recv()");
    let (listener, server) = listener()?;
    let sender = client(server)?;
    let reader = accept(&listener)?;
    row(Domain::IPV4, Type::STREAM, true, &try_two(&sender, &reader)?);
    close([sender, reader, listener]);

    // UDP: bind() is enough for the reader, and the sender does not connect.
    // Each sendto() makes one datagram. Python: s.sendto()  C: sendto()
    let reader = socket(Domain::IPV4, Type::DGRAM)?;
    let to = bind(&reader, 0)?;
    let sender = socket(Domain::IPV4, Type::DGRAM)?;
    for word in ["one", "two"] {
        sender
            .send_to(word.as_bytes(), &to.into())
            .map_err(|error| Error::new("sendto", to, error))?;
    }
    row(Domain::IPV4, Type::DGRAM, false, &receive_once(&reader)?);
    close([sender, reader]);

    // AF_UNIX: both ends are on this machine, so socketpair() can make two
    // connected sockets in one call. Python: socket.socketpair()
    for (kind, connected) in
        [(Type::STREAM, true), (Type::SEQPACKET, true), (Type::DGRAM, false)]
    {
        match Socket::pair(Domain::UNIX, kind, None) {
            Ok((sender, reader)) => {
                let found = try_two(&sender, &reader)?;
                row(Domain::UNIX, kind, connected, &found);
                close([sender, reader]);
            }
            Err(error) => {
                row(Domain::UNIX, kind, connected, &error.to_string())
            }
        }
    }
    text(
        "SEQPACKET has a connection but no stream. AF_UNIX with SOCK_DGRAM \
         has no connection but loses no data, because the sender waits. Only \
         UDP may lose, duplicate and reorder messages, because IP does so.",
    );
    Ok(())
}

fn row(family: Domain, kind: Type, connected: bool, found: &str) {
    let asked =
        format!("{}, {}", constants::family(family), constants::kind(kind));
    let connected = if connected { "yes" } else { "no" };
    say!("{asked:<24} {connected:<10} {found}");
}

/// Sends two messages and returns what one recv() returns.
fn try_two(mut sender: &Socket, reader: &Socket) -> Result<String> {
    set_deadline(reader)?;
    for word in ["one", "two"] {
        sender
            .write_all(word.as_bytes())
            .map_err(|error| Error::new("send", "", error))?;
    }
    receive_once(reader)
}

/// Waits until all six bytes have arrived, and returns what one recv() returns.
fn receive_once(reader: &Socket) -> Result<String> {
    let stream = reader.r#type().is_ok_and(|kind| kind == Type::STREAM);
    if stream {
        // Otherwise recv() might run before the second message arrives.
        wait_for(reader, 6)?;
    }
    let bytes = receive(reader).map_err(|e| Error::new("recv", "", e))?;
    let wanted: &[u8] = if stream { b"onetwo" } else { b"one" };
    expect(bytes == wanted, "only a stream has no message boundaries")?;
    let kept = if stream { "no boundary" } else { "boundary kept" };
    Ok(format!("'{}': {kept}", console::escape(&bytes)))
}

/// send() succeeds, although the peer never reads the bytes: it closes, and
/// its kernel sends RST because of the unread bytes.       [T-Q4] (viva 20)
pub fn lost() -> Result<()> {
    let (listener, server) = listener()?;
    let mut sender = client(server)?;
    let reader = accept(&listener)?;
    let count = sender
        .write(b"0123456789")
        .map_err(|error| Error::new("send", server, error))?;
    // When the bytes are in the reader's buffer, its kernel has sent an ACK.
    wait_for(&reader, count)?;
    let far = name(&reader)?;
    say!("client: send() = {count}, and {far} has acknowledged the bytes");
    close([reader]);
    say!("server: close() without a recv(): its kernel sends RST, not FIN");
    // The sender learns of the loss only from its next call.
    let reset = match receive(&sender) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            say!("client: recv() fails: {}", constants::failure(&error));
            true
        }
        Err(error) => return Err(Error::new("recv", server, error)),
        Ok(_) => false,
    };
    expect(reset, "a close with unread bytes resets the connection")?;
    text(
        "The server did not read the ten bytes, but send() reported no \
         error. TCP is reliable only while the connection exists, and only \
         up to the kernel of the other side. Only a reply of the other \
         program shows that it has read the bytes.",
    );
    close([sender, listener]);
    Ok(())
}
