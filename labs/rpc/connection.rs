//! A connection to the server, with a deadline for every call on it. stub.rs
//! makes a connection before its first call, and a new one after a failure.
//!                                                                  [T-X2]
//!
//! ```text
//! stub.rs       connection (this file)           server
//!   |               1 socket                       |
//!   |               2 connect ---- handshake ----->|
//!   | a line ------>3 send ------------ line ----->|
//!   | a line <------4 recv <----------- line ------|
//!   |               5 close ----------- FIN ------>|
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

use crate::wire::{self, LONGEST_RESPONSE};

/// An open connection to the server.
pub struct Connection {
    socket: TcpSocket,
    reader: LineReader,
    limit: Duration, // for one attempt, as the user gave it
}

impl Connection {
    /// Connects to the first of these addresses that accepts. `limit` is the
    /// time for one attempt.
    pub fn to(addresses: &[SocketAddr], limit: Duration) -> Result<Connection> {
        let socket = net::try_each(addresses, |address| {
            // ---- 1 socket() ----------------------------------------------
            // A new socket for each connection, because a socket can connect
            // only once. Python: socket.socket()  C: socket()
            let socket = TcpSocket::new(address)?;

            // ---- 2 connect() ---------------------------------------------
            // The server knows a client by the ids of its calls, because
            // each attempt may use another connection.          (viva 8)
            // On Linux SO_SNDTIMEO limits connect(), too.
            // Python: s.connect()  C: connect()
            socket.set_send_timeout(Some(limit))?;
            socket.connect(address)?;
            Ok(socket)
        })?;
        socket.set_no_delay()?;
        let reader = LineReader::new(socket.clone(), LONGEST_RESPONSE, limit);
        Ok(Connection { socket, reader, limit })
    }

    /// Sends a line, before the deadline.
    pub fn send(&self, line: &str, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.socket.set_send_timeout(Some(left))?;

        // ---- 3 send() ----------------------------------------------------
        // Success means only that our own kernel has the bytes. The server
        // may never read them.                                  (viva 6)
        // Python: s.sendall()  C: send() in a loop
        self.socket.send_all(format!("{line}\n").as_bytes())
    }

    /// The next line that the server sends; `show` prints it.
    pub fn receive(
        &mut self,
        deadline: Instant,
        show: bool,
    ) -> Result<Vec<u8>> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.reader.finish_within(Some(left));

        // ---- 4 recv() ----------------------------------------------------
        // Blocks until the line is complete or the deadline is over. If no
        // response comes, there are three possible causes: the request was
        // lost, the response was lost, or the work takes longer. (viva 6)
        // Python: s.recv()  C: recv()
        let line = match self.reader.read() {
            Ok(Received::Line(line) | Received::Unterminated(line)) => line,
            Ok(Received::TooLong) => {
                return Err(Error::other("the response is too long"));
            }
            Ok(Received::End) => {
                return Err(Error::other(
                    "the server closed the connection without a response",
                ));
            }
            Err(error) if error.is_timeout() => {
                let limit = self.limit.as_millis();
                let what = format!("no response within {limit} ms");
                let server = self.socket.peer_addr()?;
                return Err(Error::timed_out("recv", server, what));
            }
            Err(error) => return Err(error),
        };
        if show {
            match str::from_utf8(&line) {
                Ok(text) => say!("< {}", wire::shown(text)),
                Err(_) => say!("< {}", console::escape(&line)),
            }
        }
        if is_cut_off(&line) {
            return Err(Error::other(
                "only the beginning of a response arrived",
            ));
        }
        Ok(line)
    }

    /// Closes the connection.
    pub fn close(self) {
        // ---- 5 close() ---------------------------------------------------
        // The kernel sends FIN, or RST if there are unread bytes.
        // Python: s.close()  C: close()
        drop(self.reader); // it holds a handle of the socket as well
        self.socket.close();
    }
}

/// Is it only the beginning of a JSON text? This happens if the server ends
/// while it sends. A line that lacks only its newline is complete.
fn is_cut_off(line: &[u8]) -> bool {
    let read = serde_json::from_slice::<IgnoredAny>(line);
    !line.is_empty() && read.is_err_and(|error| error.is_eof())
}
