//! The pipes' vocabulary: one function is one system call, under its name in
//! C and in Python's os module. `TRACE=1` prints each; a call that fails
//! names itself. src/net.rs does the same for sockets.
//!
//!     pipe()    two descriptors, [3] to read from and [4] to write to
//!     mkfifo()  a name in the file system for such a thing
//!     open()    one end of it, by the name
//!     read()    what is there, at least a byte; waits; 0: end of file
//!     write()   copies into the kernel's buffer; waits while that is full
//!     close()   gives a descriptor back
//!     unlink()  takes a name away

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use socketlab::net::step;
use socketlab::{Result, trace};

/// `pipe()`: C fills in `int fd[2]`, Python: `r, w = os.pipe()`. Both ends
/// are closed at exec (O_CLOEXEC) unless they are handed on by name.
pub fn pipe() -> Result<(PipeReader, PipeWriter)> {
    step("pipe", None, "", io::pipe)
}

/// `mkfifo()`: makes the name. Python: `os.mkfifo()`.
pub fn mkfifo(path: &Path, mode: u32) -> Result<()> {
    step("mkfifo", None, format_args!("{}, 0{mode:o}", path.display()), || {
        Ok(rustix::fs::mkfifoat(CWD, path, Mode::from_raw_mode(mode))?)
    })
}

/// `open()` without O_CREAT: if the FIFO is gone, a write must not make a
/// regular file of its name. `shown`: the flags as C spells them.
pub fn open(path: &Path, flags: OFlags, shown: &str) -> Result<OwnedFd> {
    let on = format!("{}, {shown}", path.display());
    step("open", None, on, || {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
        Ok(rustix::fs::open(path, flags, Mode::empty())?)
    })
}

/// `read()`: what is in the pipe, at most what fits. Waits while it is empty
/// and somebody could still write; 0 when nobody can: end of file.
pub fn read(from: &impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    let fd = from.as_fd().as_raw_fd();
    let room = buffer.len();
    step("read", None, format_args!("{fd}, …, {room}"), || {
        Ok(rustix::io::read(from, &mut *buffer)?)
    })
}

/// `write()`: how many bytes the pipe took. Waits while it is full. Fails
/// with EPIPE when nobody can read any more; a C program does not live to see
/// that, because SIGPIPE kills it first. Rust and Python ignore the signal.
pub fn write(to: &impl AsFd, data: &[u8]) -> Result<usize> {
    let fd = to.as_fd().as_raw_fd();
    let (shown, size) = (trace::quote(data), data.len());
    step("write", None, format_args!("{fd}, {shown}, {size}"), || {
        Ok(rustix::io::write(to, data)?)
    })
}

/// `write()` until all is in the pipe. Up to PIPE_BUF bytes go in whole or
/// not at all; more may need several turns.
pub fn write_all(to: &impl AsFd, data: &[u8]) -> Result<()> {
    let mut rest = data;
    while !rest.is_empty() {
        let count = write(to, rest)?;
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// `close()`.
pub fn close(end: impl Into<OwnedFd>) {
    let end: OwnedFd = end.into();
    // close() has nothing to say that could help: the descriptor is gone.
    let _ = step("close", None, end.as_raw_fd(), || Ok(()));
    drop(end);
}

/// `unlink()`: the name goes; who has it open keeps what is behind it.
pub fn unlink(path: &Path) -> Result<()> {
    step("unlink", None, path.display(), || Ok(rustix::fs::unlink(path)?))
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

/// `fcntl(O_NONBLOCK)`: from now on what would wait fails with EAGAIN.
pub fn set_nonblocking(end: &impl AsFd) -> Result<()> {
    let fd = end.as_fd().as_raw_fd();
    step("fcntl", None, format_args!("{fd}, F_SETFL, O_NONBLOCK"), || {
        let flags = rustix::fs::fcntl_getfl(end)?;
        Ok(rustix::fs::fcntl_setfl(end, flags | OFlags::NONBLOCK)?)
    })
}
