//! The handouts' vocabulary. One method is one system call, under the name
//! that the call has in C and Python; a call that fails names itself and its
//! address. labs/greet does without this file and shows what is in it.
//!
//! std's `TcpListener::bind` fuses socket, setsockopt, bind and listen, and
//! fixes the backlog. The handouts teach these as separate steps, so the
//! sockets here come from socket2, which keeps them apart.

use std::fmt::Display;
use std::io::{self, PipeReader, PipeWriter};
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket};

use crate::trace::{self, Ends, Step};
use crate::{Error, Result, say, warn};
use explain::Entry;

mod tcp;
mod udp;

pub use tcp::{
    CONNECT_TIMEOUT, SEND_TIMEOUT, TcpSocket, WeakTcpSocket, connect,
};
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
        fail(io::Error::other(unresolved(reason)))
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

/// The resolver's own words, its name for the error, and what to try. std
/// hands on the words alone.
fn unresolved(reason: &str) -> String {
    match explain::find(reason).first() {
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
/// `socket.gethostname()`. Which address it stands for is another question,
/// and [`resolve`] answers it.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Tries `attempt` on each address until one works; the last failure if none
/// does. `localhost` is often ::1 first and 127.0.0.1 second, and a server
/// listens on one of them only.
pub fn try_each<T>(
    addresses: &[SocketAddr],
    mut attempt: impl FnMut(SocketAddr) -> Result<T>,
) -> Result<T> {
    let mut last = Error::other("there is no address to try");
    for (index, &address) in addresses.iter().enumerate() {
        match attempt(address) {
            Ok(done) => return Ok(done),
            Err(error) if index + 1 < addresses.len() => {
                warn!("{error}\ntrying the next address of this name");
                last = error;
            }
            Err(error) => last = error,
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

/// What a system call gives back, told as C and strace tell it.
pub trait Returned {
    /// The result as text: `0`, `5`, `4, 127.0.0.1:48437`.
    fn text(&self) -> String;
    /// Both ends of the socket that the call made, if it made one.
    fn ends(&self) -> Option<Ends> {
        None
    }
}

impl Returned for () {
    fn text(&self) -> String {
        "0".into()
    }
}

impl Returned for usize {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Returned for Socket {
    fn text(&self) -> String {
        trace::fd(self).to_string()
    }
    fn ends(&self) -> Option<Ends> {
        Some(trace::ends(self))
    }
}

impl Returned for (Socket, SockAddr) {
    fn text(&self) -> String {
        format!("{}, {}", trace::fd(&self.0), show(&self.1))
    }
    fn ends(&self) -> Option<Ends> {
        Some(trace::ends(&self.0))
    }
}

impl Returned for OwnedFd {
    fn text(&self) -> String {
        self.as_raw_fd().to_string()
    }
}

/// What `pipe()` writes into its `int fd[2]`.
impl Returned for (PipeReader, PipeWriter) {
    fn text(&self) -> String {
        format!("0, [{}, {}]", self.0.as_raw_fd(), self.1.as_raw_fd())
    }
}

impl Returned for (usize, SocketAddr) {
    fn text(&self) -> String {
        format!("{}, {}", self.0, self.1)
    }
}

fn show(address: &SockAddr) -> String {
    match (address.as_socket(), address.as_pathname()) {
        (Some(address), _) => address.to_string(),
        (None, Some(path)) => path.display().to_string(),
        (None, None) if address.is_unnamed() => "unnamed".into(),
        (None, None) => "?".into(),
    }
}

/// Does one system call: traces it, repeats it when a signal interrupted it
/// (EINTR), and gives a failure its name. `socket` is `None` for `socket()`
/// itself, which has no socket yet; `on` is what the error line names.
pub fn step<T: Returned>(
    call: &'static str,
    socket: Option<&Socket>,
    on: impl Display,
    mut work: impl FnMut() -> io::Result<T>,
) -> Result<T> {
    let began = trace::begin();
    let result = loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    trace::end(began, || {
        let fd = socket.map(trace::fd);
        let made = result.as_ref().ok().and_then(Returned::ends);
        Step {
            call,
            arguments: match fd {
                Some(fd) if matches!(call, "accept" | "close") => {
                    fd.to_string()
                }
                Some(fd) => format!("{fd}, {on}"),
                None => on.to_string(),
            },
            result: result.as_ref().map(Returned::text),
            data: &[],
            ends: made.or(socket.map(trace::ends)).unwrap_or_default(),
        }
    });
    result.map_err(|error| Error::new(call, on, error))
}

/// [`step`] for a `send()` on a bare socket: the trace shows the bytes, too.
pub fn step_send(
    socket: &Socket,
    peer: SocketAddr,
    data: &[u8],
    send: impl FnMut() -> io::Result<usize>,
) -> Result<usize> {
    let began = trace::begin();
    let result = retry(send);
    let shown = || bare(socket, data, data.len());
    moved("send", began, result, shown, || peer.to_string())
}

/// [`step`] for a `recv()` on a bare socket: the trace shows what came.
pub fn step_recv(
    socket: &Socket,
    peer: SocketAddr,
    buffer: &mut [u8],
    mut recv: impl FnMut(&mut [u8]) -> io::Result<usize>,
) -> Result<usize> {
    let began = trace::begin();
    let result = retry(|| recv(buffer));
    let count = *result.as_ref().unwrap_or(&0);
    let data = buffer.get(..count).unwrap_or_default();
    let shown = || bare(socket, data, buffer.len());
    moved("recv", began, result, shown, || peer.to_string())
}

fn bare<'a>(socket: &Socket, data: &'a [u8], size: usize) -> Moved<'a> {
    let (fd, quoted) = (trace::fd(socket), trace::quote(data));
    (format!("{fd}, {quoted}, {size}"), data, trace::ends(socket))
}

/// What the trace shows of a call that moved bytes: the arguments, the bytes,
/// both ends of the socket.
type Moved<'a> = (String, &'a [u8], Ends);

/// Ends a call that moved bytes, as [`step`] does for the others. `moved` is
/// asked only while tracing, `on` only for an error.
fn moved<'a, T: Returned>(
    call: &'static str,
    began: Option<Instant>,
    result: io::Result<T>,
    moved: impl FnOnce() -> Moved<'a>,
    on: impl FnOnce() -> String,
) -> Result<T> {
    trace::end(began, || {
        let (arguments, data, ends) = moved();
        let result = result.as_ref().map(Returned::text);
        Step { call, arguments, result, data, ends }
    });
    result.map_err(|error| Error::new(call, on(), error))
}

/// Ends a `close()`: nothing can be asked of that socket any more.
fn closed(began: Option<Instant>, fd: i32, ends: Ends) {
    trace::end(began, || Step {
        call: "close",
        arguments: fd.to_string(),
        result: Ok("0".into()),
        data: &[],
        ends,
    });
}

/// `close()` on a bare socket: drops the value, which closes the descriptor.
pub fn close(socket: Socket) {
    let began = trace::begin();
    let ends =
        if began.is_some() { trace::ends(&socket) } else { Ends::default() };
    let fd = trace::fd(&socket);
    drop(socket);
    closed(began, fd, ends);
}

/// The arguments of `socket()` for TCP to or at this address, as C has them.
pub fn tcp_arguments(address: SocketAddr) -> String {
    format!("{}, SOCK_STREAM, 0", domain(address).1)
}

/// AF_INET or AF_INET6, whichever the address is of.
fn domain(address: SocketAddr) -> (Domain, &'static str) {
    match address {
        SocketAddr::V4(_) => (Domain::IPV4, "AF_INET"),
        SocketAddr::V6(_) => (Domain::IPV6, "AF_INET6"),
    }
}

/// Repeats a call that a signal interrupted (EINTR).
fn retry<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The system counts microseconds, and takes 0 of them for no limit at all.
fn at_least(limit: Option<Duration>) -> Option<Duration> {
    limit.map(|limit| limit.max(Duration::from_micros(1)))
}

/// A time limit as the trace shows it.
fn seconds(limit: Option<Duration>) -> String {
    limit.map_or("none".into(), |limit| format!("{limit:?}"))
}
