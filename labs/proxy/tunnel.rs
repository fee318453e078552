//! CONNECT: a tunnel for any bytes between two programs, mostly TLS. The proxy
//! sees host, port and the number of bytes, but it cannot read TLS.
//!
//! ```text
//!   client                  proxy                        origin
//!     | CONNECT h:443 ------->|                             |
//!     |                       |------ connect ------------->|
//!     |<----------------- 200 |                             |
//!     | TLS ClientHello ------|---- a thread: recv, send -->|
//!     |<-- this one: send, recv ---|-------------- TLS … ---|
//!     | FIN ------------------|---- shutdown(SHUT_WR) ----->|  half-close
//!     |<----------------------|------------ the rest, FIN --|
//! ```
//! Each direction has its own thread. One thread that blocks in send(), because
//! a side does not read, could not pass on that side's own bytes. Then both
//! sides and the proxy could wait for each other (deadlock). (viva 3)

use std::net::Shutdown;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use socketlab::clients;
use socketlab::net::TcpSocket;
use socketlab::{Error, Result};

use crate::errors::{ErrorPage, Failure};
use crate::origin;
use crate::record::Source;
use crate::target::Destination;
use crate::turn::Turn;

/// The buffer of a direction, and the larger one of a busy direction.
const CHUNK: usize = 16 * 1024;
const LARGE: usize = 256 * 1024;

/// The stack of the second thread.
const STACK: usize = 128 * 1024;

/// Answers CONNECT, and copies bytes until both directions have ended.
pub fn tunnel(
    turn: &mut Turn<'_>,
    destination: &Destination,
) -> std::result::Result<(), Failure> {
    let settings = turn.settings;
    turn.record.url = destination.origin();
    turn.keep = false; // after the tunnel no HTTP request can follow
    if turn.request.has_body() {
        return Err(ErrorPage::bad("CONNECT has no body.").into());
    }
    if !settings.tunnel_ports.contains(&destination.port) {
        let why = format!(
            "Tunnels lead to the ports {:?} only; --connect-port {} adds this \
             one. (A browser asks for a tunnel for ws://, too, to port 80.)",
            settings.tunnel_ports, destination.port
        );
        return Err(ErrorPage::new(403, why).into());
    }
    let (rules, patience) = (&settings.rules, settings.patience);
    let origin =
        origin::connect(destination, Some(rules), patience, turn.client)?;
    let origin = origin.socket();
    turn.record.source = Source::Tunnel;
    let client = turn.client.socket().clone();
    client.send_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    turn.record.status = 200;
    // The client may have sent its first bytes without waiting for the 200.
    // recv() returned them together with the head.
    let early = turn.client.take_buffered();
    if origin.send_all(&early).is_err() {
        return Err(Failure::Cut("the origin left".into()));
    }
    let (opened, idle) = (Instant::now(), settings.tunnel_idle);
    let tunnel = Tunnel { opened, last: AtomicU64::new(0), idle };
    let peer = turn.record.client;
    thread::scope(|scope| {
        let there = thread::Builder::new()
            .name(format!("{peer} to origin"))
            .stack_size(STACK)
            .spawn_scoped(scope, || tunnel.pump(&client, origin));
        let there = match there {
            Ok(there) => there,
            Err(error) => {
                let why = Error::new("spawn", peer, error).to_string();
                return Err(Failure::Cut(why));
            }
        };
        let back = tunnel.pump(origin, &client);
        turn.record.bytes = back.0;
        let there = there.join().unwrap_or((0, Ok(())));
        turn.record.note = match (there.1, back.1) {
            _ if clients::is_stopping() => clients::end_of_stream().into(),
            (Ok(()), Ok(())) => format!("{} bytes sent", there.0),
            (Err(error), _) | (_, Err(error)) => error.to_string(),
        };
        Ok(())
    })
}

/// What both directions share: the time of the last bytes.
struct Tunnel {
    opened: Instant,
    last: AtomicU64, // milliseconds after `opened`
    idle: Duration,
}

impl Tunnel {
    /// Copies one direction until its sender's FIN; counts the bytes.
    fn pump(&self, from: &TcpSocket, to: &TcpSocket) -> (u64, Result<()>) {
        let mut count = 0;
        let result = self.copy(from, to, &mut count);
        match result {
            // Pass the FIN on. Only this direction has ended; the other one
            // continues until its own FIN (half-close).
            Ok(()) => drop(to.shutdown(Shutdown::Write)),
            // An error ends both directions: after shutdown() the other
            // thread's recv() returns 0.
            Err(_) => {
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            }
        }
        (count, result)
    }

    /// recv() and send() in a loop.
    fn copy(
        &self,
        from: &TcpSocket,
        to: &TcpSocket,
        count: &mut u64,
    ) -> Result<()> {
        let mut buffer = vec![0; CHUNK];
        from.set_recv_timeout(Some(self.idle))?;
        loop {
            let read = match from.recv(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                // This direction was silent for too long. If the other one
                // was not, the tunnel is still in use.
                Err(error) if error.is_timeout() && !self.is_idle() => continue,
                Err(error) => return Err(error),
            };
            self.last.store(self.now(), Relaxed);
            to.send_all(buffer.get(..read).unwrap_or_default())?;
            self.last.store(self.now(), Relaxed);
            *count += read as u64;
            // A full buffer shows that more bytes are waiting.
            if read == buffer.len() && read < LARGE {
                buffer = vec![0; LARGE];
            }
        }
    }

    fn now(&self) -> u64 {
        self.opened.elapsed().as_millis() as u64
    }

    fn is_idle(&self) -> bool {
        let silent = self.now().saturating_sub(self.last.load(Relaxed));
        u128::from(silent) >= self.idle.as_millis()
    }
}
