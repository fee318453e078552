//! Finds a server's commands (command.rs) in messages without line ends, too.
//!
//! The echo answers whatever recv() gave, byte by byte; only `exit` and
//! `stop` need to be a MESSAGE. A message is a whole line. Python clients of
//! this handout send "hello", wait for its echo, then "stop", without line
//! ends. So after a pause what stands unended counts too: the line as it has
//! begun, or its last piece alone, if that came so soon after an echo of ours
//! that it looks like the next message of such a client.  [E-T3] (viva 9)
//!
//! That is a guess. "non", a moment, "stop" may be two messages or one word,
//! and no server can know. What comes late is taken for the rest of a line:
//! a word mistaken for a command would end the server for everybody, and a
//! `stop` that is missed can be sent again, best with a line end.

use crate::command::{Command, append, find, find_line};

/// The message that is arriving, as far as it could still be a command.
#[derive(Default)]
pub struct Watch {
    line: Vec<u8>,  // since the last line end
    piece: Vec<u8>, // its end, if that may be a message of its own
}

impl Watch {
    /// Takes what one recv() brought; `prompt` if that was just after an echo
    /// of ours. Returns a command if a line of it ends here, and how many
    /// bytes were read up to there: what follows a command is not answered.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        prompt: bool,
    ) -> (usize, Option<Command>) {
        if let Some((count, command)) = find_line(&mut self.line, bytes) {
            return (count, Some(command));
        }
        self.piece.clear();
        if prompt {
            let line_end = memchr::memrchr(b'\n', bytes);
            let start = line_end.map_or(0, |at| at + 1);
            append(&mut self.piece, bytes.get(start..));
        }
        (bytes.len(), None)
    }

    /// The peer has paused: what stands unended was a message of its own.
    pub fn pause(&mut self) -> Option<Command> {
        let command = find(&self.line).or(find(&self.piece));
        self.line.clear();
        self.piece.clear();
        command
    }

    /// Is there an unended message, which a pause would end?
    pub fn is_unended(&self) -> bool {
        !self.line.is_empty()
    }
}
