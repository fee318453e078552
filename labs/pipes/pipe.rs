//! The ends of a pipe. One function is one system call, under its name in C
//! and in Python's os module. `TRACE=1` prints each call, and a call that
//! fails names itself, as src/socketlab/net.rs does for sockets.
//!
//! ```text
//! [4] ==> (h e l l o \n) ==> [3]   write() = 6: the kernel has the bytes
//!                                  read() = 6: what is there
//! [4] ==> (full, 64 KiB) ==> [3]   write() waits while [3] is open
//! [4] ==> (            ) ==> [3]   read() waits while [4] is open
//! [4] ==>                          write(): EPIPE, nobody can read
//!         (            ) ==> [3]   read() = 0, nobody can write
//! ```

use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use socketlab::net::{PollFd, PollFlags, poll, step};
use socketlab::{Error, Result, trace};

/// `read()`: returns what is in the pipe, at most `buffer.len()` bytes. It
/// waits while the pipe is empty and a write end is open; 0 is end of file.
/// read() has no deadline, so `limit` is that of a poll() before it.
pub fn read(
    from: &impl AsFd,
    buffer: &mut [u8],
    limit: Option<Duration>,
) -> Result<usize> {
    let on = format!("{}, …, {}", from.as_fd().as_raw_fd(), buffer.len());
    if let Some(limit) = limit
        && poll(&mut [PollFd::new(from, PollFlags::IN)], Some(limit))? == 0
    {
        let text = format!("timed out: nothing came within {limit:?}");
        return Err(Error::timed_out("read", on, text));
    }
    step("read", None, on, || Ok(rustix::io::read(from, &mut *buffer)?))
}

/// `write()`: returns how many bytes the pipe accepted, and waits while it is
/// full. It fails with EPIPE when no read end is open. SIGPIPE ends a C program
/// before that; Rust and Python ignore the signal.
pub fn write(to: &impl AsFd, data: &[u8]) -> Result<usize> {
    let fd = to.as_fd().as_raw_fd();
    let (shown, size) = (trace::quote(data), data.len());
    step("write", None, format_args!("{fd}, {shown}, {size}"), || {
        Ok(rustix::io::write(to, data)?)
    })
}

/// `write()` until all bytes are in the pipe. Up to PIPE_BUF bytes go in
/// together or not at all; more bytes may need several calls.
pub fn write_all(to: &impl AsFd, data: &[u8]) -> Result<()> {
    let mut rest = data;
    while !rest.is_empty() {
        let count = write(to, rest)?;
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}
