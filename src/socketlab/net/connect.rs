//! `connect()`, which may be ended by a time limit or by a signal.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, socket_error, socket_timeout};

use super::call::ended;
use super::poll::{PollFd, PollFlags, poll};
use crate::{Error, Result, trace};

/// [`call()`](super::call()) for a `connect()`.
///
/// When the send timeout ends it, Linux reports EINPROGRESS; the error then
/// says "timed out". A signal, for example Ctrl-Z and then `fg`, interrupts
/// the call and not the handshake, and a second `connect()` would fail with
/// EALREADY. So after EINTR, and only then, `poll()` waits for the handshake.
pub fn call_connect(
    socket: &impl AsFd,
    address: SocketAddr,
    connect: impl FnOnce() -> rustix::io::Result<()>,
) -> Result<()> {
    let (began, traced) = (Instant::now(), trace::begin());
    let done = connect();
    let result = done.map_err(io::Error::from);
    let result = ended("connect", Some(socket), address, traced, result);
    match done {
        Err(Errno::INTR) => finish_connect(socket, address, began),
        Err(Errno::INPROGRESS) => {
            result.map_err(|error| error.after(began.elapsed()))
        }
        _ => result,
    }
}

/// Waits for the end of a handshake whose `connect()` was interrupted.
fn finish_connect(
    socket: &impl AsFd,
    address: SocketAddr,
    began: Instant,
) -> Result<()> {
    let fail = |errno: Errno| Error::new("connect", address, errno.into());
    let limit = socket_timeout(socket, Timeout::Send).map_err(fail)?;
    let left = limit.map(|limit| limit.saturating_sub(began.elapsed()));
    let mut watched = [PollFd::new(socket, PollFlags::OUT)];
    match poll(&mut watched, left)? {
        0 => Err(fail(Errno::INPROGRESS).after(began.elapsed())),
        _ => match socket_error(socket) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(errno)) | Err(errno) => Err(fail(errno)),
        },
    }
}

/// `connect()` on a bare socket: see [`call_connect`].
pub fn connect(socket: &impl AsFd, address: SocketAddr) -> Result<()> {
    call_connect(socket, address, || rustix::net::connect(socket, &address))
}
