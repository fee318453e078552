//! The commands `stop` and `exit` in a stream that has no messages. [E-T3]
//!
//! The echo replies to whatever recv() returned, byte by byte; only a command
//! needs to be a MESSAGE. Two things count as one: a complete line, and
//! everything that one recv() returned. The second is for clients that send
//! `stop` without a newline, as many first programs do.            (viva 9)
//!
//! Limit: TCP keeps no boundaries. A `stop` that arrives as `st` and `op` is a
//! command only if a newline ends it, and a `stopwatch` that arrives as `stop`
//! and `watch` ends the session. No server can tell these apart; a newline
//! after each message can.                                        (viva 17)

use std::fmt;

/// What a client may order: either ends its own connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `exit`.
    Exit,
    /// `stop`; with `--stop-ends-server` it ends the server, too.
    Stop,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Command::Exit => "exit",
            Command::Stop => "stop",
        })
    }
}

impl Command {
    /// The command that this message is, with or without its newline.
    pub fn of(message: &[u8]) -> Option<Command> {
        let word = message.strip_suffix(b"\n").unwrap_or(message);
        match word.strip_suffix(b"\r").unwrap_or(word) {
            b"exit" => Some(Command::Exit),
            b"stop" => Some(Command::Stop),
            _ => None,
        }
    }
}

/// "exit\r": a longer line is not a command.
const LONGEST: usize = 5;

/// Finds the first command in a stream. It keeps what has come since the last
/// newline, as far as that could still be a command.
#[derive(Default)]
pub struct CommandFinder {
    line: Vec<u8>,
}

impl CommandFinder {
    /// Takes the bytes of one recv(). Returns how many of them to echo, and
    /// the command that ends there: bytes after a command are not echoed.
    pub fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Command>) {
        if let Some(command) = Command::of(bytes) {
            return (bytes.len(), Some(command));
        }
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.keep(bytes.get(start..end));
            let command = Command::of(&self.line);
            self.line.clear();
            start = end + 1;
            if command.is_some() {
                return (start, command);
            }
        }
        self.keep(bytes.get(start..));
        (bytes.len(), None)
    }

    /// One byte more than a command may have, and no further.
    fn keep(&mut self, bytes: Option<&[u8]>) {
        let room = (LONGEST + 1).saturating_sub(self.line.len());
        self.line.extend(bytes.unwrap_or_default().iter().take(room));
    }
}
