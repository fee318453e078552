//! Words for the error lines of FIFOs and sockets.

use std::fs::FileType;
use std::os::unix::fs::FileTypeExt;

use socketlab::Error;

/// A kind of file: `a regular file`, `a socket`, …
pub fn name(kind: FileType) -> &'static str {
    match () {
        () if kind.is_file() => "a regular file",
        () if kind.is_dir() => "a folder",
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

/// An error without its hint: those for connect() and bind() speak of hosts
/// and ports, and here it is a path.
#[allow(dead_code, reason = "FIFOs have no such errors")]
pub fn without_hint(error: &Error) -> String {
    let text = error.to_string();
    text.split(". ").next().unwrap_or_default().to_string()
}
