//! The conversation of task 3 with what a server needs in use: echo until
//! `stop` or `exit`. A thread per client runs it, in threads_server.rs and
//! tcp_server.rs.                                              [E-T3]

use std::net::SocketAddr;
use std::time::Duration;

use socketlab::net::TcpSocket;
use socketlab::{Result, clients, console, say};

use crate::command::{Command, CommandFinder};

/// A client that is silent for this time is disconnected, because a machine
/// without power sends no FIN, and its thread would never end.
const IDLE: Duration = Duration::from_secs(600);

/// Bytes that one recv() may return. Memory pages that stay empty cost nothing.
const CHUNK: usize = 64 * 1024;

/// Echoes to one client until it closes or gives a command, and returns
/// that command. `show` prints each piece.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    show: bool,
) -> Result<Option<Command>> {
    // Small answers leave at once instead of waiting for an acknowledgement.
    client.set_no_delay()?;
    client.set_recv_timeout(Some(IDLE))?;
    let mut finder = CommandFinder::default();
    let mut buffer = vec![0; CHUNK];
    let command = loop {
        // ---- 5 recv() ----------------------------------------------------
        // Blocks until bytes arrive, and returns what is there: one message,
        // a part of it, or several. 0 is end of stream.     (viva 7) (viva 8)
        let count = client.recv(&mut buffer)?;
        if count == 0 {
            break None;
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let (count, command) = finder.feed(bytes);
        let bytes = bytes.get(..count).unwrap_or_default();
        if show {
            let s = if count == 1 { "" } else { "s" };
            say!("[{peer}] {count} byte{s}: {}", console::message(bytes));
        }

        // ---- 6 send() ----------------------------------------------------
        // The same bytes, also those of a command. While the client does not
        // read, this call blocks, so we do not read either: TCP's flow control
        // then stops the client's own send(). [E-T2] (viva 10) (viva 14)
        client.send_all(bytes)?;
        if command.is_some() {
            break command;
        }
    };
    match command {
        Some(command) => say!("[{peer}] left: {command}"),
        None => say!("[{peer}] {}", clients::end_of_stream()),
    }

    // ---- 7 close() -------------------------------------------------------
    // Sends FIN, then discards what the client still sends, because close()
    // with unread bytes would send RST, and the client might lose the end of
    // its echo.                        [E-S6] (viva 12)
    client.finish();
    Ok(command)
}
