//! Connects to an origin: resolves its name, checks each address, connects.
//!
//! ```text
//!   name --getaddrinfo--> addresses --allowed?--> connect(), one address
//!                            |          every 250 ms until one answers
//!                            +-- this proxy itself      403, a loop
//!                            +-- private, loopback …    403, unless …
//! ```

use std::io::ErrorKind;
use std::mem;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Reader;
use http::reader::HEAD_DEADLINE;
use rustix::io::Errno;
use socketlab::net::{self, TcpSocket};

use crate::errors::{ErrorPage, Failure};
use crate::rules::Rules;
use crate::target::Destination;
use crate::watch::{self, Ready};

/// The time limit for all addresses of a name together.
const LONGEST: Duration = Duration::from_secs(20);

/// After this time without an answer the next address is tried, too.
const STEP: Duration = Duration::from_millis(250);

/// The time limit of a second connect() on the same socket. It only asks
/// whether the handshake has ended.
const POLLED: Duration = Duration::from_millis(1);

/// The largest number of addresses that are tried.
const MOST: usize = 16;

/// Connects to the address that answers first (RFC 8305, Happy Eyeballs). If
/// IPv6 is broken and IPv4 is not, the client loses only 250 ms. Meanwhile the
/// proxy watches whether the client leaves. Without rules every address is
/// allowed.
pub fn connect(
    destination: &Destination,
    rules: Option<&Rules>,
    patience: Duration,
    client: &Reader,
) -> Result<Reader, Failure> {
    let (addresses, mut refused) = addresses(destination, rules)?;
    let no_answer = || {
        let why =
            format!("{} did not answer connect() in time.", destination.host);
        ErrorPage::new(504, why)
    };
    let until = Instant::now() + LONGEST.min(patience);
    let mut addresses = addresses.into_iter();
    let mut pending = Vec::new();
    loop {
        // One more address joins the handshakes that are pending.
        let new = addresses.next();
        if let Some(address) = new {
            let origin =
                TcpSocket::new(address).map_err(|_| no_descriptor())?;
            pending.push((origin, address));
        } else if pending.is_empty() {
            return Err(refused.unwrap_or_else(no_answer).into());
        }
        // With a new address, connect() below waits 250 ms. Without one,
        // poll() waits until a handshake ends, or the client leaves.
        let left = until.saturating_duration_since(Instant::now());
        let limit = if new.is_some() { Duration::ZERO } else { left };
        match watch::connected_or_client_gone(&pending, client, limit)? {
            Ready::Client => {
                return Err(Failure::left("before the origin was reached"));
            }
            Ready::Neither if left.is_zero() => return Err(no_answer().into()),
            Ready::Origin | Ready::Neither => {}
        }
        for (origin, address) in mem::take(&mut pending) {
            let limit = if new == Some(address) { STEP } else { POLLED };
            match handshake(&origin, address, limit.min(left)) {
                Ok(()) => {
                    let mut origin = Reader::new(origin);
                    origin.set_head_deadline(HEAD_DEADLINE.min(patience));
                    return Ok(origin);
                }
                // connect() has timed out, but the kernel continues the
                // handshake.
                Err(error) if is_pending(&error) => {
                    pending.push((origin, address));
                }
                Err(error) => refused = Some(unreachable(address, &error)),
            }
        }
    }
}

/// The allowed addresses of a name, IPv6 and IPv4 in turn. If an address is not
/// allowed, the second value says why.
fn addresses(
    destination: &Destination,
    rules: Option<&Rules>,
) -> Result<(Vec<SocketAddr>, Option<ErrorPage>), ErrorPage> {
    let name = &destination.host;
    let mut found = net::resolve(name, destination.port).map_err(|_| {
        // The resolver needs a descriptor, too. If none is left, the failure
        // is the proxy's and not the name's.
        match TcpSocket::new(([0; 4], 0).into()) {
            Ok(_) => {
                ErrorPage::new(502, format!("The name {name} was not found."))
            }
            Err(_) => no_descriptor(),
        }
    })?;
    let mut refused = None;
    found.retain(|&address| {
        let checked = rules.map_or(Ok(()), |rules| rules.check(address));
        let allowed = checked.is_ok();
        refused = checked.err().or(refused.take());
        allowed
    });
    let of_first = |address: &SocketAddr| {
        found.first().is_some_and(|first| address.is_ipv6() == first.is_ipv6())
    };
    let (one, two): (Vec<_>, Vec<_>) =
        found.iter().copied().partition(of_first);
    let in_turn = (0..MOST).flat_map(|at| [one.get(at), two.get(at)]);
    Ok((in_turn.flatten().copied().take(MOST).collect(), refused))
}

/// One connect() with a time limit, then the options of the connection.
fn handshake(
    origin: &TcpSocket,
    address: SocketAddr,
    limit: Duration,
) -> socketlab::Result<()> {
    // ---- 6 connect() -----------------------------------------------------
    // Now this program is a client. On Linux SO_SNDTIMEO also limits
    // connect(). A later connect() on the same socket returns the result of
    // the handshake.                                          (viva 8)
    origin.set_send_timeout(Some(limit))?;
    origin.connect(address)?;
    // An origin that reads nothing for 30 s is disconnected.
    origin.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    origin.set_user_timeout(net::SEND_TIMEOUT)?;
    origin.set_no_delay()
}

/// Has only connect() timed out, while the handshake is still pending?
fn is_pending(error: &socketlab::Error) -> bool {
    [Errno::INPROGRESS, Errno::ALREADY]
        .iter()
        .any(|errno| error.errno() == Some(errno.raw_os_error()))
}

fn no_descriptor() -> ErrorPage {
    let why = "This proxy has no descriptor left for a connection to \
               an origin. Try again when other clients have left.";
    ErrorPage::new(503, why)
}

/// The page for a connect() that failed: 504 for silence, otherwise 502.
fn unreachable(address: SocketAddr, error: &socketlab::Error) -> ErrorPage {
    let (status, what) = match error.kind() {
        ErrorKind::ConnectionRefused => {
            (502, "Nothing listens there (ECONNREFUSED).".to_string())
        }
        _ if error.is_timeout() => {
            (504, "No answer to connect() (ETIMEDOUT).".to_string())
        }
        _ => (502, error.to_string()),
    };
    let why = format!("No connection to the origin, {address}. {what}");
    ErrorPage::new(status, why)
}
