//! The handouts' vocabulary. One method is one system call, under the name
//! that the call has in C and Python; a call that fails names itself and its
//! address. labs/greet does without this file and shows what is in it.
//!
//! std's `TcpListener::bind` fuses socket, setsockopt, bind and listen, and
//! fixes the backlog. The handouts teach these as separate steps, so the
//! sockets here come from socket2, which keeps them apart.

use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use socket2::{
    Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type,
};

use crate::trace::{self, Ends, Step};
use crate::{Error, Result, say, warn};

/// How long `connect` waits for the other side. The kernel alone would
/// repeat its SYN for about two minutes before it gives up.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// How long a `send` may make no progress because the peer does not read.
const SEND_DEADLINE: Duration = Duration::from_secs(30);

/// What a close waits for the peer's last bytes: see [`TcpSocket::finish`].
const LINGER: Duration = Duration::from_secs(1);

/// The largest UDP payload over IPv4: 65,535 less 20 (IP) and 8 (UDP).
pub const LARGEST_DATAGRAM: usize = 65_507;

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
        fail(io::Error::other(format!(
            "{reason}. No address is known for this name: check its \
             spelling, or give the address itself, such as 127.0.0.1"
        )))
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

impl Returned for (usize, SockAddr) {
    fn text(&self) -> String {
        format!("{}, {}", self.0, show(&self.1))
    }
}

fn show(address: &SockAddr) -> String {
    address.as_socket().map_or("?".into(), |address| address.to_string())
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

/// `close()` on a bare socket: drops the value, which closes the descriptor.
pub fn close(socket: Socket) {
    let began = trace::begin();
    let ends =
        if began.is_some() { trace::ends(&socket) } else { Ends::default() };
    let fd = trace::fd(&socket);
    drop(socket);
    trace::end(began, || Step {
        call: "close",
        arguments: fd.to_string(),
        result: Ok("0".into()),
        data: &[],
        ends,
    });
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

/// A TCP socket. A clone is a second handle to the same kernel socket, as two
/// Python variables may name one socket object; the descriptor is closed when
/// the last handle goes.
#[derive(Clone)]
pub struct TcpSocket(Arc<Tcp>);

struct Tcp {
    socket: Socket,
    /// Kept, because a socket that was reset forgets who its peer was.
    peer: OnceLock<SocketAddr>,
}

/// A handle that does not keep its socket open.
pub struct WeakTcpSocket(Weak<Tcp>);

impl WeakTcpSocket {
    /// The socket, unless it has been closed.
    pub fn upgrade(&self) -> Option<TcpSocket> {
        self.0.upgrade().map(TcpSocket)
    }
}

impl TcpSocket {
    /// `socket(AF_INET, SOCK_STREAM, 0)`, or AF_INET6 if the address that it
    /// is for is IPv6. Python: `socket.socket(AF_INET, SOCK_STREAM)`.
    pub fn new(address: SocketAddr) -> Result<TcpSocket> {
        let (domain, _) = domain(address);
        let on = tcp_arguments(address);
        let socket = step("socket", None, on, || {
            Socket::new(domain, Type::STREAM, Some(Protocol::TCP))
        })?;
        Ok(TcpSocket(Arc::new(Tcp { socket, peer: OnceLock::new() })))
    }

    /// `setsockopt(SO_REUSEADDR, 1)`: bind even while connections of an
    /// earlier run wait in TIME_WAIT.
    pub fn set_reuse_address(&self) -> Result<()> {
        let socket = &self.0.socket;
        step("setsockopt", Some(socket), "SO_REUSEADDR, 1", || {
            socket.set_reuse_address(true)
        })
    }

    /// `setsockopt(TCP_NODELAY, 1)`: send small segments at once instead of
    /// waiting for the acknowledgement of the last one (Nagle's algorithm).
    pub fn set_no_delay(&self) -> Result<()> {
        let socket = &self.0.socket;
        step("setsockopt", Some(socket), "TCP_NODELAY, 1", || {
            socket.set_tcp_nodelay(true)
        })
    }

    /// `setsockopt(SO_RCVTIMEO)`: how long a [`recv`](Self::recv) may wait;
    /// it then fails with an error whose `is_timeout()` is true. `None`: for
    /// ever. Python: `settimeout()`.
    pub fn set_recv_timeout(&self, limit: Option<Duration>) -> Result<()> {
        let socket = &self.0.socket;
        let on = format!("SO_RCVTIMEO, {}", seconds(limit));
        step("setsockopt", Some(socket), on, || {
            socket.set_read_timeout(at_least(limit))
        })
    }

    /// `setsockopt(SO_SNDTIMEO)`: how long a [`send`](Self::send) may wait
    /// for room in the kernel's buffer, that is for the peer to read.
    pub fn set_send_timeout(&self, limit: Option<Duration>) -> Result<()> {
        let socket = &self.0.socket;
        let on = format!("SO_SNDTIMEO, {}", seconds(limit));
        step("setsockopt", Some(socket), on, || {
            socket.set_write_timeout(at_least(limit))
        })
    }

    /// `bind()`: claims the local address. Port 0 lets the kernel choose.
    /// Fails with EADDRINUSE, EADDRNOTAVAIL, EACCES.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        let socket = &self.0.socket;
        step("bind", Some(socket), address, || socket.bind(&address.into()))
    }

    /// `listen(backlog)`: from here the kernel completes handshakes by
    /// itself, and keeps `backlog` + 1 of them (Linux) until `accept`.
    pub fn listen(&self, backlog: i32) -> Result<()> {
        let socket = &self.0.socket;
        step("listen", Some(socket), backlog, || socket.listen(backlog))
    }

    /// `accept()`: takes the oldest finished connection from the queue, and
    /// waits if there is none. The new socket has the listener's port; what
    /// tells the connections apart is the peer's address.
    /// Fails with EMFILE, ENFILE, ENOBUFS, ECONNABORTED: none of them a
    /// reason to end a server, see [`crate::clients`].
    pub fn accept(&self) -> Result<(TcpSocket, SocketAddr)> {
        let socket = &self.0.socket;
        let on = LocalAddress(socket);
        let (new, peer) = step("accept", Some(socket), on, || socket.accept())?;
        let peer = peer.as_socket().ok_or_else(|| {
            Error::other("accept(): the peer has no IP address")
        })?;
        let new = TcpSocket(Arc::new(Tcp { socket: new, peer: peer.into() }));
        // A peer that stops reading must not hold a thread for ever.
        let _ = new.set_send_timeout(Some(SEND_DEADLINE));
        Ok((new, peer))
    }

    /// `connect()`: the three-way handshake, SYN, SYN-ACK, ACK. The kernel
    /// picks the local port. Waits 10 s at most. Fails with ECONNREFUSED
    /// (nobody listens there), ETIMEDOUT, EHOSTUNREACH, ENETUNREACH.
    pub fn connect(&self, address: SocketAddr) -> Result<()> {
        let socket = &self.0.socket;
        self.set_send_timeout(Some(CONNECT_DEADLINE))?;
        step("connect", Some(socket), address, || connect(socket, address))?;
        self.set_send_timeout(Some(SEND_DEADLINE))?;
        let _ = self.0.peer.set(address);
        Ok(())
    }

    /// `recv()`: gives what has arrived, at least one byte, and waits if
    /// there is nothing; 0 means that the peer has closed its direction.
    /// One `recv` is not one `send`: TCP carries bytes, not messages.
    /// Fails with ECONNRESET, and EAGAIN when the time limit passed.
    pub fn recv(&self, buffer: &mut [u8]) -> Result<usize> {
        let socket = &self.0.socket;
        let room = buffer.len();
        let began = trace::begin();
        let result = retry(|| io::Read::read(&mut &*socket, buffer));
        trace::end(began, || {
            let count = *result.as_ref().unwrap_or(&0);
            let data = buffer.get(..count).unwrap_or_default();
            let fd = trace::fd(socket);
            Step {
                call: "recv",
                arguments: format!("{fd}, {}, {room}", trace::quote(data)),
                result: result.as_ref().map(usize::to_string),
                data,
                ends: self.ends(),
            }
        });
        result.map_err(|error| Error::new("recv", self.peer_text(), error))
    }

    /// `send()`: copies bytes into the kernel's send buffer and returns how
    /// many fitted; waits while the buffer is full. That they were copied
    /// says nothing of the peer having read them.
    /// Fails with EPIPE, ECONNRESET, and EAGAIN when the time limit passed.
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        let socket = &self.0.socket;
        let began = trace::begin();
        let result = retry(|| io::Write::write(&mut &*socket, data));
        trace::end(began, || {
            let fd = trace::fd(socket);
            let size = data.len();
            Step {
                call: "send",
                arguments: format!("{fd}, {}, {size}", trace::quote(data)),
                result: result.as_ref().map(usize::to_string),
                data,
                ends: self.ends(),
            }
        });
        result.map_err(|error| Error::new("send", self.peer_text(), error))
    }

    /// `send()` until all of `data` is in the kernel's buffer. A single
    /// `send` may take a part. Python: `sendall()`.
    pub fn send_all(&self, data: &[u8]) -> Result<()> {
        let mut rest = data;
        while !rest.is_empty() {
            let count = self.send(rest)?;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// `send(MSG_DONTWAIT)`: what the kernel's buffer takes at once, perhaps
    /// nothing: 0. Never waits.
    pub fn send_now(&self, data: &[u8]) -> Result<usize> {
        let socket = &self.0.socket;
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let began = trace::begin();
        let result = match retry(|| Ok(send(socket, data, flags)?)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        };
        trace::end(began, || {
            let fd = trace::fd(socket);
            let size = data.len();
            Step {
                call: "send",
                arguments: format!(
                    "{fd}, {}, {size}, MSG_DONTWAIT",
                    trace::quote(data)
                ),
                result: result.as_ref().map(usize::to_string),
                data,
                ends: self.ends(),
            }
        });
        result.map_err(|error| Error::new("send", self.peer_text(), error))
    }

    /// `poll(POLLHUP)`: waits for `limit`, or until the connection is over in
    /// both directions: reset, timed out, or shut down by us. What has arrived
    /// is not looked at, and may still be read.
    pub fn hangs_up_within(&self, limit: Duration) -> Result<bool> {
        let socket = &self.0.socket;
        let limit = Timespec::try_from(limit).ok();
        // No event is asked for: POLLHUP and POLLERR are always reported.
        let mut watched = [PollFd::new(socket, PollFlags::empty())];
        let on = "POLLHUP";
        let events = step("poll", Some(socket), on, || {
            Ok(poll(&mut watched, limit.as_ref())?)
        })?;
        Ok(events > 0)
    }

    /// `setsockopt(SO_KEEPALIVE, …)`: asks a peer that has been silent for a
    /// third of `limit` whether it is there, and fails the connection with
    /// ETIMEDOUT when `limit` has passed without an answer, or without an
    /// acknowledgement of what we sent (TCP_USER_TIMEOUT, Linux).
    pub fn set_keepalive(&self, limit: Duration) -> Result<()> {
        let socket = &self.0.socket;
        let third = (limit / 3).max(Duration::from_secs(1));
        let probes = TcpKeepalive::new()
            .with_time(third)
            .with_interval((third / 2).max(Duration::from_secs(1)))
            .with_retries(4);
        let on = format!("SO_KEEPALIVE, {limit:?}");
        step("setsockopt", Some(socket), on, || {
            socket.set_tcp_keepalive(&probes)?;
            #[cfg(target_os = "linux")]
            socket.set_tcp_user_timeout(Some(limit))?;
            Ok(())
        })
    }

    /// `sendmsg()` until all parts are in the kernel's buffer: several pieces
    /// of memory in one call, as if they stood side by side. A head and its
    /// body leave in one segment, without being copied together first.
    pub fn send_parts(&self, parts: &[&[u8]]) -> Result<()> {
        let mut done = 0; // bytes that the kernel has taken
        let total = parts.iter().map(|part| part.len()).sum();
        while done < total {
            let mut skip = done;
            let mut rest = Vec::with_capacity(parts.len());
            for part in parts {
                let from = skip.min(part.len());
                skip -= from;
                rest.push(IoSlice::new(part.get(from..).unwrap_or_default()));
            }
            done += self.send_slices(&rest)?;
        }
        Ok(())
    }

    fn send_slices(&self, parts: &[IoSlice<'_>]) -> Result<usize> {
        let socket = &self.0.socket;
        let began = trace::begin();
        let result = retry(|| io::Write::write_vectored(&mut &*socket, parts));
        trace::end(began, || {
            let fd = trace::fd(socket);
            let size: usize = parts.iter().map(|part| part.len()).sum();
            let data: &[u8] = parts.first().map_or(&[], |part| part);
            Step {
                call: "send",
                arguments: format!("{fd}, {}, {size}", trace::quote(data)),
                result: result.as_ref().map(usize::to_string),
                data,
                ends: self.ends(),
            }
        });
        result.map_err(|error| Error::new("send", self.peer_text(), error))
    }

    /// `sendfile()`: bytes of a file, from `offset` on, go into the kernel's
    /// send buffer without passing through this program. Sends `count` bytes
    /// at most and says how many it sent; 0 means that the file has ended.
    #[cfg(target_os = "linux")]
    pub fn send_file(
        &self,
        file: &File,
        offset: u64,
        count: usize,
    ) -> Result<usize> {
        let socket = &self.0.socket;
        let began = trace::begin();
        let result = retry(|| {
            let mut offset = offset;
            let sent =
                rustix::fs::sendfile(socket, file, Some(&mut offset), count);
            sent.map_err(io::Error::from)
        });
        trace::end(began, || Step {
            call: "sendfile",
            arguments: format!("{}, {offset}, {count}", trace::fd(socket)),
            result: result.as_ref().map(usize::to_string),
            data: &[],
            ends: self.ends(),
        });
        result.map_err(|error| Error::new("sendfile", self.peer_text(), error))
    }

    /// The same where the kernel has no such call: read, then send.
    #[cfg(not(target_os = "linux"))]
    pub fn send_file(
        &self,
        file: &File,
        offset: u64,
        count: usize,
    ) -> Result<usize> {
        use std::io::{Read, Seek, SeekFrom};
        let mut piece = vec![0; count.min(256 * 1024)];
        let mut file = file;
        let read = file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| file.read(&mut piece))
            .map_err(|error| Error::new("read", self.peer_text(), error))?;
        self.send_all(piece.get(..read).unwrap_or_default())?;
        Ok(read)
    }

    /// `shutdown(SHUT_RD, SHUT_WR or both)`: ends a direction, whoever else
    /// holds the socket. SHUT_WR sends FIN: the peer reads end of stream and
    /// can still answer (half-close).
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let socket = &self.0.socket;
        let name = match how {
            Shutdown::Read => "SHUT_RD",
            Shutdown::Write => "SHUT_WR",
            Shutdown::Both => "SHUT_RDWR",
        };
        step("shutdown", Some(socket), name, || socket.shutdown(how))
    }

    /// `close()`, once no other handle is left: gives the descriptor back.
    /// The kernel sends FIN, or RST if bytes arrived that nobody read.
    pub fn close(self) {
        let began = trace::begin();
        let fd = trace::fd(&self.0.socket);
        let ends = if began.is_some() { self.ends() } else { Ends::default() };
        drop(self);
        trace::end(began, || Step {
            call: "close",
            arguments: fd.to_string(),
            result: Ok("0".into()),
            data: &[],
            ends,
        });
    }

    /// The close of a server that speaks last. `close` with unread input
    /// sends RST, and an RST makes the peer throw away answers that it has
    /// not read yet. So: FIN first (shutdown), then read what still comes,
    /// for a second and a megabyte at most, then close.
    pub fn finish(self) {
        let _ = self.shutdown(Shutdown::Write);
        let deadline = Instant::now() + LINGER;
        let mut unread = [0; 4096];
        for _ in 0..256 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero()
                || self.set_recv_timeout(Some(left)).is_err()
                || !matches!(self.recv(&mut unread), Ok(1..))
            {
                break;
            }
        }
        self.close();
    }

    /// `getsockname()`: this end, with the port that the kernel chose.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        let local = self.0.socket.local_addr();
        local
            .map_err(|error| Error::new("getsockname", "", error))?
            .as_socket()
            .ok_or_else(|| Error::other("getsockname(): not an IP address"))
    }

    /// `getpeername()`: the other end.
    pub fn peer_addr(&self) -> Result<SocketAddr> {
        if let Some(peer) = self.0.peer.get() {
            return Ok(*peer);
        }
        let found = self.0.socket.peer_addr();
        found
            .map_err(|error| Error::new("getpeername", "", error))?
            .as_socket()
            .ok_or_else(|| Error::other("getpeername(): not an IP address"))
    }

    /// A handle that does not keep the socket open.
    pub fn downgrade(&self) -> WeakTcpSocket {
        WeakTcpSocket(Arc::downgrade(&self.0))
    }

    /// Makes a blocked `accept` on this listener return with an error, now
    /// and for ever. On Linux `shutdown` does that; elsewhere a connection
    /// of our own has to wake it.
    pub fn stop_listening(&self) {
        if self.shutdown(Shutdown::Both).is_err()
            && let Ok(mut local) = self.local_addr()
        {
            if local.ip().is_unspecified() {
                local.set_ip(match local.ip() {
                    IpAddr::V4(_) => [127, 0, 0, 1].into(),
                    IpAddr::V6(_) => [0, 0, 0, 0, 0, 0, 0, 1].into(),
                });
            }
            let second = Duration::from_secs(1);
            let _ = std::net::TcpStream::connect_timeout(&local, second);
        }
    }

    fn ends(&self) -> Ends {
        let mut ends = trace::ends(&self.0.socket);
        ends.peer = self.0.peer.get().copied().or(ends.peer);
        ends
    }

    fn peer_text(&self) -> String {
        self.0.peer.get().map_or("?".into(), |peer| peer.to_string())
    }
}

/// `connect()` within the send timeout. A signal, also Ctrl-Z and `fg`, may
/// interrupt it; the handshake goes on, and must be waited for, not repeated.
pub fn connect(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    let limit = socket.write_timeout()?.unwrap_or(CONNECT_DEADLINE);
    let deadline = Instant::now() + limit;
    match socket.connect(&address.into()) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        // Linux reports the end of SO_SNDTIMEO here as EINPROGRESS.
        Err(error)
            if Errno::from_io_error(&error) == Some(Errno::INPROGRESS) =>
        {
            return Err(Errno::TIMEDOUT.into());
        }
        done => return done,
    }
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        let mut wait = [PollFd::new(socket, PollFlags::OUT)];
        match poll(&mut wait, left.as_ref()) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(0) => return Err(Errno::TIMEDOUT.into()),
            Ok(_) => return socket.take_error()?.map_or(Ok(()), Err),
        }
    }
}

// For poll(): a program that watches two sockets at once.
impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

/// A UDP socket: no connection, no stream; each `sendto` is one datagram, and
/// each `recvfrom` gives one whole or cut, never half of two.
pub struct UdpSocket(std::net::UdpSocket);

impl UdpSocket {
    /// `socket(AF_INET, SOCK_DGRAM, 0)`. Python:
    /// `socket.socket(AF_INET, SOCK_DGRAM)`.
    pub fn new(address: SocketAddr) -> Result<UdpSocket> {
        let (domain, name) = domain(address);
        let on = format!("{name}, SOCK_DGRAM, 0");
        let socket = step("socket", None, on, || {
            Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))
        })?;
        Ok(UdpSocket(socket.into()))
    }

    /// `bind()`: see [`TcpSocket::bind`]. UDP has no TIME_WAIT, so that
    /// SO_REUSEADDR is not wanted: it would let two servers share the port.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        let socket = SockRef::from(&self.0);
        step("bind", Some(&socket), address, || socket.bind(&address.into()))
    }

    /// `connect()` on UDP sends nothing. It fixes the peer: `send` goes
    /// there, datagrams of anybody else are dropped by the kernel, and the
    /// ICMP message "port unreachable" is reported as ECONNREFUSED by a
    /// later call.
    pub fn connect(&self, address: SocketAddr) -> Result<()> {
        let socket = SockRef::from(&self.0);
        step("connect", Some(&socket), address, || {
            socket.connect(&address.into())
        })
    }

    /// `setsockopt(SO_RCVTIMEO)`: how long a receive may wait. A datagram
    /// can be lost, so no client should wait for ever.
    pub fn set_recv_timeout(&self, limit: Option<Duration>) -> Result<()> {
        let on = format!("SO_RCVTIMEO, {}", seconds(limit));
        let socket = SockRef::from(&self.0);
        step("setsockopt", Some(&socket), on, || {
            socket.set_read_timeout(at_least(limit))
        })
    }

    /// `sendto()`: one datagram, whole or not at all. 0 bytes are allowed;
    /// more than [`LARGEST_DATAGRAM`] fails with EMSGSIZE.
    pub fn sendto(&self, data: &[u8], peer: SocketAddr) -> Result<usize> {
        let began = trace::begin();
        let result = retry(|| self.0.send_to(data, peer));
        trace::end(began, || Step {
            call: "sendto",
            arguments: format!(
                "{}, {}, {}, {peer}",
                trace::fd(&SockRef::from(&self.0)),
                trace::quote(data),
                data.len()
            ),
            result: result.as_ref().map(usize::to_string),
            data,
            ends: self.ends(Some(peer)),
        });
        result.map_err(|error| Error::new("sendto", peer, error))
    }

    /// `recvfrom()`: the next datagram and who sent it. What does not fit
    /// into `buffer` is cut off and lost. 0 is an empty datagram, not an end.
    pub fn recvfrom(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let room = buffer.len();
        let began = trace::begin();
        let result = retry(|| self.0.recv_from(buffer));
        trace::end(began, || {
            let got = result.as_ref().ok();
            let count = got.map_or(0, |(count, _)| *count);
            let data = buffer.get(..count).unwrap_or_default();
            let fd = trace::fd(&SockRef::from(&self.0));
            Step {
                call: "recvfrom",
                arguments: format!("{fd}, {}, {room}", trace::quote(data)),
                result: result
                    .as_ref()
                    .map(|(count, peer)| format!("{count}, {peer}")),
                data,
                ends: self.ends(got.map(|(_, peer)| *peer)),
            }
        });
        result.map_err(|error| Error::new("recvfrom", self.local_text(), error))
    }

    /// `send()`: like [`sendto`](Self::sendto), to the connected peer.
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        let began = trace::begin();
        let result = retry(|| self.0.send(data));
        trace::end(began, || Step {
            call: "send",
            arguments: format!(
                "{}, {}, {}",
                trace::fd(&SockRef::from(&self.0)),
                trace::quote(data),
                data.len()
            ),
            result: result.as_ref().map(usize::to_string),
            data,
            ends: self.ends(None),
        });
        result.map_err(|error| Error::new("send", self.peer_text(), error))
    }

    /// `recv()`: like [`recvfrom`](Self::recvfrom), from the connected peer
    /// only.
    pub fn recv(&self, buffer: &mut [u8]) -> Result<usize> {
        let room = buffer.len();
        let began = trace::begin();
        let result = retry(|| self.0.recv(buffer));
        trace::end(began, || {
            let count = *result.as_ref().unwrap_or(&0);
            let data = buffer.get(..count).unwrap_or_default();
            let fd = trace::fd(&SockRef::from(&self.0));
            Step {
                call: "recv",
                arguments: format!("{fd}, {}, {room}", trace::quote(data)),
                result: result.as_ref().map(usize::to_string),
                data,
                ends: self.ends(None),
            }
        });
        result.map_err(|error| Error::new("recv", self.peer_text(), error))
    }

    /// `close()`: gives the descriptor back. Nothing is sent: there is no
    /// connection to end, and the peer does not notice.
    pub fn close(self) {
        let began = trace::begin();
        let fd = trace::fd(&SockRef::from(&self.0));
        drop(self);
        trace::end(began, || Step {
            call: "close",
            arguments: fd.to_string(),
            result: Ok("0".into()),
            data: &[],
            ends: Ends::default(),
        });
    }

    /// `getsockname()`: this end.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        let local = self.0.local_addr();
        local.map_err(|error| Error::new("getsockname", "", error))
    }

    fn ends(&self, peer: Option<SocketAddr>) -> Ends {
        let ends = trace::ends(&SockRef::from(&self.0));
        Ends { peer: peer.or(ends.peer), ..ends }
    }

    fn local_text(&self) -> String {
        self.0.local_addr().map_or("?".into(), |local| local.to_string())
    }

    fn peer_text(&self) -> String {
        self.0.peer_addr().map_or("?".into(), |peer| peer.to_string())
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

/// The address of a listener, looked up only when it is printed.
struct LocalAddress<'a>(&'a Socket);

impl Display for LocalAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.local_addr().ok().and_then(|local| local.as_socket()) {
            Some(local) => local.fmt(f),
            None => f.write_str("?"),
        }
    }
}
