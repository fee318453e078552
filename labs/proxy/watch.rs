//! Waits for one of two sockets: poll(). A thread that sleeps in recv() on
//! the origin's socket would not notice that the client has gone, and would
//! keep the origin busy for nobody.
//!
//! ```text
//!   client ---- FIN, RST? ---->|
//!                              | poll: who is first?
//!   origin -- a response? ---->|
//! ```

use std::time::{Duration, Instant};

use http::Reader;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use socketlab::net::TcpSocket;
use socketlab::{Error, Result};

/// A client that has sent FIN may have left, or it may only have sent all that
/// it wants to send (half-close): the two look alike. The proxy waits this
/// long for the origin then.
const HALF_CLOSED: Duration = Duration::from_secs(2);

/// FIN has arrived: poll() tells it without a read (POLLRDHUP).
#[cfg(target_os = "linux")]
const FIN: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const FIN: PollFlags = PollFlags::HUP;

/// Which of the two sockets is ready first.
#[derive(Debug, PartialEq)]
pub enum Ready {
    /// The client has sent something, or closed.
    Client,
    /// The origin has sent something, or closed.
    Origin,
    /// Neither, in the time allowed.
    Neither,
}

/// Waits for the origin; [`Ready::Client`] means that the client has closed or
/// reset its connection. What it sends meanwhile (its next request) waits.
pub fn origin_or_client_gone(
    origin: &Reader,
    client: &Reader,
    limit: Duration,
) -> Result<Ready> {
    if !origin.buffered().is_empty() {
        return Ok(Ready::Origin);
    }
    let (origin, client) = (origin.socket(), client.socket());
    let until = Instant::now() + limit;
    match wait(origin, client, FIN, limit)? {
        (Ready::Client, events) if !is_reset(events) => {}
        (ready, _) => return Ok(ready),
    }
    let left = until.saturating_duration_since(Instant::now());
    // poll() reports POLLERR and POLLHUP even if it is asked for nothing.
    let grace = left.min(HALF_CLOSED);
    match wait(origin, client, PollFlags::empty(), grace)? {
        (Ready::Neither, _) if left > grace => Ok(Ready::Client),
        (ready, _) => Ok(ready),
    }
}

/// Waits for whichever sends first.
pub fn either(
    origin: &Reader,
    client: &Reader,
    limit: Duration,
) -> Result<Ready> {
    if !client.buffered().is_empty() {
        return Ok(Ready::Client);
    }
    if !origin.buffered().is_empty() {
        return Ok(Ready::Origin);
    }
    let (origin, client) = (origin.socket(), client.socket());
    Ok(wait(origin, client, PollFlags::IN, limit)?.0)
}

/// Would recv() return at once? On an idle connection that means its end.
pub fn has_something(socket: &TcpSocket) -> bool {
    let mut sockets = [PollFd::new(socket, PollFlags::IN)];
    !matches!(poll(&mut sockets, Some(&time(Duration::ZERO))), Ok(0))
}

fn is_reset(events: PollFlags) -> bool {
    events.intersects(PollFlags::ERR | PollFlags::HUP)
}

fn wait(
    origin: &TcpSocket,
    client: &TcpSocket,
    of_client: PollFlags,
    limit: Duration,
) -> Result<(Ready, PollFlags)> {
    let mut sockets =
        [PollFd::new(origin, PollFlags::IN), PollFd::new(client, of_client)];
    // A signal that interrupts poll() (EINTR) starts it anew.
    retry_on_intr(|| poll(&mut sockets, Some(&time(limit))))
        .map_err(|error| Error::new("poll", "", error.into()))?;
    let [origin, client] = sockets.each_ref().map(PollFd::revents);
    Ok(match (origin.is_empty(), client.is_empty()) {
        (false, _) => (Ready::Origin, origin),
        (_, false) => (Ready::Client, client),
        _ => (Ready::Neither, PollFlags::empty()),
    })
}

fn time(limit: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    }
}
