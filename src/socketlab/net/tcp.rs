//! TCP: a stream of bytes between two ends, without messages.

use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, IoSlice};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{self, Timeout};
use rustix::net::{SendFlags, send};
use socket2::{Domain, Protocol, Socket, Type};

use super::call::{
    Closing, at_least, call, moved, retry, seconds, socket_arguments, step,
    timed,
};
use super::connect::connect;
use super::poll::{PollFd, PollFlags, poll};
use crate::trace::{self, Began, Ends};
use crate::{Error, Result};

/// The usual limit for a client's [`connect`](TcpSocket::connect), to be set
/// with [`set_send_timeout`](TcpSocket::set_send_timeout). The kernel alone
/// would repeat its SYN for about two minutes before it gives up. 10 s leave
/// time for three repetitions.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The usual limit for a peer that does not read, to be set with
/// [`set_send_timeout`](TcpSocket::set_send_timeout) and
/// [`set_user_timeout`](TcpSocket::set_user_timeout). A person or a slow
/// network may pause for some seconds; a peer that makes no progress in 30 s
/// only holds its thread.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// What a close waits for the peer's last bytes: see [`TcpSocket::finish`].
const LINGER: Duration = Duration::from_secs(1);

/// A TCP socket. A clone is a second handle to the same kernel socket, as two
/// Python variables may name one socket object; the descriptor is closed when
/// the last handle goes.
#[derive(Clone)]
pub struct TcpSocket(Arc<Tcp>);

struct Tcp {
    socket: Socket,
    /// Stored here, because a socket that was reset no longer has its peer's
    /// address.
    peer: OnceLock<SocketAddr>,
    closing: Option<Closing>, // the last field: see Closing
}

impl Tcp {
    fn open(socket: Socket, peer: OnceLock<SocketAddr>) -> TcpSocket {
        TcpSocket(Arc::new(Tcp { socket, peer, closing: None }))
    }

    fn ends(&self) -> Ends {
        let mut ends = trace::ends(&self.socket);
        ends.peer = self.peer.get().copied().or(ends.peer);
        ends
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        self.closing = Closing::begin(&self.socket, || self.ends());
    }
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
        let domain = Domain::for_address(address);
        let on = socket_arguments(address, "SOCK_STREAM");
        let socket = step("socket", None, on, || {
            Socket::new(domain, Type::STREAM, Some(Protocol::TCP))
        })?;
        Ok(Tcp::open(socket, OnceLock::new()))
    }

    /// `setsockopt(SO_REUSEADDR, 1)`: allows `bind` while connections of an
    /// earlier run are in TIME_WAIT. Without it, `bind` fails with EADDRINUSE
    /// for about a minute after a restart. Python: `setsockopt(SOL_SOCKET,
    /// SO_REUSEADDR, 1)`.
    pub fn set_reuse_address(&self) -> Result<()> {
        let socket = &self.0.socket;
        step("setsockopt", Some(socket), "SO_REUSEADDR, 1", || {
            socket.set_reuse_address(true)
        })
    }

    /// `setsockopt(TCP_NODELAY, 1)`: send small segments at once instead of
    /// waiting for the acknowledgement of the last one (Nagle's algorithm).
    /// Python: `setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)`.
    pub fn set_no_delay(&self) -> Result<()> {
        let socket = &self.0.socket;
        step("setsockopt", Some(socket), "TCP_NODELAY, 1", || {
            socket.set_tcp_nodelay(true)
        })
    }

    /// `setsockopt(SO_RCVTIMEO)`: how long a [`recv`](Self::recv) may wait.
    /// Then it fails with an error whose `is_timeout()` is true. `None`: no
    /// limit. Python: `settimeout()`.
    pub fn set_recv_timeout(&self, limit: Option<Duration>) -> Result<()> {
        let socket = &self.0.socket;
        let on = format!("SO_RCVTIMEO, {}", seconds(limit));
        step("setsockopt", Some(socket), on, || {
            socket.set_read_timeout(at_least(limit))
        })
    }

    /// `setsockopt(SO_SNDTIMEO)`: how long a [`send`](Self::send) may wait
    /// for room in the kernel's buffer, that is for the peer to read. `None`:
    /// no limit.
    ///
    /// On Linux it also bounds [`connect`](Self::connect), and a socket that
    /// `accept` returns inherits it from its listener. POSIX promises neither.
    pub fn set_send_timeout(&self, limit: Option<Duration>) -> Result<()> {
        let socket = &self.0.socket;
        let on = format!("SO_SNDTIMEO, {}", seconds(limit));
        step("setsockopt", Some(socket), on, || {
            socket.set_write_timeout(at_least(limit))
        })
    }

    /// `setsockopt(TCP_USER_TIMEOUT)`: the kernel ends the connection with
    /// ETIMEDOUT when the peer has acknowledged nothing for `limit`, or has
    /// kept its receive buffer full for that time. SO_SNDTIMEO bounds one wait,
    /// and a large `send` waits several times; this option bounds all of them.
    /// A socket that `accept` returns inherits it from its listener.
    ///
    /// Only Linux has this option: elsewhere this method does nothing.
    pub fn set_user_timeout(&self, limit: Duration) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            let socket = &self.0.socket;
            let on = format!("TCP_USER_TIMEOUT, {}", seconds(Some(limit)));
            step("setsockopt", Some(socket), on, || {
                socket.set_tcp_user_timeout(Some(limit))
            })?;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = limit;
        Ok(())
    }

    /// `bind()`, also in Python: gives the socket its local address and port.
    /// For port 0 the kernel chooses a free port. Fails with EADDRINUSE if
    /// another socket has the port, with EADDRNOTAVAIL if this machine does not
    /// have the address, and with EACCES if the user may not use a port below
    /// 1024.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        let socket = &self.0.socket;
        step("bind", Some(socket), address, || socket.bind(&address.into()))
    }

    /// `listen(backlog)`, also in Python: from now on the kernel completes
    /// handshakes by itself. Its queue holds `backlog` + 1 complete connections
    /// (Linux) until `accept` removes them. Fails with EADDRINUSE if another
    /// socket listens on the port.
    pub fn listen(&self, backlog: i32) -> Result<()> {
        let socket = &self.0.socket;
        step("listen", Some(socket), backlog, || socket.listen(backlog))
    }

    /// `accept()`, also in Python: removes the oldest complete connection from
    /// the queue, and blocks while the queue is empty. The new socket has the
    /// listener's port; the peer's address tells the connections apart. Fails
    /// with EMFILE or ENFILE if there are too many open descriptors, with
    /// ENOBUFS if memory is short, and with ECONNABORTED if the client has
    /// already gone. A server should survive all of these: see
    /// [`crate::clients`].
    pub fn accept(&self) -> Result<(TcpSocket, SocketAddr)> {
        let socket = &self.0.socket;
        let on = LocalAddress(socket);
        let (new, peer) = step("accept", Some(socket), on, || socket.accept())?;
        let peer = peer.as_socket().ok_or_else(|| {
            Error::other("accept(): the peer has no IP address")
        })?;
        Ok((Tcp::open(new, peer.into()), peer))
    }

    /// `connect()`, also in Python: the kernel chooses a local port and does
    /// the three-way handshake, SYN, SYN-ACK, ACK. Fails with ECONNREFUSED if
    /// no server listens there, with ETIMEDOUT if no answer comes, and with
    /// EHOSTUNREACH or ENETUNREACH if no route leads there.
    ///
    /// It waits at most as long as [`set_send_timeout`](Self::set_send_timeout)
    /// allows. When that time is over, Linux reports EINPROGRESS, and the error
    /// says "timed out".
    pub fn connect(&self, address: SocketAddr) -> Result<()> {
        connect(&self.0.socket, address)?;
        let _ = self.0.peer.set(address);
        Ok(())
    }

    /// `recv()`, also in Python: copies bytes that have arrived into `buffer`
    /// and returns how many, at least one. It blocks while nothing has arrived.
    /// 0 means end of stream: the peer has sent FIN. (Python returns `b''`.)
    /// One `recv` may return parts of several `send`s, because TCP carries
    /// bytes, not messages. Fails with ECONNRESET if the peer has sent RST,
    /// with ETIMEDOUT if the kernel has given the connection up, and with
    /// EAGAIN when the time limit has passed.
    pub fn recv(&self, buffer: &mut [u8]) -> Result<usize> {
        let socket = &self.0.socket;
        let room = buffer.len();
        let began = trace::begin();
        let result = retry(|| io::Read::read(&mut &*socket, buffer));
        let count = *result.as_ref().unwrap_or(&0);
        let data = buffer.get(..count).unwrap_or_default();
        let result =
            self.moved("recv", began, result, data, || format!("{room}"));
        timed(socket, Timeout::Recv, result)
    }

    /// `send()`, also in Python: copies bytes into the kernel's send buffer and
    /// returns how many it copied. It blocks while the buffer is full. When it
    /// returns, the peer may not have read the bytes, or even received them.
    /// Fails with ECONNRESET if the peer has sent RST, with EPIPE on each later
    /// call, and with EAGAIN when the time limit has passed.
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        let socket = &self.0.socket;
        let began = trace::begin();
        let result = retry(|| io::Write::write(&mut &*socket, data));
        let size = data.len();
        let result =
            self.moved("send", began, result, data, || format!("{size}"));
        timed(socket, Timeout::Send, result)
    }

    /// Repeats `send()` until all of `data` is in the kernel's send buffer,
    /// because a single `send` may copy only a part. C has no such call, so a C
    /// program writes this loop. Python: `sendall()`.
    pub fn send_all(&self, data: &[u8]) -> Result<()> {
        let mut rest = data;
        while !rest.is_empty() {
            let count = self.send(rest)?;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// `send(MSG_DONTWAIT)`: copies as many bytes as fit into the kernel's send
    /// buffer now, and never blocks. Returns 0 if the buffer is full, where C
    /// has the error EAGAIN. Python: `send(data, MSG_DONTWAIT)`.
    pub fn send_now(&self, data: &[u8]) -> Result<usize> {
        let socket = &self.0.socket;
        let began = trace::begin();
        let at_once = || Ok(send(socket, data, SendFlags::DONTWAIT)?);
        let result = match retry(at_once) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            result => result,
        };
        let size = data.len();
        let rest = || format!("{size}, MSG_DONTWAIT");
        self.moved("send", began, result, data, rest)
    }

    /// `poll(POLLHUP)`: waits for `limit`, or until the connection is over in
    /// both directions: reset, timed out, or shut down here. Bytes that have
    /// arrived can still be read.
    pub fn hangs_up_within(&self, limit: Duration) -> Result<bool> {
        // The program requests no event, because the kernel always reports
        // POLLHUP and POLLERR.
        let mut watched = [PollFd::new(&self.0.socket, PollFlags::empty())];
        Ok(poll(&mut watched, Some(limit))? > 0)
    }

    /// `setsockopt(SO_KEEPALIVE)` and the options of its times: the kernel
    /// sends probes to a peer that has been silent for a third of `limit`. The
    /// connection fails with ETIMEDOUT when `limit` has passed without an
    /// answer, or without an acknowledgement of what we sent (TCP_USER_TIMEOUT,
    /// Linux).
    pub fn set_keepalive(&self, limit: Duration) -> Result<()> {
        let socket = &self.0.socket;
        let set =
            |option: String, work: &dyn Fn() -> rustix::io::Result<()>| {
                call("setsockopt", Some(socket), option, work)
            };
        let third = (limit / 3).max(Duration::from_secs(1));
        let between = (third / 2).max(Duration::from_secs(1));
        set("SO_KEEPALIVE, 1".into(), &|| {
            sockopt::set_socket_keepalive(socket, true)
        })?;
        set(format!("TCP_KEEPIDLE, {third:?}"), &|| {
            sockopt::set_tcp_keepidle(socket, third)
        })?;
        set(format!("TCP_KEEPINTVL, {between:?}"), &|| {
            sockopt::set_tcp_keepintvl(socket, between)
        })?;
        set("TCP_KEEPCNT, 4".into(), &|| sockopt::set_tcp_keepcnt(socket, 4))?;
        self.set_user_timeout(limit)
    }

    /// `sendmsg()` until all parts are in the kernel's buffer. One call sends
    /// several pieces of memory in order, so that a head and its body can leave
    /// in one segment without being copied together first. Python: `sendmsg()`.
    /// Fails as [`send`](Self::send) does.
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
        let size = || parts.iter().map(|part| part.len()).sum::<usize>();
        let whole = match began {
            Some(_) => {
                parts.iter().flat_map(|part| part.iter()).copied().collect()
            }
            None => Vec::new(), // nobody looks at it
        };
        let result =
            self.moved("send", began, result, &whole, || size().to_string());
        timed(socket, Timeout::Send, result)
    }

    /// `sendfile()`: bytes of a file, from `offset` on, go into the kernel's
    /// send buffer without passing through this program. Sends `count` bytes at
    /// most and returns how many it sent; 0 means that the file has ended.
    /// Python: `os.sendfile()`. Fails as [`send`](Self::send) does.
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
        let shown = || {
            let fd = trace::fd(socket);
            let arguments = format!("{fd}, {offset}, {count}");
            (arguments, &[][..], self.0.ends())
        };
        moved("sendfile", began, result, shown, || self.peer_text())
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

    /// `shutdown(SHUT_RD, SHUT_WR or SHUT_RDWR)`, also in Python: ends one
    /// direction or both, also for other handles of this socket. SHUT_WR sends
    /// FIN: the peer reads end of stream and can still send (half-close). Fails
    /// with ENOTCONN if the connection is already over.
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let socket = &self.0.socket;
        let name = match how {
            Shutdown::Read => "SHUT_RD",
            Shutdown::Write => "SHUT_WR",
            Shutdown::Both => "SHUT_RDWR",
        };
        step("shutdown", Some(socket), name, || socket.shutdown(how))
    }

    /// `close()`, also in Python, if this is the last handle: the descriptor is
    /// free again. The kernel sends FIN, or RST if the program has not read all
    /// received bytes.
    pub fn close(self) {
        drop(self);
    }

    /// The lingering close of a server that speaks last. `close` with unread
    /// input sends RST, and an RST makes the peer discard replies that it has
    /// not read yet. So this method calls `shutdown` first, which sends FIN,
    /// then `recv` for a second and a megabyte at most, then `close`.
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

    /// `getsockname()`, also in Python: the address of this end, with the port
    /// that the kernel chose.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        let local = self.0.socket.local_addr();
        local
            .map_err(|error| Error::new("getsockname", "", error))?
            .as_socket()
            .ok_or_else(|| Error::other("getsockname(): not an IP address"))
    }

    /// `getpeername()`, also in Python: the address of the other end.
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

    /// Makes a blocked `accept` on this listener return with an error, and
    /// each later one. On Linux `shutdown` does that; elsewhere a connection
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

    /// Ends a call that moved `data`, whose arguments are the descriptor, the
    /// bytes and `rest`.
    fn moved(
        &self,
        call: &'static str,
        began: Option<Began>,
        result: io::Result<usize>,
        data: &[u8],
        rest: impl FnOnce() -> String,
    ) -> Result<usize> {
        let count = *result.as_ref().unwrap_or(&0);
        let shown = || {
            let fd = trace::fd(&self.0.socket);
            let arguments = format!("{fd}, {}, {}", trace::quote(data), rest());
            (arguments, data.get(..count).unwrap_or(data), self.0.ends())
        };
        moved(call, began, result, shown, || self.peer_text())
    }

    fn peer_text(&self) -> String {
        self.0.peer.get().map_or("?".into(), |peer| peer.to_string())
    }
}

// poll() needs the descriptor, in a program that waits for two sockets at once.
impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
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

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_socket_inherits_the_limits_of_its_listener() -> Result<()> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.set_send_timeout(Some(SEND_TIMEOUT))?;
        listener.set_user_timeout(SEND_TIMEOUT)?;
        listener.listen(1)?;
        let address = listener.local_addr()?;
        let client = TcpSocket::new(address)?;
        client.connect(address)?;
        let (accepted, _) = listener.accept()?;
        let socket = &accepted.0.socket;
        assert_eq!(socket.write_timeout()?, Some(SEND_TIMEOUT));
        assert_eq!(socket.tcp_user_timeout()?, Some(SEND_TIMEOUT));
        Ok(())
    }

    #[test]
    fn a_connect_without_an_answer_ends_after_the_send_timeout() -> Result<()> {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpSocket::new(any)?;
        listener.bind(any)?;
        listener.listen(0)?; // room for one handshake
        let address = listener.local_addr()?;
        let _first = std::net::TcpStream::connect(address)?;
        let client = TcpSocket::new(address)?;
        client.set_send_timeout(Some(Duration::from_millis(200)))?;
        let error = client.connect(address).expect_err("a full queue");
        assert!(error.is_timeout(), "{error}");
        let text = error.to_string();
        assert!(text.contains("timed out after 0.2 s (EINPROGRESS)"), "{text}");
        Ok(())
    }
}
