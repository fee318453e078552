//! A kind of file in words, for the errors about a path that is no FIFO, or
//! no socket.

use std::fs::FileType;
use std::os::unix::fs::FileTypeExt;

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
