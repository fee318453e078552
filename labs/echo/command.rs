//! The words `exit` and `stop`, as lines of a stream that has no messages.
//! Server and client look for them here; what a server makes of a word
//! without a line end is in pause.rs.                      [E-T3] (viva 9)

/// What a client may order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `exit`: ends this connection.
    Exit,
    /// `stop`: ends this connection and the server.
    Stop,
}

/// "exit\r": whatever is longer is text.
const LONGEST: usize = 5;

/// Takes bytes of the stream; `line` keeps what has come since the last line
/// end, as far as it matters. Returns a command if a line of it ends here,
/// and how many bytes were read up to there.
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
pub fn append(word: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let room = (LONGEST + 1).saturating_sub(word.len());
    word.extend(bytes.unwrap_or_default().iter().take(room));
}

/// The command that a message is: the whole of it, to the letter.
pub fn find(message: &[u8]) -> Option<Command> {
    match message.strip_suffix(b"\r").unwrap_or(message) {
        b"exit" => Some(Command::Exit),
        b"stop" => Some(Command::Stop),
        _ => None,
    }
}
