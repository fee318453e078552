//! The commands `exit` and `stop` in a stream that has no messages. [E-T3]
//!
//! The echo replies to whatever recv() returned, byte by byte; only `exit`
//! and `stop` need to be a MESSAGE. A message is a complete line. But Python
//! clients of this handout send "hello", wait for its echo, then "stop", all
//! without a newline. So after a pause the bytes since the last newline count
//! as a message, too: all of them, or the last piece alone, if it came so
//! soon after an echo of ours that it looks like the next message of such a
//! client.                                                        (viva 9)
//!
//! That is a guess. "non", a moment, "stop" may be two messages or one word,
//! and no server can know. A piece that comes late counts as the rest of a
//! line, because a word mistaken for a command would end the server for
//! everybody. A `stop` that is missed can be sent again, best with a newline.

/// What a client may order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `exit`: ends this connection.
    Exit,
    /// `stop`: ends this connection and the server.
    Stop,
}

/// "exit\r": a longer message is not a command.
const LONGEST: usize = 5;

/// Finds a server's commands, in messages without a newline, too. Keeps of a
/// message what could still be a command.
#[derive(Default)]
pub struct CommandFinder {
    line: Vec<u8>,  // since the last newline
    piece: Vec<u8>, // its end, if that may be a message of its own
}

impl CommandFinder {
    /// Takes the bytes of one recv(); `arrived_quickly`: just after an echo
    /// of ours. Returns a command if a line of it ends here, and how many
    /// bytes were read up to there: bytes after a command are not echoed.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        arrived_quickly: bool,
    ) -> (usize, Option<Command>) {
        if let Some((count, command)) = find_line(&mut self.line, bytes) {
            return (count, Some(command));
        }
        self.piece.clear();
        if arrived_quickly {
            let newline = memchr::memrchr(b'\n', bytes);
            let start = newline.map_or(0, |at| at + 1);
            append(&mut self.piece, bytes.get(start..));
        }
        (bytes.len(), None)
    }

    /// The peer has paused: the bytes since the last newline were a message
    /// of their own.
    pub fn end_message(&mut self) -> Option<Command> {
        let command = find(&self.line).or(find(&self.piece));
        self.line.clear();
        self.piece.clear();
        command
    }

    /// Has a message begun that no newline has ended yet?
    pub fn is_in_message(&self) -> bool {
        !self.line.is_empty()
    }
}

/// Takes bytes of the stream; `line` keeps what has come since the last
/// newline, as far as it matters. Returns a command if a line of it ends
/// here, and how many bytes were read up to there.
pub fn find_line(line: &mut Vec<u8>, bytes: &[u8]) -> Option<(usize, Command)> {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        append(line, bytes.get(start..end));
        let command = find(line);
        line.clear();
        start = end + 1;
        if let Some(command) = command {
            return Some((start, command));
        }
    }
    append(line, bytes.get(start..));
    None
}

/// Adds bytes to a word: one more than a command may have, and no further.
fn append(word: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let room = (LONGEST + 1).saturating_sub(word.len());
    word.extend(bytes.unwrap_or_default().iter().take(room));
}

/// The command that a message is: all of it, to the letter.
fn find(message: &[u8]) -> Option<Command> {
    match message.strip_suffix(b"\r").unwrap_or(message) {
        b"exit" => Some(Command::Exit),
        b"stop" => Some(Command::Stop),
        _ => None,
    }
}
