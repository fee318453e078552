//! The way to an origin: its addresses, which of them are allowed, connect.
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
use rustix::io::Errno;
use socketlab::net::{self, TcpSocket};

use crate::errors::{ErrorPage, Failure};
use crate::rules::Rules;
use crate::target::Destination;
use crate::watch::{self, Ready};

/// How long all addresses of a name together may take.
const LONGEST: Duration = Duration::from_secs(20);

/// How long one address is tried before the next one is tried, too.
const STEP: Duration = Duration::from_millis(250);

/// How long connect() takes to say what has become of a handshake.
const POLLED: Duration = Duration::from_millis(1);

/// Addresses of a name that are tried.
const MOST: usize = 16;

/// Connects to the address that answers first (RFC 8305, Happy Eyeballs), and
/// watches meanwhile whether the client leaves. Without rules, any address may
/// be reached.
pub fn connect(
    destination: &Destination,
    rules: Option<&Rules>,
    patience: Duration,
    client: &Reader,
) -> Result<Reader, Failure> {
    let (addresses, mut refused) = addresses(destination, rules)?;
    let no_answer = || {
        let why = format!("No answer of {} to connect().", destination.host);
        ErrorPage::new(504, why)
    };
    let until = Instant::now() + LONGEST.min(patience);
    let mut addresses = addresses.into_iter();
    let mut pending = Vec::new();
    loop {
        let new = addresses.next();
        if let Some(address) = new {
            let origin =
                TcpSocket::new(address).map_err(|_| no_descriptor())?;
            pending.push((origin, address));
        } else if pending.is_empty() {
            return Err(refused.unwrap_or_else(no_answer).into());
        }
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
                Ok(()) => return Ok(Reader::new(origin)),
                // Its handshake goes on in the kernel.
                Err(error) if is_pending(&error) => {
                    pending.push((origin, address));
                }
                Err(error) => refused = Some(unreachable(address, &error)),
            }
        }
    }
}

/// The addresses of a name that may be connected to, IPv6 and IPv4 in turn;
/// and why another one may not.
fn addresses(
    destination: &Destination,
    rules: Option<&Rules>,
) -> Result<(Vec<SocketAddr>, Option<ErrorPage>), ErrorPage> {
    let name = &destination.host;
    let mut found = net::resolve(name, destination.port).map_err(|_| {
        // Asking a name server takes a descriptor, too.
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

fn handshake(
    origin: &TcpSocket,
    address: SocketAddr,
    limit: Duration,
) -> socketlab::Result<()> {
    // ---- 6 connect() -----------------------------------------------------
    // From here this program is a client. SO_SNDTIMEO bounds connect() on
    // Linux, too; the next connect() says what has become of the handshake.
    origin.set_send_timeout(Some(limit))?;
    origin.connect(address)?;
    // A server that does not read for 30 s is given up.
    origin.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    origin.set_user_timeout(net::SEND_TIMEOUT)?;
    origin.set_no_delay()
}

/// The time limit ended connect(), and not the handshake.
fn is_pending(error: &socketlab::Error) -> bool {
    [Errno::INPROGRESS, Errno::ALREADY]
        .iter()
        .any(|errno| error.errno() == Some(errno.raw_os_error()))
}

fn no_descriptor() -> ErrorPage {
    let why = "This proxy has no descriptor left for a connection to \
               an origin. Try again when others have gone.";
    ErrorPage::new(503, why)
}

/// No connection: whose fault is it?
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
