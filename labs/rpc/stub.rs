//! The stub: the client's half of a remote call. To call it looks like calling
//! the procedure, and everything that makes it different is in here: sockets,
//! a deadline, trying again; marshalling is in wire.rs. The server's half is
//! skeleton.rs.                                            [T-X2] [T-Q7]
//!
//!     program          stub (this file)                   server
//!       |-- add(2, 3) -->|  1 socket   2 connect            |
//!       |                |  3 send -- …"id":"ada/7"} ------>| the work
//!       |                |  4 recv <- …"id":"ada/7"} -- X   | is done
//!       |                |    deadline: nothing came        |
//!       |                |  5 close, then again from 1      |
//!       |                |  3 send -- …"id":"ada/7"} ------>| again?
//!       |<----- 5 -------|  4 recv <- …"id":"ada/7"} -------|
//!
//! The second request is the first one, byte for byte. With another id it
//! would be another call, and no server could know.  (viva 7) (try 1)

use std::fmt;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::value::RawValue;
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, warn};

use crate::wire::{self, Answer, Fault, LONGEST_ANSWER, NO_ID, quote};

/// The pause before trying again when an attempt failed at once; it doubles,
/// and a part of it is chance: many clients of a server that went down must
/// not all come back in the same moment.
const PAUSE: Duration = Duration::from_millis(100);

/// Lines that are no answer to us, passed over while waiting for ours.
const STRANGE_LINES: usize = 1000;

/// How long to wait, and how often to ask.
#[derive(Clone, Copy)]
pub struct Patience {
    /// For one attempt: connect, send and answer together.
    pub deadline: Duration,
    /// Attempts at most. 1: never ask twice.
    pub tries: u32,
}

/// How a remote call can end without a result. A local call knows only the
/// first of the two.
pub enum Failure {
    /// The server answered: it could not, or would not.
    Answered(Fault),
    /// No answer. The call was sent so many times, and may have been done
    /// none, one or all of them.                               (viva 6)
    Silent { sent: u32, last: Error },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Answered(fault) => {
                f.write_str(&console::escape(fault.to_string().as_bytes()))
            }
            Failure::Silent { sent: 0, last } => {
                write!(f, "{last}\nIt was not done: nothing was sent.")
            }
            Failure::Silent { sent, last } => write!(
                f,
                "{last}\nNobody knows whether it was done: sent {sent} times, \
                 done 0 to {sent} times; at most once if the server \
                 remembers ids."
            ),
        }
    }
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

struct Connection {
    socket: TcpSocket,
    reader: LineReader,
}

impl Connection {
    /// The next line that the server sends.
    fn receive(&mut self, deadline: Instant, show: bool) -> Result<Vec<u8>> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.reader.finish_within(Some(left));

        // ---- 4 recv() ----------------------------------------------------
        // Until the line is whole or the deadline is over. Silence has one
        // look and three causes: the request was lost, the answer was lost,
        // or the work takes longer than we wait.                (viva 6)
        let line = match self.reader.read()? {
            Received::Line(line) | Received::Unterminated(line) => line,
            Received::TooLong => {
                return Err(Error::other("the answer is too long"));
            }
            Received::End => {
                return Err(Error::other(
                    "the server closed the connection without an answer",
                ));
            }
        };
        if show {
            say!("< {}", console::escape(&line));
        }
        Ok(line)
    }
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
        let line = wire::request(method, params, Some(id));
        let id = quote(id);
        let mut sent = 0;
        let mut attempt = 1;
        loop {
            let began = Instant::now();
            let last = match self.attempt(&line, &id, &mut sent) {
                Ok(answer) => return answer.outcome.map_err(Failure::Answered),
                Err(error) => error,
            };
            self.hang_up();
            // Before anything was sent a failure is a plain failure.
            if attempt == self.patience.tries || sent == 0 {
                return Err(Failure::Silent { sent, last });
            }
            attempt += 1;
            let tries = self.patience.tries;
            warn!("{last}\ntrying again, {attempt} of {tries}: id {id}");
            if began.elapsed() < self.patience.deadline {
                let longest = PAUSE * 2_u32.pow(attempt.min(6));
                let share = rand::rng().random_range(0.5..1.0);
                thread::sleep(longest.mul_f64(share));
            }
        }
    }

    /// Says something and wants no answer: done once or not at all, and
    /// never asked again, since nobody would say which.           (viva 12)
    pub fn notify(&mut self, method: &str, params: &str) -> Called<()> {
        let line = wire::request(method, params, None);
        self.send_once(&line)
    }

    /// Sends a line as it is, once; the line that comes back, if the standard
    /// has an answer to this one.
    pub fn raw(&mut self, line: &str) -> Called<Option<String>> {
        if !wire::wants_answer(line) {
            return self.send_once(line).map(|()| None);
        }
        let deadline = Instant::now() + self.patience.deadline;
        let (mut sent, show) = (0, self.show);
        let answer = self
            .send(line, deadline, &mut sent)
            .and_then(|connection| connection.receive(deadline, show));
        match answer {
            Ok(line) => Ok(Some(String::from_utf8_lossy(&line).into())),
            Err(last) => {
                self.hang_up();
                Err(Failure::Silent { sent, last })
            }
        }
    }

    /// Sends a line, once.
    fn send_once(&mut self, line: &str) -> Called<()> {
        let deadline = Instant::now() + self.patience.deadline;
        let mut sent = 0;
        let done = self.send(line, deadline, &mut sent).map(drop);
        done.map_err(|last| {
            self.hang_up();
            Failure::Silent { sent, last }
        })
    }

    /// Sends the request and waits for the answer with its id.
    fn attempt(
        &mut self,
        line: &str,
        id: &str,
        sent: &mut u32,
    ) -> Result<Answer> {
        let deadline = Instant::now() + self.patience.deadline;
        let show = self.show;
        let connection = self.send(line, deadline, sent)?;
        for _ in 0..STRANGE_LINES {
            let line = connection.receive(deadline, show)?;
            let answer = Answer::read(&line).map_err(|why| {
                Error::other(format!("no JSON-RPC 2.0 answer: {why}"))
            })?;
            match &answer.outcome {
                _ if answer.id == id => return Ok(answer),
                // About the connection (no room, too slow), not the call.
                Err(fault) if answer.id == NO_ID && fault.is_of_server() => {
                    let text = fault.to_string();
                    return Err(Error::other(console::escape(text.as_bytes())));
                }
                Err(_) if answer.id == NO_ID => return Ok(answer),
                _ => {} // of an earlier call, given up meanwhile
            }
        }
        Err(Error::other("nothing but answers that nobody asked for"))
    }

    /// Sends a line on the connection, which is made if there is none.
    fn send(
        &mut self,
        line: &str,
        deadline: Instant,
        sent: &mut u32,
    ) -> Result<&mut Connection> {
        let kept = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let connection = self.connection.insert(kept);
        let socket = &connection.socket;
        let left = deadline.saturating_duration_since(Instant::now());
        socket.set_send_timeout(Some(left))?;
        if self.show {
            say!("> {}", console::escape(line.as_bytes()));
        }

        // ---- 3 send() ----------------------------------------------------
        // From the first byte on the call may have been done. A send() that
        // works says only that our kernel has the bytes.        (viva 6)
        *sent += 1;
        socket.send_all(format!("{line}\n").as_bytes())?;
        Ok(connection)
    }

    fn connect(&self) -> Result<Connection> {
        let socket = net::try_each(&self.addresses, |address| {
            // ---- 1 socket() ----------------------------------------------
            // A new one for each connection: a socket connects once.
            let socket = TcpSocket::new(address)?;

            // ---- 2 connect() ---------------------------------------------
            // Not before there is something to call, and anew after a
            // failure: who we are is in the ids, not in the connection.
            socket.set_send_timeout(Some(self.patience.deadline))?;
            socket.connect(address)?;
            Ok(socket)
        })?;
        socket.set_no_delay()?;
        let idle = self.patience.deadline;
        let reader = LineReader::new(socket.clone(), LONGEST_ANSWER, idle);
        Ok(Connection { socket, reader })
    }

    /// Ends the connection; the next call makes a new one.
    pub fn hang_up(&mut self) {
        if let Some(Connection { socket, reader }) = self.connection.take() {
            // ---- 5 close() -----------------------------------------------
            // An answer that comes too late for its call finds nobody here,
            // and cannot be taken for the answer to the next one.
            drop(reader); // it holds a handle of the socket as well
            socket.close();
        }
    }
}
