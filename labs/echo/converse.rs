//! The conversation of task 3: echo until `exit` or `stop`. The servers of
//! this lab differ in who runs it: task3_server.rs itself, a thread in
//! threads_server.rs and tcp_server.rs.                       [E-T3]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use socketlab::net::TcpSocket;
use socketlab::{Result, console, say};

use crate::command::{Command, CommandFinder};

/// A client that stays silent for so long is disconnected, because its thread
/// is worth more, and in the sequential server everybody waits for its end.
const IDLE: Duration = Duration::from_secs(600);

/// Silence after which a message without a newline counts as complete.
const PAUSE: Duration = Duration::from_millis(200);

/// A program that waits for its echo sends its next message sooner than this
/// after the echo. A person who types takes longer than [`PAUSE`].
const QUICKLY: Duration = Duration::from_millis(40);

/// Bytes asked for at once. Pages of it that are never filled cost nothing.
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
    let mut finder = CommandFinder::default();
    let mut buffer = vec![0; CHUNK];
    let mut patience = IDLE;
    client.set_recv_timeout(Some(patience))?;
    let mut echoed: Option<Instant> = None;
    let command = loop {
        // ---- 5 recv() ----------------------------------------------------
        // Waits long for the next message, but only a moment for the rest of
        // one: "stop" may be the first half of "stopwatch".
        let wanted = if finder.is_in_message() { PAUSE } else { IDLE };
        if wanted != patience {
            client.set_recv_timeout(Some(wanted))?;
            patience = wanted;
        }
        let count = match client.recv(&mut buffer) {
            // End of stream: a "stop" without a newline was complete.
            Ok(0) => break finder.end_message(),
            Ok(count) => count,
            Err(error) if error.is_timeout() && finder.is_in_message() => {
                match finder.end_message() {
                    None => continue,
                    command => break command,
                }
            }
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        let quickly = echoed.is_some_and(|at| at.elapsed() < QUICKLY);
        let (count, command) = finder.feed(bytes, quickly);
        let bytes = bytes.get(..count).unwrap_or_default();
        if show {
            let shown = console::escape_short(bytes, 60);
            let s = if count == 1 { "" } else { "s" };
            say!("[{peer}] {count} byte{s}: {shown}");
        }

        // ---- 6 send() ----------------------------------------------------
        // Back as it came, the command too. While the client does not read,
        // this waits, and we do not read either: TCP's flow control reaches
        // through us to its sender.                    [E-T2] (viva 14)
        client.send_all(bytes)?;
        echoed = Some(Instant::now());
        if command.is_some() {
            break command;
        }
    };
    // End of stream: the client has closed, or this server is being stopped.
    match command {
        Some(Command::Exit) => say!("[{peer}] left: exit"),
        Some(Command::Stop) => say!("[{peer}] left: stop"),
        None => say!("[{peer}] left: end of stream"),
    }

    // ---- 7 close() -------------------------------------------------------
    // FIN first, then what the client still sends is read and thrown away:
    // a bare close() with unread bytes would send RST, and the client might
    // lose the end of its echo.                        [E-S6] (viva 12)
    client.finish();
    Ok(command)
}
