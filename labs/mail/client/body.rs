//! The text of the message: all of stdin, read before the client connects,
//! because a server disconnects a client that is silent for long. If the
//! message cannot be sent, a text from a file is still there. A typed
//! text is nowhere else, so the client saves it as `dead.letter`, as mail(1)
//! does.                                                           [W-T4a]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use socketlab::{Error, args, console, warn};

/// Bytes of all attachments and the body. Google takes 25 MB, after base64.
pub const LARGEST: u64 = 25_000_000;

/// The file for a typed text that was not sent.
const FILE: &str = "dead.letter";

/// Reads the text. What cannot be sent is a usage error.
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
             or send it as a file: --attach",
        )
    });
    if text.is_empty() {
        // Also without a stdin: `<&-`, or a program that has set none.
        warn!("warning: the text is empty, there was nothing on stdin");
    }
    text
}

/// The bytes of a file that has `room` bytes at most.
pub fn read_file(path: &Path, room: u64) -> Result<Vec<u8>, String> {
    let fail = |why: &str| format!("{}: {why}", path.display());
    let failed = |error: io::Error| fail(&error.to_string());
    // open() on a FIFO would wait until somebody writes to it.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(fail("not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(room + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 > room {
        true => Err(fail("too large: 25 MB are the limit of most servers")),
        false => Ok(bytes),
    }
}

/// The message was not sent, or not to all: saves a typed text.
pub fn keep(text: &str) {
    if text.is_empty() || !io::stdin().is_terminal() {
        return;
    }
    let mut new = OpenOptions::new();
    new.write(true).create_new(true).mode(0o600); // it may be private
    // Those of earlier failures stay.
    let others = (2..100).map(|number| format!("{FILE}.{number}"));
    for name in [FILE.to_string()].into_iter().chain(others) {
        let file = new.open(&name);
        match file.and_then(|mut file| file.write_all(text.as_bytes())) {
            Ok(()) => {
                return warn!(
                    "your text is kept in {name}; next time: \
                     mail-client … < {name}"
                );
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return warn!("your text is lost: {name}: {error}"),
        }
    }
}
