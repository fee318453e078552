//! `poll()`: one wait for several sockets.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
pub use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::call::{seconds, step};
use crate::Result;

/// Waits until something has happened on one of these descriptors, for
/// `limit` at most; `None`: without a limit. Returns on how many; each
/// [`PollFd::revents`] then says what. 0 means that the time is over.
///
/// POLLERR and POLLHUP are reported whether they were asked for or not. After
/// a signal (EINTR) it goes on waiting for the rest of the time.
pub fn poll(
    watched: &mut [PollFd<'_>],
    limit: Option<Duration>,
) -> Result<usize> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let fds: Vec<String> =
        watched.iter().map(|one| one.as_fd().as_raw_fd().to_string()).collect();
    let on = format!("[{}], {}", fds.join(", "), seconds(limit));
    step("poll", None, on, || {
        let now = Instant::now();
        let left = deadline.map(|at| at.saturating_duration_since(now));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(watched, left.as_ref()) {
            Err(Errno::INTR) if deadline.is_some_and(|at| at <= now) => Ok(0),
            done => Ok(done?),
        }
    })
}
