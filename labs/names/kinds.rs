//! Three properties that go together in TCP, and apart elsewhere.
//!
//! ```text
//!                       connection   boundaries   reliable
//! AF_INET SOCK_STREAM      yes          no          yes, while it lives
//! AF_INET SOCK_DGRAM       no           yes         no
//! AF_UNIX SOCK_SEQPACKET   yes          yes         yes
//! AF_UNIX SOCK_DGRAM       no           yes         yes
//! ```
//!
//! So "connection-oriented" does not mean "stream", and "connectionless" not
//! "unreliable". Each row is tried here.       [T-Q8] (viva 7) (viva 17)

use std::io::{self, Write};

use socket2::{Domain, Socket, Type};
use socketlab::{Error, Result, console, say};

use crate::constants;
use crate::live_sockets::{
    accept, bind, client, close, expect, listener, name, receive, set_deadline,
    socket, wait_for,
};
use crate::page::text;

/// Two messages go in one after the other; what does one recv() give?
pub fn kinds() -> Result<()> {
    say!("socket()                 connect()  send 'one', send 'two', recv()");
    let (listener, server) = listener()?;
    let sender = client(server)?;
    let reader = accept(&listener)?;
    row(Domain::IPV4, Type::STREAM, true, &try_two(&sender, &reader)?);
    close([sender, reader, listener]);

    let reader = socket(Domain::IPV4, Type::DGRAM)?;
    let to = bind(&reader, 0)?;
    let sender = socket(Domain::IPV4, Type::DGRAM)?;
    for word in ["one", "two"] {
        sender
            .send_to(word.as_bytes(), &to.into())
            .map_err(|error| Error::new("sendto", to, error))?;
    }
    row(Domain::IPV4, Type::DGRAM, false, &take(&reader)?);
    close([sender, reader]);

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
        "A connection does not make a stream (SEQPACKET), and having none \
         does not lose data (AF_UNIX, SOCK_DGRAM: the sender waits instead). \
         Only UDP may lose, double and reorder: IP below it does.",
    );
    Ok(())
}

fn row(family: Domain, kind: Type, connected: bool, found: &str) {
    let asked =
        format!("{}, {}", constants::family(family), constants::kind(kind));
    let connected = if connected { "yes" } else { "no" };
    say!("{asked:<24} {connected:<10} {found}");
}

/// Sends two messages and takes what one recv() gives.
fn try_two(mut sender: &Socket, reader: &Socket) -> Result<String> {
    set_deadline(reader)?;
    for word in ["one", "two"] {
        sender
            .write_all(word.as_bytes())
            .map_err(|error| Error::new("send", "", error))?;
    }
    take(reader)
}

/// What one recv() gives when all six bytes have arrived.
fn take(reader: &Socket) -> Result<String> {
    let stream = reader.r#type().is_ok_and(|kind| kind == Type::STREAM);
    if stream {
        wait_for(reader, 6)?; // or one recv() might come between the two
    }
    let bytes = receive(reader).map_err(|e| Error::new("recv", "", e))?;
    let wanted: &[u8] = if stream { b"onetwo" } else { b"one" };
    expect(bytes == wanted, "a stream has no boundaries, all others do")?;
    let kept = if stream { "no boundary" } else { "boundary kept" };
    Ok(format!("'{}': {kept}", console::escape(&bytes)))
}

/// A send() that succeeded, and a peer that never read.    [T-Q4] (viva 20)
pub fn lost() -> Result<()> {
    let (listener, server) = listener()?;
    let mut sender = client(server)?;
    let reader = accept(&listener)?;
    let count = sender
        .write(b"0123456789")
        .map_err(|error| Error::new("send", server, error))?;
    wait_for(&reader, count)?;
    let far = name(&reader)?;
    say!("client: send() = {count}, and {far} has acknowledged the bytes");
    close([reader]);
    say!("server: close() without a recv(): its kernel sends RST, not FIN");
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
        "Nobody read the ten bytes, and send() had said nothing of it. TCP \
         is reliable while the connection lives, and up to the kernel of the \
         other side; whether a program has read them, only an answer of that \
         program can tell.",
    );
    close([sender, listener]);
    Ok(())
}
