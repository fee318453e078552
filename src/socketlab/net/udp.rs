//! UDP: single datagrams. Each arrives complete or not at all, and their order
//! may change.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::Timeout;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::call::{
    Closing, Moved, at_least, moved, retry, seconds, socket_arguments, step,
    timed,
};
use crate::trace::{self, Ends};
use crate::{Error, Result};

/// The largest UDP payload over IPv4: 65,535 less 20 (IP) and 8 (UDP).
pub const LARGEST_DATAGRAM: usize = 65_507;

/// A UDP socket: no connection, no stream. Each `sendto` sends one datagram,
/// and each `recvfrom` returns one, never parts of two.
pub struct UdpSocket {
    socket: std::net::UdpSocket,
    closing: Option<Closing>, // the last field: see Closing
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        // UDP sends nothing when it closes, so the trace has no peer here.
        self.closing = Closing::begin(&self.socket, Ends::default);
    }
}

impl UdpSocket {
    /// `socket(AF_INET, SOCK_DGRAM, 0)`. Python:
    /// `socket.socket(AF_INET, SOCK_DGRAM)`.
    pub fn new(address: SocketAddr) -> Result<UdpSocket> {
        let domain = Domain::for_address(address);
        let on = socket_arguments(address, "SOCK_DGRAM");
        let socket = step("socket", None, on, || {
            Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))
        })?;
        Ok(UdpSocket { socket: socket.into(), closing: None })
    }

    /// `bind()`: as [for TCP](super::TcpSocket::bind). UDP has no TIME_WAIT, so
    /// SO_REUSEADDR is not needed; it would let two servers share the port.
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        let socket = SockRef::from(&self.socket);
        step("bind", Some(&self.socket), address, || {
            socket.bind(&address.into())
        })
    }

    /// `connect()` on UDP sends nothing. It fixes the peer: `send` goes there,
    /// the kernel drops datagrams of other senders, and a later call reports
    /// the ICMP message "port unreachable" as ECONNREFUSED.
    pub fn connect(&self, address: SocketAddr) -> Result<()> {
        let socket = SockRef::from(&self.socket);
        step("connect", Some(&self.socket), address, || {
            socket.connect(&address.into())
        })
    }

    /// `setsockopt(SO_RCVTIMEO)`: how long a receive may wait. A datagram can
    /// be lost, so a client should always have a limit. Python: `settimeout()`.
    pub fn set_recv_timeout(&self, limit: Option<Duration>) -> Result<()> {
        let on = format!("SO_RCVTIMEO, {}", seconds(limit));
        let socket = SockRef::from(&self.socket);
        step("setsockopt", Some(&self.socket), on, || {
            socket.set_read_timeout(at_least(limit))
        })
    }

    /// `sendto()`, also in Python: the kernel sends one datagram, complete or
    /// not at all. It may have 0 bytes. With more than [`LARGEST_DATAGRAM`]
    /// bytes the call fails with EMSGSIZE. Success does not mean that the
    /// datagram arrives.
    pub fn sendto(&self, data: &[u8], peer: SocketAddr) -> Result<usize> {
        let began = trace::begin();
        let result = retry(|| self.socket.send_to(data, peer));
        let rest = || format!("{}, {peer}", data.len());
        let shown = || self.shown(data, rest(), Some(peer));
        moved("sendto", began, result, shown, || peer.to_string())
    }

    /// `recvfrom()`, also in Python: returns the size of the next datagram and
    /// its sender's address, and blocks while none has arrived. Bytes that do
    /// not fit into `buffer` are lost. 0 means an empty datagram, because UDP
    /// has no end of stream. Fails with EAGAIN when the time limit has passed.
    pub fn recvfrom(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        let room = buffer.len();
        let began = trace::begin();
        let result = retry(|| self.socket.recv_from(buffer));
        let (count, peer) = match &result {
            Ok((count, peer)) => (*count, Some(*peer)),
            Err(_) => (0, None),
        };
        let data = buffer.get(..count).unwrap_or_default();
        let shown = || self.shown(data, room.to_string(), peer);
        let result =
            moved("recvfrom", began, result, shown, || self.local_text());
        timed(&self.socket, Timeout::Recv, result)
    }

    /// `send()`, also in Python: like [`sendto`](Self::sendto), to the peer
    /// that `connect` has fixed. Fails with EDESTADDRREQ without a `connect`.
    pub fn send(&self, data: &[u8]) -> Result<usize> {
        let began = trace::begin();
        let result = retry(|| self.socket.send(data));
        let shown = || self.shown(data, data.len().to_string(), None);
        moved("send", began, result, shown, || self.peer_text())
    }

    /// `recv()`, also in Python: like [`recvfrom`](Self::recvfrom), but only
    /// from the peer that `connect` has fixed.
    pub fn recv(&self, buffer: &mut [u8]) -> Result<usize> {
        let room = buffer.len();
        let began = trace::begin();
        let result = retry(|| self.socket.recv(buffer));
        let count = *result.as_ref().unwrap_or(&0);
        let data = buffer.get(..count).unwrap_or_default();
        let shown = || self.shown(data, room.to_string(), None);
        let result = moved("recv", began, result, shown, || self.peer_text());
        timed(&self.socket, Timeout::Recv, result)
    }

    /// `close()`, also in Python: the descriptor is free again. The kernel
    /// sends nothing, because UDP has no connection, so the peer does not
    /// notice.
    pub fn close(self) {
        drop(self);
    }

    /// `getsockname()`, also in Python: the address of this end.
    pub fn local_addr(&self) -> Result<SocketAddr> {
        let local = self.socket.local_addr();
        local.map_err(|error| Error::new("getsockname", "", error))
    }

    /// What the trace shows of a call that moved `data`.
    fn shown<'a>(
        &self,
        data: &'a [u8],
        rest: String,
        peer: Option<SocketAddr>,
    ) -> Moved<'a> {
        let fd = trace::fd(&self.socket);
        let ends = trace::ends(&self.socket);
        let ends = Ends { peer: peer.or(ends.peer), ..ends };
        (format!("{fd}, {}, {rest}", trace::quote(data)), data, ends)
    }

    fn local_text(&self) -> String {
        self.socket.local_addr().map_or("?".into(), |local| local.to_string())
    }

    fn peer_text(&self) -> String {
        self.socket.peer_addr().map_or("?".into(), |peer| peer.to_string())
    }
}
