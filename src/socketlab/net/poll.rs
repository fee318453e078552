//! `poll()`: one wait for several sockets.

use std::fmt;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
pub use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::call::{ended, seconds};
use crate::{Result, trace};

/// Waits until something has happened on one of these descriptors, for `limit`
/// at most; `None`: without a limit. Returns their number; [`PollFd::revents`]
/// has the events of each. 0 means that the time limit has passed. Python:
/// `select.poll().poll()`.
///
/// The kernel always reports POLLERR and POLLHUP, also if they were not
/// requested. After a signal (EINTR) it waits for the rest of the time.
pub fn poll(
    watched: &mut [PollFd<'_>],
    limit: Option<Duration>,
) -> Result<usize> {
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let began = trace::begin();
    let result = loop {
        let left =
            deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let timespec = left.and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(watched, timespec.as_ref()) {
            Err(Errno::INTR) => {}
            done => break done,
        }
    };
    let result = result.map_err(Into::into);
    ended("poll", None, Arguments { watched, limit }, began, result)
}

/// The descriptors and the limit, as the trace shows them: `[3, 5], 2s`.
struct Arguments<'a, 'fd> {
    watched: &'a [PollFd<'fd>],
    limit: Option<Duration>,
}

impl fmt::Display for Arguments<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fds: Vec<i32> =
            self.watched.iter().map(|one| one.as_fd().as_raw_fd()).collect();
        write!(f, "{fds:?}, {}", seconds(self.limit))
    }
}
