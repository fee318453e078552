//! Finds the words `exit` and `stop` in a stream that has no messages.
//!
//! The echo answers whatever recv() gave, byte by byte; only these two words
//! need to be a MESSAGE. A message is a whole line, or what stands unended
//! when the peer pauses: Python clients of this handout send "stop" without
//! a line end and wait. That is a guess, and the lab says so. `stopwatch`,
//! ` stop ` and `STOP` are ordinary text.                  [E-T3] (viva 9)

/// What a client may order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `exit`: ends this connection.
    Exit,
    /// `stop`: ends this connection and the server.
    Stop,
}

/// The line that is arriving, as far as it could still be a command.
#[derive(Default)]
pub struct Watch {
    line: Vec<u8>, // never more than LONGEST + 1 bytes
}

/// "exit\r": whatever is longer is text.
const LONGEST: usize = 5;

impl Watch {
    /// Takes the next bytes of the stream. Returns a command if a line of it
    /// ends here, and how many bytes were read up to there: what follows a
    /// command is not answered any more.
    pub fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Command>) {
        for (index, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' {
                let found = self.found();
                self.line.clear();
                if found.is_some() {
                    return (index + 1, found);
                }
            } else if self.line.len() <= LONGEST {
                self.line.push(byte);
            }
        }
        (bytes.len(), None)
    }

    /// The peer has paused: the unended line is all that there is.
    pub fn pause(&mut self) -> Option<Command> {
        let found = self.found();
        if found.is_some() {
            self.line.clear();
        }
        found
    }

    /// Is the unended line a command, should nothing follow?
    pub fn is_waiting(&self) -> bool {
        self.found().is_some()
    }

    fn found(&self) -> Option<Command> {
        match self.line.strip_suffix(b"\r").unwrap_or(&self.line) {
            b"exit" => Some(Command::Exit),
            b"stop" => Some(Command::Stop),
            _ => None,
        }
    }
}
