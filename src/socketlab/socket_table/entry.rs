//! One socket of the table.

use std::net::SocketAddr;

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// This end.
    pub local: SocketAddr,
    /// The other end; port 0 where there is none.
    pub peer: SocketAddr,
    /// `LISTEN`, `ESTABLISHED`, `TIME_WAIT`, … as `socketlab explain` knows.
    pub name: &'static str,
    /// Bytes sent and not yet acknowledged (for a listener: its backlog's
    /// limit).
    pub unsent: u32,
    /// Bytes received and not yet read (for a listener: handshakes done and
    /// not yet accepted).
    pub unread: u32,
    /// The inode, which identifies the process's open file; 0 after the process
    /// has closed it.
    pub inode: u64,
}

/// The kernel numbers its states in `include/net/tcp_states.h`.
pub(super) fn state_name(number: u8) -> &'static str {
    match number {
        1 => "ESTABLISHED",
        2 => "SYN_SENT",
        3 | 12 => "SYN_RECV",
        4 => "FIN_WAIT1",
        5 => "FIN_WAIT2",
        6 => "TIME_WAIT",
        7 => "CLOSE",
        8 => "CLOSE_WAIT",
        9 => "LAST_ACK",
        10 => "LISTEN",
        11 => "CLOSING",
        _ => "?",
    }
}
