//! The stream under a dialogue: a TCP socket, or TLS over it. The line reader
//! uses either through this trait, and so does every protocol that begins in
//! the clear and continues encrypted (STARTTLS).

use std::net::SocketAddr;
use std::time::Duration;

use crate::Result;
use crate::net::TcpSocket;

/// A stream of bytes in both directions.
pub trait Stream {
    /// What has arrived, at least one byte; 0 when the peer has ended its
    /// direction. See [`TcpSocket::recv`].
    fn recv(&mut self, buffer: &mut [u8]) -> Result<usize>;

    /// Sends all of `data`. See [`TcpSocket::send_all`].
    fn send_all(&mut self, data: &[u8]) -> Result<()>;

    /// How long a `recv` may wait; `None`: without limit.
    fn set_recv_timeout(&mut self, limit: Option<Duration>) -> Result<()>;

    /// The other end.
    fn peer_addr(&self) -> Result<SocketAddr>;

    /// Ends the stream: first this direction, then bytes that the peer still
    /// sends are read for a moment. See [`TcpSocket::finish`].
    fn finish(self);
}

impl Stream for TcpSocket {
    fn recv(&mut self, buffer: &mut [u8]) -> Result<usize> {
        TcpSocket::recv(self, buffer)
    }

    fn send_all(&mut self, data: &[u8]) -> Result<()> {
        TcpSocket::send_all(self, data)
    }

    fn set_recv_timeout(&mut self, limit: Option<Duration>) -> Result<()> {
        TcpSocket::set_recv_timeout(self, limit)
    }

    fn peer_addr(&self) -> Result<SocketAddr> {
        TcpSocket::peer_addr(self)
    }

    fn finish(self) {
        TcpSocket::finish(self);
    }
}
