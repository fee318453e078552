//! Waits for one of two sockets: poll(). A thread that sleeps in recv() on
//! the origin's socket would not notice that the client has gone, and would
//! keep the origin busy for nobody.
//!
//! ```text
//!   client ---- FIN, RST? ---->|
//!                              | poll: who is first?
//!   origin ---- an answer? --->|
//! ```

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socketlab::net::TcpSocket;
use socketlab::{Error, Result};

/// A client that has sent FIN may have left, or may only have said all that
/// it wants to say (half-close): the two look alike. It gets so long.
const HALF_CLOSED: Duration = Duration::from_secs(2);

/// FIN has arrived, seen without reading.
#[cfg(target_os = "linux")]
const LEAVING: PollFlags = PollFlags::RDHUP;
#[cfg(not(target_os = "linux"))]
const LEAVING: PollFlags = PollFlags::HUP;

/// What happened first.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// The client has sent something, or closed.
    Client,
    /// The origin has sent something, or closed.
    Origin,
    /// Neither, in the time allowed.
    Nothing,
}

/// Waits for the origin; [`Seen::Client`] means that the client has gone.
/// What the client sends meanwhile (its next request) may wait.
pub fn origin_or_farewell(
    origin: &TcpSocket,
    client: &TcpSocket,
    limit: Duration,
) -> Result<Seen> {
    let (until, seen) = (Instant::now() + limit, LEAVING);
    match wait(origin, client, seen, limit)? {
        (Seen::Client, events) if !gone(events) => {}
        (seen, _) => return Ok(seen),
    }
    let left = until.saturating_duration_since(Instant::now());
    // Only an error or a reset is reported now.
    let grace = left.min(HALF_CLOSED);
    match wait(origin, client, PollFlags::empty(), grace)? {
        (Seen::Nothing, _) if left > grace => Ok(Seen::Client),
        (seen, _) => Ok(seen),
    }
}

/// Waits for whichever sends first.
pub fn either(
    origin: &TcpSocket,
    client: &TcpSocket,
    limit: Duration,
) -> Result<Seen> {
    Ok(wait(origin, client, PollFlags::IN, limit)?.0)
}

/// Would recv() return at once? On an idle connection that means its end.
pub fn has_something(socket: &TcpSocket) -> bool {
    let mut sockets = [PollFd::new(socket, PollFlags::IN)];
    !matches!(poll(&mut sockets, Some(&time(Duration::ZERO))), Ok(0))
}

fn gone(events: PollFlags) -> bool {
    events.intersects(PollFlags::ERR | PollFlags::HUP)
}

fn wait(
    origin: &TcpSocket,
    client: &TcpSocket,
    of_client: PollFlags,
    limit: Duration,
) -> Result<(Seen, PollFlags)> {
    let until = Instant::now() + limit;
    let mut sockets =
        [PollFd::new(origin, PollFlags::IN), PollFd::new(client, of_client)];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match poll(&mut sockets, Some(&time(left))) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(Error::new("poll", "", error.into())),
            Ok(_) => {
                let [origin, client] = sockets.each_ref().map(PollFd::revents);
                return Ok(match (origin.is_empty(), client.is_empty()) {
                    (false, _) => (Seen::Origin, origin),
                    (_, false) => (Seen::Client, client),
                    _ => (Seen::Nothing, PollFlags::empty()),
                });
            }
        }
    }
}

fn time(limit: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    }
}
