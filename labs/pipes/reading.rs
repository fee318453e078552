//! The end of a pipe that bytes come out of.
//!
//! ```text
//! [3] <== (h e l l o \n) <== [4]     read() = 6: what is there
//! [3] <== (             ) <== [4]     read() waits: [4] is open
//! [3] <== (             )             read() = 0: nobody can write
//! ```
//!
//! read() itself has no deadline; poll() before it brings one.

use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socketlab::net::step;
use socketlab::{Error, Result};

/// `read()`: what is in the pipe, at most what fits. Waits while it is empty
/// and somebody could still write, but no longer than `limit`, if there is
/// one; 0 when nobody can: end of file.
pub fn read(
    from: &impl AsFd,
    buffer: &mut [u8],
    limit: Option<Duration>,
) -> Result<usize> {
    let on = format!("{}, …, {}", from.as_fd().as_raw_fd(), buffer.len());
    if let Some(limit) = limit
        && !ready(from, PollFlags::IN, limit)?
    {
        let text = format!("timed out: nothing came within {limit:?}");
        return Err(Error::timed_out("read", on, text));
    }
    step("read", None, on, || Ok(rustix::io::read(from, &mut *buffer)?))
}

/// `poll()`: waits for `limit` until read() or write() (`what`) would not
/// wait, or the other end has gone. False: it still would.
pub fn ready(
    end: &impl AsFd,
    what: PollFlags,
    limit: Duration,
) -> Result<bool> {
    let limit = Timespec::try_from(limit).ok();
    let mut watched = [PollFd::new(end, what)];
    let fd = end.as_fd().as_raw_fd();
    let events =
        step("poll", None, fd, || Ok(poll(&mut watched, limit.as_ref())?))?;
    Ok(events > 0)
}
