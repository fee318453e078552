//! One system call: shown by the trace, repeated when a signal interrupted
//! it, and named in the error if it fails.

use std::fmt::Display;
use std::io::{self, PipeReader, PipeWriter};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::net::SocketAddrAny;
use rustix::net::sockopt::{Timeout, socket_timeout};
use socket2::{SockAddr, Socket};

use crate::trace::{self, Began, Ends, Step};
use crate::{Error, Result};

/// What a system call returns, as text like that of strace.
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

impl Returned for OwnedFd {
    fn text(&self) -> String {
        self.as_raw_fd().to_string()
    }
    fn ends(&self) -> Option<Ends> {
        Some(trace::ends(self))
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

/// What rustix's `acceptfrom()` returns.
impl Returned for (OwnedFd, Option<SocketAddrAny>) {
    fn text(&self) -> String {
        let peer = self.1.clone().map(SocketAddr::try_from);
        match peer {
            Some(Ok(peer)) => format!("{}, {peer}", self.0.as_raw_fd()),
            _ => self.0.text(),
        }
    }
    fn ends(&self) -> Option<Ends> {
        Some(trace::ends(&self.0))
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
    name: &'static str,
    socket: Option<&dyn AsFd>,
    on: impl Display,
    work: impl FnMut() -> io::Result<T>,
) -> Result<T> {
    let began = trace::begin();
    let result = retry(work);
    ended(name, socket, on, began, result)
}

/// [`step`] for the functions of rustix, whose errors are errno numbers.
pub fn call<T: Returned>(
    name: &'static str,
    socket: Option<&dyn AsFd>,
    on: impl Display,
    mut work: impl FnMut() -> rustix::io::Result<T>,
) -> Result<T> {
    step(name, socket, on, || Ok(work()?))
}

/// Ends a call that moved no bytes.
pub(super) fn ended<T: Returned>(
    name: &'static str,
    socket: Option<&dyn AsFd>,
    on: impl Display,
    began: Option<Began>,
    result: io::Result<T>,
) -> Result<T> {
    trace::end(began, || {
        let made = result.as_ref().ok().and_then(Returned::ends);
        let own = || socket.map(|socket| trace::ends(&socket));
        Step {
            call: name,
            arguments: match socket.map(|socket| trace::fd(&socket)) {
                Some(fd) if name == "accept" => fd.to_string(),
                Some(fd) => format!("{fd}, {on}"),
                None => on.to_string(),
            },
            result: result.as_ref().map(Returned::text),
            data: &[],
            ends: made.or_else(own).unwrap_or_default(),
        }
    });
    result.map_err(|error| Error::new(name, on, error))
}

/// [`call`] for a `send()`: the trace shows the bytes, too.
pub fn call_send(
    socket: &impl AsFd,
    peer: SocketAddr,
    data: &[u8],
    mut send: impl FnMut() -> rustix::io::Result<usize>,
) -> Result<usize> {
    let began = trace::begin();
    let result = retry(|| Ok(send()?));
    let count = *result.as_ref().unwrap_or(&0);
    let sent = data.get(..count).unwrap_or(data);
    let shown = || bare(socket, sent, data.len());
    let result = moved("send", began, result, shown, || peer.to_string());
    timed(socket, Timeout::Send, result)
}

/// [`call`] for a `recv()`: the trace shows what came. rustix's `recv` says
/// how many bytes came and, as MSG_TRUNC does, how many there were.
pub fn call_recv(
    socket: &impl AsFd,
    peer: SocketAddr,
    buffer: &mut [u8],
    mut recv: impl FnMut(&mut [u8]) -> rustix::io::Result<(usize, usize)>,
) -> Result<usize> {
    let began = trace::begin();
    let result = retry(|| Ok(recv(buffer)?.0));
    let count = *result.as_ref().unwrap_or(&0);
    let data = buffer.get(..count).unwrap_or_default();
    let shown = || bare(socket, data, buffer.len());
    let result = moved("recv", began, result, shown, || peer.to_string());
    timed(socket, Timeout::Recv, result)
}

fn bare<'a>(socket: &impl AsFd, data: &'a [u8], size: usize) -> Moved<'a> {
    let (fd, quoted) = (trace::fd(socket), trace::quote(data));
    (format!("{fd}, {quoted}, {size}"), data, trace::ends(socket))
}

/// What the trace shows of a call that moved bytes: the arguments, the bytes,
/// both ends of the socket.
pub(super) type Moved<'a> = (String, &'a [u8], Ends);

/// Ends a call that moved bytes. `moved` is asked only while tracing, `on`
/// only for an error.
pub(super) fn moved<'a, T: Returned>(
    call: &'static str,
    began: Option<Began>,
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

/// A `close()` that is about to happen. Its drop reports that it happened, so
/// a socket type keeps one in its last field: fields are dropped in order.
pub(super) struct Closing {
    fd: i32,
    ends: Ends,
    began: Option<Began>,
}

impl Closing {
    /// The ends are read now, because they are unknown afterwards. `None` while
    /// tracing is off.
    pub(super) fn begin(
        socket: &impl AsFd,
        ends: impl FnOnce() -> Ends,
    ) -> Option<Closing> {
        trace::is_on().then(|| {
            let (fd, ends) = (trace::fd(socket), ends());
            Closing { fd, ends, began: trace::begin() }
        })
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        trace::end(self.began, || Step {
            call: "close",
            arguments: self.fd.to_string(),
            result: Ok("0".into()),
            data: &[],
            ends: self.ends,
        });
    }
}

/// [`call`] for a `close()`, which in Rust is the drop of a socket's owner.
pub fn call_close<S: AsFd>(socket: S, close: impl FnOnce(S)) {
    let closing = Closing::begin(&socket, || trace::ends(&socket));
    close(socket);
    drop(closing);
}

/// `close()` on a bare socket.
pub fn close(socket: impl AsFd) {
    call_close(socket, drop);
}

/// The arguments of `socket()`, as C has them: `AF_INET, SOCK_STREAM, 0`.
pub fn socket_arguments(address: SocketAddr, kind: &str) -> String {
    let family = match address {
        SocketAddr::V4(_) => "AF_INET",
        SocketAddr::V6(_) => "AF_INET6",
    };
    format!("{family}, {kind}, 0")
}

/// Repeats a call that a signal interrupted (EINTR).
pub(super) fn retry<T>(
    mut work: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Adds to an EAGAIN how long the call has waited: the limit that SO_RCVTIMEO
/// or SO_SNDTIMEO sets for this socket. Without one it waited for nothing.
pub(super) fn timed<T>(
    socket: &impl AsFd,
    limit: Timeout,
    result: Result<T>,
) -> Result<T> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => match socket_timeout(socket, limit) {
            Ok(Some(limit)) => error.after(limit),
            Ok(None) | Err(_) => error,
        },
        _ => error,
    })
}

/// The kernel counts this limit in microseconds, and 0 means no limit. So the
/// smallest limit is one microsecond.
pub(super) fn at_least(limit: Option<Duration>) -> Option<Duration> {
    limit.map(|limit| limit.max(Duration::from_micros(1)))
}

/// A time limit as the trace shows it.
pub(super) fn seconds(limit: Option<Duration>) -> String {
    limit.map_or("none".into(), |limit| format!("{limit:?}"))
}
