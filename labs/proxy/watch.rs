//! Waits for two sockets at once, with poll(). A thread that blocks in recv()
//! on the origin's socket would not notice that the client has left. Then the
//! origin would work for nobody.
//!
//! ```text
//!   poll() on:   client: FIN or RST?      origin: bytes, FIN or RST?
//!     RST of the client                   Ready::Client at once
//!     FIN of the client                   Ready::Client after 2 s
//!     anything of the origin              Ready::Origin
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Reader;
use socketlab::Result;
use socketlab::net::{PollFd, PollFlags, TcpSocket, poll};

/// A client that has sent FIN may have left, or it may only have finished
/// sending (half-close). The proxy cannot see which. So it waits this long for
/// the origin before it treats the client as gone.
const HALF_CLOSED: Duration = Duration::from_secs(2);

/// The event that reports a FIN. On Linux POLLRDHUP reports it although the
/// client's next request is unread.
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

/// Waits for the origin. [`Ready::Client`] means that the client has closed or
/// reset its connection. The client's next request may arrive meanwhile; it
/// stays unread until this response is sent.
pub fn origin_or_client_gone(
    origin: &Reader,
    client: &Reader,
    limit: Duration,
) -> Result<Ready> {
    if !origin.buffered().is_empty() {
        return Ok(Ready::Origin);
    }
    let origin = [(origin.socket(), PollFlags::IN)];
    any_or_client_gone(&origin, client.socket(), limit)
}

/// The same for connections to origins that are not yet open:
/// [`Ready::Origin`] means that one of them is, or has failed.
pub fn connected_or_client_gone(
    origins: &[(TcpSocket, SocketAddr)],
    client: &Reader,
    limit: Duration,
) -> Result<Ready> {
    let origins: Vec<_> =
        origins.iter().map(|(socket, _)| (socket, PollFlags::OUT)).collect();
    any_or_client_gone(&origins, client.socket(), limit)
}

/// The first poll() also waits for the client's FIN. After a FIN a second
/// poll() gives the origin two more seconds.
fn any_or_client_gone(
    origins: &[(&TcpSocket, PollFlags)],
    client: &TcpSocket,
    limit: Duration,
) -> Result<Ready> {
    let until = Instant::now() + limit;
    match wait(origins, client, FIN, limit)? {
        (Ready::Client, events) if !is_reset(events) => {}
        (ready, _) => return Ok(ready),
    }
    let left = until.saturating_duration_since(Instant::now());
    // poll() reports POLLERR and POLLHUP even if it is asked for nothing.
    let grace = left.min(HALF_CLOSED);
    match wait(origins, client, PollFlags::empty(), grace)? {
        (Ready::Neither, _) if left > grace => Ok(Ready::Client),
        (ready, _) => Ok(ready),
    }
}

/// Waits for bytes of the client or of the origin. The order matters: buffered
/// bytes were read before, so poll() cannot report them.
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
    let origin = [(origin.socket(), PollFlags::IN)];
    Ok(wait(&origin, client.socket(), PollFlags::IN, limit)?.0)
}

/// Would recv() return at once? An idle connection has nothing to read unless
/// its origin has closed it.
pub fn has_something(socket: &TcpSocket) -> bool {
    let mut sockets = [PollFd::new(socket, PollFlags::IN)];
    !matches!(poll(&mut sockets, Some(Duration::ZERO)), Ok(0))
}

/// Has the client reset the connection, or closed both directions?
fn is_reset(events: PollFlags) -> bool {
    events.intersects(PollFlags::ERR | PollFlags::HUP)
}

/// One poll() over the client and all origins. An origin counts first, because
/// its response may still reach a client that has sent FIN.
fn wait(
    origins: &[(&TcpSocket, PollFlags)],
    client: &TcpSocket,
    of_client: PollFlags,
    limit: Duration,
) -> Result<(Ready, PollFlags)> {
    let mut sockets = vec![PollFd::new(client, of_client)];
    sockets.extend(origins.iter().map(|&(fd, events)| PollFd::new(fd, events)));
    poll(&mut sockets, Some(limit))?;
    let mut events = sockets.iter().map(PollFd::revents);
    let client = events.next().unwrap_or(PollFlags::empty());
    Ok(match events.find(|events| !events.is_empty()) {
        Some(events) => (Ready::Origin, events),
        None if !client.is_empty() => (Ready::Client, client),
        None => (Ready::Neither, client),
    })
}
