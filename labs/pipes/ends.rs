//! What holds for every end of a pipe: it is a descriptor, and it is closed.
//! In this file, reading.rs and writing.rs one function is one system call,
//! under its name in C and in Python's os module. `TRACE=1` prints each; a
//! call that fails names itself, as src/socketlab/net.rs does for sockets.
//!
//! ```text
//! pipe()           two ends, [3] to read from and [4] to write to
//! mkfifo() open()  one end, by a name: fifo.rs
//! read() poll()    of the one end: reading.rs
//! write()          of the other: writing.rs
//! close()          gives it back, whichever it is
//! ```

use std::os::fd::{AsRawFd, OwnedFd};

use socketlab::net::step;

/// `close()`. The descriptor is gone whatever it says.
pub fn close(end: impl Into<OwnedFd>) {
    let end: OwnedFd = end.into();
    let _ = step("close", None, end.as_raw_fd(), || Ok(()));
    drop(end);
}
