//! The handouts' vocabulary. One method is one system call, under the name
//! that the call has in C and Python; a call that fails names itself and its
//! address. Only `send_all`, `finish` and `set_keepalive` make several
//! calls. A time limit is a call of its own, so that the reader sees it in the
//! program.
//!
//! std's `TcpListener::bind` joins socket, setsockopt, bind and listen, and
//! fixes the backlog. The handouts teach these as separate steps, so the
//! sockets here come from socket2, which keeps them apart.
//!
//! | file      | what it is                                               |
//! | --------- | -------------------------------------------------------- |
//! | `call`    | one system call: traced, repeated after EINTR, named     |
//! | `poll`    | [`poll()`]: waits for several sockets at once            |
//! | `connect` | [`connect()`]: ended by a time limit, or by a signal     |
//! | `tcp`     | [`TcpSocket`]                                            |
//! | `udp`     | [`UdpSocket`]                                            |

use std::io;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use explain::Entry;
use rustix::net::AddressFamily;

use crate::{Error, Result, say, warn};

mod call;
mod connect;
mod poll;
mod tcp;
mod udp;

pub use call::{
    Returned, call, call_close, call_recv, call_send, close, socket_arguments,
    step,
};
pub use connect::{call_connect, connect};
pub use poll::{PollFd, PollFlags, poll};
pub use tcp::{CONNECT_TIMEOUT, SEND_TIMEOUT, TcpSocket, WeakTcpSocket};
pub use udp::{LARGEST_DATAGRAM, UdpSocket};

/// Host name and port to addresses, in the order in which they should be
/// tried. C: `getaddrinfo()`, Python: `socket.getaddrinfo()`. An empty host
/// means every address of this machine, as `INADDR_ANY` does.
pub fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = match (host, inner) {
        ("", _) => "0.0.0.0",
        (_, Some(inner)) if inner.parse::<Ipv6Addr>().is_ok() => inner,
        _ => host,
    };
    let fail = |source| Error::new("getaddrinfo", host, source);
    let found = (bare, port).to_socket_addrs().map_err(|error| {
        let text = error.to_string();
        let reason = text.rsplit(": ").next().unwrap_or_default();
        fail(io::Error::other(unresolved(bare, reason)))
    })?;
    // The resolver answers once per socket type on some systems.
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(fail(io::Error::other("no address for this name")));
    }
    Ok(addresses)
}

/// The resolver's text, its name for the error, and what to try. std returns
/// only the text.
fn unresolved(host: &str, reason: &str) -> String {
    match explain::find(reason).first() {
        Some(Entry { name, .. }) if host == hostname() => format!(
            "{reason} ({name}). This machine's own name has no address: \
             add it to /etc/hosts, or give an address such as 127.0.0.1."
        ),
        Some(Entry { name, number: Some(number), .. }) => {
            let hint = explain::hint("getaddrinfo", *number);
            format!("{reason} ({name}). {hint}")
        }
        _ => format!(
            "{reason}. Check the spelling of HOST, or give an address such \
             as 127.0.0.1."
        ),
    }
}

/// The first address of [`resolve`]: a server binds one.
pub fn resolve_one(host: &str, port: u16) -> Result<SocketAddr> {
    let first = resolve(host, port)?.into_iter().next();
    first.ok_or_else(|| Error::other(format!("no address for {host}")))
}

/// This machine's own name. C: `gethostname()`, Python:
/// `socket.gethostname()`. [`resolve`] finds its addresses.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Tries `attempt` on each address until one works; the last failure if none
/// does. `localhost` is often ::1 first and 127.0.0.1 second, and a server
/// listens on one of them only.
pub fn try_each<T>(
    addresses: &[SocketAddr],
    attempt: impl FnMut(SocketAddr) -> Result<T>,
) -> Result<T> {
    try_each_for(0, addresses, attempt)
}

/// [`try_each`], repeated each second while no server listens there
/// (ECONNREFUSED), for this many seconds at most. So a client may be started
/// before its server. 0 seconds: each address once.            [E-I5]
pub fn try_each_for<T>(
    seconds: u64,
    addresses: &[SocketAddr],
    mut attempt: impl FnMut(SocketAddr) -> Result<T>,
) -> Result<T> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tell = true; // of each address, the first time
    loop {
        let error = match try_once(addresses, tell, &mut attempt) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let refused = error.kind() == io::ErrorKind::ConnectionRefused;
        let left = end.saturating_duration_since(Instant::now());
        if !refused || left.is_zero() {
            return Err(error);
        }
        let seconds = left.as_secs() + 1;
        warn!("no server listens there yet: {seconds} s to go");
        thread::sleep(left.min(Duration::from_secs(1)));
        tell = false;
    }
}

fn try_once<T>(
    addresses: &[SocketAddr],
    tell: bool,
    attempt: &mut impl FnMut(SocketAddr) -> Result<T>,
) -> Result<T> {
    let mut last = Error::other("no address to try");
    for (index, &address) in addresses.iter().enumerate() {
        match attempt(address) {
            Ok(done) => return Ok(done),
            Err(error) => last = error,
        }
        if tell && index + 1 < addresses.len() {
            warn!("{last}\ntrying the next address of this name");
        }
    }
    Err(last)
}

/// A server's first line, `listening on 127.0.0.1:12000`, and on an address
/// of all interfaces a warning that says who can reach it now.
pub fn announce(local: SocketAddr) {
    say!("listening on {local}");
    if local.ip().is_unspecified() {
        warn!(
            "warning: bound to {}, every interface: anybody on your network \
             can connect now. 127.0.0.1 keeps it to this machine.",
            local.ip()
        );
    }
}

/// Raises this process's limit of open descriptors as far as it may: every
/// connection is one, and 1024 is the usual limit.
pub fn allow_many_sockets() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// The address's family, AF_INET or AF_INET6.
pub fn family(address: SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}
