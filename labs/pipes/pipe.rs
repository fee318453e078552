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

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use socketlab::net::step;
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
        && !poll(from, PollFlags::IN, limit)?
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

/// `poll()`: waits until read() (`PollFlags::IN`) or write() (`OUT`) would
/// return at once, or the other end has gone. False: not within `limit`.
pub fn poll(
    end: &impl AsFd,
    event: PollFlags,
    limit: Duration,
) -> Result<bool> {
    let limit = Timespec::try_from(limit).ok();
    let mut watched = [PollFd::new(end, event)];
    let events = step("poll", None, end.as_fd().as_raw_fd(), || {
        Ok(rustix::event::poll(&mut watched, limit.as_ref())?)
    })?;
    Ok(events > 0)
}

/// `close()`: gives the descriptor back, whichever end it is.
pub fn close(end: impl Into<OwnedFd>) {
    let end: OwnedFd = end.into();
    let _ = step("close", None, end.as_raw_fd(), || Ok(()));
    drop(end);
}
