//! A session: one client's conversation with the calculator, from its name to
//! its `q`. sequential_server.rs calls this directly, server.rs in a thread for
//! each client.
//!
//! STATEFUL, see protocol.rs: the state is the variable `name` in `converse`,
//! which exists as long as that call. [G-7b] (viva 7)

use std::net::SocketAddr;
use std::time::Duration;

use socketlab::clients::{end_of_stream, is_stopping};
use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::{Result, args, console, say};

use crate::expr::parse;
use crate::number::evaluate;
use crate::protocol::{LONGEST_MESSAGE, check_name, is_farewell};

/// How long to wait for a client. Both have an option.
#[derive(Clone, Copy)]
pub struct Patience {
    /// Silence before the next message; then the session ends.
    idle: Duration,
    /// Silence after a message without a newline; then it counts as complete,
    /// which is a guess. Zero: never guess.
    pause: Duration,
}

impl Patience {
    /// `--idle` in seconds and `--pause` in milliseconds.
    pub fn new(idle: u64, pause: u64) -> Patience {
        let idle = args::in_range("--idle", idle, 1, 86_400);
        let pause = args::in_range("--pause", pause, 0, 10_000);
        Patience {
            idle: Duration::from_secs(idle),
            pause: Duration::from_millis(pause),
        }
    }
}

/// Serves one client until it sends `q` or leaves.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    patience: Patience,
) -> Result<()> {
    // Sends each reply at once, because Nagle's algorithm could delay the
    // second of two until the first is acknowledged. (viva 14)
    client.set_no_delay()?;
    let mut reader =
        LineReader::new(client.clone(), LONGEST_MESSAGE, patience.idle);
    if !patience.pause.is_zero() {
        reader.accept_pause(patience.pause);
    }

    // The first message is the name, remembered from here on.        [G-6a]
    let name = match next_message(&mut reader, &client)? {
        Message::Text(message) => check_name(&message).map(console::escape),
        Message::TooLong => Err("the name is too long".into()),
        Message::End => {
            say!("[{peer}] {}", ended_without("name"));
            return Ok(());
        }
    };
    match name {
        Ok(name) => {
            say!("[{peer}] is {name}");
            calculate(&mut reader, &client, peer, &name)?;
        }
        Err(reason) => {
            say!("[{peer}] refused: {reason}");
            client.send_all(format!("error: {reason}\n").as_bytes())?;
        }
    }

    // ---- 7 close() -------------------------------------------------------
    // Sends FIN, then discards what the client still sent, because close() with
    // unread bytes would send RST. [G-6d] (viva 8) (viva 11)
    drop(reader); // it holds a handle of the socket as well
    client.finish();
    Ok(())
}

/// The loop of question 6: a calculation, a reply, until `q`.
fn calculate(
    reader: &mut LineReader,
    client: &TcpSocket,
    peer: SocketAddr,
    name: &str,
) -> Result<()> {
    loop {
        let answer = match next_message(reader, client)? {
            Message::Text(message) if is_farewell(&message) => {
                // One say!, so that no other session's line comes between the
                // two. [G-6d]
                say!("[{peer}] {name}: q\nSession ended");
                return Ok(());
            }
            Message::Text(message) => {
                let shown = console::message(&message);
                say!("[{peer}] {name}: {shown}"); // [G-6c]
                parse(&message)
                    .and_then(|expression| evaluate(&expression))
                    .unwrap_or_else(|reason| format!("error: {reason}"))
            }
            Message::TooLong => {
                say!("[{peer}] {name}: (a message that is too long)");
                format!("error: at most {LONGEST_MESSAGE} bytes a message")
            }
            Message::End => {
                say!("[{peer}] {name} {}", ended_without("q"));
                return Ok(());
            }
        };

        // ---- 6 send() ----------------------------------------------------
        // Wrong input gets a reply, too, because it is the user's error, and
        // the session stays open. One write for the line and its newline.
        //                                            [G-6c] (viva 12)
        client.send_all(format!("{answer}\n").as_bytes())?;
    }
}

/// Which side ended the session: the client, or the server that is stopping.
fn ended_without(word: &str) -> String {
    match is_stopping() {
        true => end_of_stream().into(),
        false => format!("{}, no {word}", end_of_stream()),
    }
}

/// A client's message.
enum Message {
    Text(Vec<u8>),
    TooLong,
    End,
}

fn next_message(
    reader: &mut LineReader,
    client: &TcpSocket,
) -> Result<Message> {
    // ---- 5 recv() --------------------------------------------------------
    // The reader calls recv() until a message is complete. Two messages in one
    // segment are still two. When a client is killed, its kernel sends FIN,
    // which is end of stream, or RST, which is an error. (viva 8)
    match reader.read() {
        Ok(Received::Line(text) | Received::Unterminated(text)) => {
            Ok(Message::Text(text))
        }
        Ok(Received::TooLong) => Ok(Message::TooLong),
        Ok(Received::End) => Ok(Message::End),
        Err(error) => {
            if error.is_timeout() {
                // The user should learn why. The server closes even if this
                // fails.
                let _ = client.send_all(b"error: silent for too long\n");
            }
            Err(error)
        }
    }
}
