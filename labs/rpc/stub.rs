//! The stub: the client's half of a remote call. To call it looks like calling
//! the procedure, and what makes it different is in here: a deadline, trying
//! again. Marshalling is in stub_wire.rs, the sockets in connection.rs, what
//! is sent once only in once.rs; the server's half is skeleton.rs.
//! [T-X2] [T-Q7]
//!
//! ```text
//! program       stub (this file)  connection.rs       server
//!   | add(2, 3)     |               1 socket 2 connect    |
//!   |-------------->| …"id":"ada/7" 3 send -------------->| the work
//!   |               |               4 recv        X ------| is done
//!   |               | deadline      5 close               |
//!   |               | again:        1 socket 2 connect    |
//!   |               | …"id":"ada/7" 3 send -------------->| again?
//!   |<----- 5 ------|               4 recv <--------------|
//! ```
//!
//! The second request is the first one, byte for byte. With another id it
//! would be another call, and no server could know.  (viva 7) (try 1)

use std::fmt;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::value::RawValue;
use socketlab::{Error, Result, console, say, warn};

use crate::connection::Connection;
use crate::stub_wire::{self, Answer};
use crate::wire::{Fault, SERVER_ERRORS};

/// The pause before trying again when an attempt failed at once; it doubles,
/// and a part of it is chance: many clients of a server that went down must
/// not all come back in the same moment.                       (viva 16)
const PAUSE: Duration = Duration::from_millis(100);

/// Lines that are no answer to us, passed over while waiting for ours.
const STRANGE_LINES: usize = 1000;

/// Bytes of a strange line that the error shows.
const STRANGE_SHOWN: usize = 80;

/// How long to wait, and how often to ask.
#[derive(Clone, Copy)]
pub struct Patience {
    /// For one attempt: connect, send and answer together.
    pub deadline: Duration,
    /// Attempts at most. 1: never ask twice.
    pub tries: u32,
}

/// How a remote call can end without a result. A local call knows only the
/// first of these.
pub enum Failure {
    /// The server answered: it could not, or would not.
    Answered(Fault),
    /// No answer. The call was sent so many times, and may have been done
    /// none, one or all of them.                               (viva 6)
    Silent { sent: u32, last: Error },
    /// Something came that is no JSON-RPC 2.0: it is another server, or it
    /// has a bug. To ask again would not help, so nobody does.
    Strange { sent: u32, why: String },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Answered(fault) => {
                f.write_str(&console::escape(fault.to_string().as_bytes()))
            }
            Failure::Strange { sent, why } => {
                let times = if *sent == 1 { "once" } else { "more than once" };
                write!(
                    f,
                    "the answer is not JSON-RPC 2.0: {why}\nNobody knows \
                     whether it was done: sent {times}."
                )
            }
            Failure::Silent { sent: 0, last } => {
                write!(f, "{}\nNot done: nothing was sent.", shown(last))
            }
            Failure::Silent { sent: 1, last } => write!(
                f,
                "{}\nNobody knows whether it was done: sent once.",
                shown(last)
            ),
            Failure::Silent { sent, last } => write!(
                f,
                "{}\nNobody knows whether it was done: sent {sent} times, \
                 done 0 to {sent} times; at most once if the server \
                 remembers ids.",
                shown(last)
            ),
        }
    }
}

/// An error as one safe line: a server's words may be in it.
fn shown(error: &Error) -> String {
    console::escape(error.to_string().as_bytes())
}

/// What a remote call gives.
pub type Called<T> = std::result::Result<T, Failure>;

/// A server, as the client's program sees it: somebody to call.
pub struct Stub {
    addresses: Vec<SocketAddr>,
    patience: Patience,
    show: bool,
    client: String, // who we are, for as long as we run
    calls: u64,     // how many we have made
    connection: Option<Connection>,
}

impl Stub {
    /// A stub for the server at these addresses; connects when it has to.
    /// `show` prints what goes over the wire.
    pub fn new(
        addresses: Vec<SocketAddr>,
        patience: Patience,
        show: bool,
    ) -> Stub {
        // By chance, not from our address: that changes with the network,
        // and two processes share it. It must outlive every connection.
        let client = format!("{:016x}", rand::rng().random::<u64>());
        let (calls, connection) = (0, None);
        Stub { addresses, patience, show, client, calls, connection }
    }

    /// Calls a procedure: `params` is a JSON list or object, or empty.
    pub fn call(
        &mut self,
        method: &str,
        params: &str,
    ) -> Called<Box<RawValue>> {
        self.calls += 1;
        let id = format!("{}/{}", self.client, self.calls);
        self.call_as(&id, method, params)
    }

    /// The same under an id of the caller's choice: what was called under it
    /// before, perhaps by a program that was killed since, is this call.
    pub fn call_as(
        &mut self,
        id: &str,
        method: &str,
        params: &str,
    ) -> Called<Box<RawValue>> {
        let line = stub_wire::request(method, params, Some(id));
        let mut sent = 0;
        let mut attempt = 1;
        loop {
            let began = Instant::now();
            let last = match self.attempt(&line, id, &mut sent) {
                Ok(Ok(answer)) => {
                    return answer.outcome.map_err(Failure::Answered);
                }
                Ok(Err(why)) => {
                    self.hang_up();
                    return Err(Failure::Strange { sent, why });
                }
                Err(error) => error,
            };
            self.hang_up();
            // Before anything was sent a failure is a plain failure.
            if attempt == self.patience.tries || sent == 0 {
                return Err(Failure::Silent { sent, last });
            }
            attempt += 1;
            let tries = self.patience.tries;
            let last = shown(&last);
            warn!("{last}\ntrying again, {attempt} of {tries}: id {id:?}");
            if began.elapsed() < self.patience.deadline {
                let longest = PAUSE * 2_u32.pow(attempt.min(6));
                let share = rand::rng().random_range(0.5..1.0);
                thread::sleep(longest.mul_f64(share));
            }
        }
    }

    /// Sends the request and waits for the answer with its id. The inner
    /// error: why what came is no answer.
    fn attempt(
        &mut self,
        line: &str,
        id: &str,
        sent: &mut u32,
    ) -> Result<std::result::Result<Answer, String>> {
        let deadline = self.deadline();
        self.send(line, deadline, sent)?;
        for _ in 0..STRANGE_LINES {
            let line = self.receive(deadline)?;
            let answer = match Answer::from_line(&line) {
                Ok(answer) => answer,
                Err(why) => {
                    let line = console::escape_short(&line, STRANGE_SHOWN);
                    return Ok(Err(format!("{why}: {line}")));
                }
            };
            match &answer.outcome {
                _ if answer.id == id => return Ok(Ok(answer)),
                // About the connection (no room, too slow), not the call.
                Err(fault)
                    if answer.id.is_null()
                        && SERVER_ERRORS.contains(&fault.code) =>
                {
                    return Err(Error::other(fault.to_string()));
                }
                Err(_) if answer.id.is_null() => return Ok(Ok(answer)),
                _ => {} // of an earlier call, given up meanwhile
            }
        }
        Err(Error::other("nothing but answers that nobody asked for"))
    }

    /// Until when an attempt that begins now may take.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.patience.deadline
    }

    /// Sends a line on the connection, which is made if there is none. Counts
    /// it in `sent` as soon as something may have arrived.
    pub fn send(
        &mut self,
        line: &str,
        deadline: Instant,
        sent: &mut u32,
    ) -> Result<()> {
        let kept = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::to(&self.addresses, self.patience.deadline)?,
        };
        let connection = self.connection.insert(kept);
        if self.show {
            say!("> {}", console::escape(line.as_bytes()));
        }
        // From the first byte on, the call may have been done.  (viva 6)
        *sent += 1;
        connection.send(line, deadline)
    }

    /// The next line that comes on the connection.
    pub fn receive(&mut self, deadline: Instant) -> Result<Vec<u8>> {
        let connection = self.connection.as_mut();
        let connection =
            connection.ok_or_else(|| Error::other("not connected"))?;
        connection.receive(deadline, self.show)
    }

    /// Ends the connection; the next call makes a new one. An answer that
    /// comes too late for its call then finds nobody, and cannot be taken
    /// for the answer to the next.
    pub fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }
}
