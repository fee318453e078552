//! The end of a pipe that bytes go into.
//!
//! ```text
//! [4] ==> (h e l l o \n) ==> [3]     write() = 6: the kernel has them
//! [4] ==> (full, 64 KiB ) ==> [3]     write() waits: [3] is open
//! [4] ==>                             EPIPE: nobody can read any more
//! ```

use std::os::fd::{AsFd, AsRawFd};

use socketlab::net::step;
use socketlab::{Result, trace};

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
