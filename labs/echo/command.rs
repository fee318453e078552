//! Finds the words `exit` and `stop` in a stream that has no messages.
//!
//! The echo answers whatever recv() gave, byte by byte; only these two words
//! need to be a MESSAGE. A message is a whole line. Python clients of this
//! handout send "hello", wait for its echo, then "stop", without line ends.
//! So after a pause what stands unended counts too: the line as it has begun,
//! or its last piece alone, if that came so soon after an echo of ours that
//! it looks like the next message of such a client.       [E-T3] (viva 9)
//!
//! That is a guess. "non", a moment, "stop" may be two messages or one word,
//! and no server can know. What comes late is taken for the rest of a line:
//! a word mistaken for a command would end the server for everybody, and a
//! `stop` that is missed can be sent again, best with a line end.

/// What a client may order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `exit`: ends this connection.
    Exit,
    /// `stop`: ends this connection and the server.
    Stop,
}

/// The message that is arriving, as far as it could still be a command.
#[derive(Default)]
pub struct Watch {
    line: Vec<u8>, // since the last line end, LONGEST + 1 bytes at most
    piece: Vec<u8>, // its end, if that may be a message of its own
}

/// "exit\r": whatever is longer is text.
const LONGEST: usize = 5;

impl Watch {
    /// Takes what one recv() brought; `prompt` if that was just after an echo
    /// of ours. Returns a command if a line of it ends here, and how many
    /// bytes were read up to there: what follows a command is not answered.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        prompt: bool,
    ) -> (usize, Option<Command>) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            append(&mut self.line, bytes.get(start..end));
            let command = find(&self.line);
            self.line.clear();
            start = end + 1;
            if command.is_some() {
                return (start, command);
            }
        }
        append(&mut self.line, bytes.get(start..));
        self.piece.clear();
        if prompt {
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

/// Adds bytes to a word, as many as matter.
fn append(word: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let room = (LONGEST + 1).saturating_sub(word.len());
    word.extend(bytes.unwrap_or_default().iter().take(room));
}

fn find(message: &[u8]) -> Option<Command> {
    match message.strip_suffix(b"\r").unwrap_or(message) {
        b"exit" => Some(Command::Exit),
        b"stop" => Some(Command::Stop),
        _ => None,
    }
}
