//! The text of the message: all of stdin. The client reads it before it
//! connects, because a server disconnects a client that is silent for long.
//! If the message cannot be sent, a typed text would be lost. So the client
//! saves it as `dead.letter`, as mail(1) does.                     [W-T4a]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use socketlab::{Error, args, console, warn};

/// Largest text, and largest sum of the attachments, in bytes. Google accepts
/// 25 MB, counted after base64.
pub const LARGEST: u64 = 25_000_000;

/// The file for a typed text that could not be sent.
const FILE: &str = "dead.letter";

/// Reads the text. A text that cannot be sent is a usage error.
pub fn read() -> String {
    if io::stdin().is_terminal() {
        console::prompt("The message; Ctrl-D on an empty line ends it:\n");
    }
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes);
    if let Err(error) = read {
        args::usage(&Error::new("read", "stdin", error).to_string());
    }
    if bytes.len() as u64 > LARGEST {
        args::usage("the text is longer than 25 MB");
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|_| {
        args::usage(
            "the text is not UTF-8. Convert it (iconv -f latin1 -t utf-8), \
             or send it as an attachment: --attach",
        )
    });
    if text.is_empty() {
        // Also if stdin is closed, as with `<&-` in the shell.
        warn!("warning: the text is empty, because stdin was empty");
    }
    text
}

/// Reads a file of at most `room` bytes.
pub fn read_file(path: &Path, room: u64) -> Result<Vec<u8>, String> {
    let fail = |why: &str| format!("{}: {why}", path.display());
    let failed = |error: io::Error| fail(&error.to_string());
    // open() on a FIFO would wait until another process writes to it.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(fail("not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(room + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 > room {
        true => Err(fail("too large: most servers accept at most 25 MB")),
        false => Ok(bytes),
    }
}

/// Saves a typed text, because the message was not sent to everybody.
pub fn keep(text: &str) {
    if text.is_empty() || !io::stdin().is_terminal() {
        return;
    }
    let mut new = OpenOptions::new();
    // Mode 0600: only the user can read it. create_new: a file of an earlier
    // failure is not overwritten, the next free number is used.
    new.write(true).create_new(true).mode(0o600);
    let others = (2..100).map(|number| format!("{FILE}.{number}"));
    for name in [FILE.to_string()].into_iter().chain(others) {
        let file = new.open(&name);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => {
                return warn!(
                    "your text is saved in {name}; to send it: \
                     mail-client … < {name}"
                );
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => {
                return warn!("your text cannot be saved in {name}: {error}");
            }
        }
    }
}
