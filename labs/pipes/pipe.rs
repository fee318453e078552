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

/// `read()`: what is in the pipe, at most `buffer.len()` bytes. Waits while
/// the pipe is empty and somebody could still write; 0 is end of file. read()
/// has no deadline, so `limit` is one for a poll() before it.
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

/// `write()`: how many bytes the pipe took. Waits while it is full. Fails
/// with EPIPE when nobody can read any more. A C program does not live to see
/// that, because SIGPIPE kills it first; Rust and Python ignore the signal.
pub fn write(to: &impl AsFd, data: &[u8]) -> Result<usize> {
    let fd = to.as_fd().as_raw_fd();
    let (shown, size) = (trace::quote(data), data.len());
    step("write", None, format_args!("{fd}, {shown}, {size}"), || {
        Ok(rustix::io::write(to, data)?)
    })
}

/// `write()` until all is in the pipe. Up to PIPE_BUF bytes go in together or
/// not at all; more bytes may need several calls.
pub fn write_all(to: &impl AsFd, data: &[u8]) -> Result<()> {
    let mut rest = data;
    while !rest.is_empty() {
        let count = write(to, rest)?;
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}
