//! The stub: the client's half of a remote call. A call of the stub looks like
//! a call of the procedure, but it has a deadline and retries. Marshalling is
//! in wire.rs, the sockets are in connection.rs, and the server's half is in
//! skeleton.rs.                                            [T-X2] [T-Q7]
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
//! The second request has the same bytes as the first. With another id it would
//! be another call, and the server would run it again.    (viva 7) (try 1)

use std::fmt;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::Value;
use serde_json::value::RawValue;
use socketlab::{Error, Result, console, say, warn};

use crate::connection::Connection;
use crate::wire::{self, Response, RpcError};

/// The pause before a retry if an attempt failed at once. It doubles each time.
/// A part of it is random, so that not all clients of a failed server return
/// at the same moment.                                         (viva 16)
const PAUSE: Duration = Duration::from_millis(100);

/// Most responses to other calls that are skipped during one attempt.
const STRANGE_LINES: usize = 1000;

/// Bytes of a strange line that the error shows.
const STRANGE_SHOWN: usize = 80;

/// How long to wait, and how often to send a call.
#[derive(Clone, Copy)]
pub struct RetryPolicy {
    /// For one attempt: connect, send and receive together.
    pub deadline: Duration,
    /// Most attempts. 1 means no retry.
    pub tries: u32,
}

/// The ways in which a remote call can fail. A local call can fail only in the
/// first way.
pub enum RemoteFailure {
    /// The server responded with an error.
    Refused(RpcError),
    /// No response. The call was sent `sent` times, and may have been done
    /// none, one or all of them.                               (viva 6)
    NoResponse {
        /// How often the request was sent.
        sent: u32,
        /// Why the last attempt failed.
        last: Error,
    },
    /// The response is not JSON-RPC 2.0: this is another kind of server, or
    /// it has a bug. A retry would not help.
    NotJsonRpc {
        /// How often the request was sent.
        sent: u32,
        /// What is wrong with the received line.
        why: String,
    },
}

impl fmt::Display for RemoteFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RemoteFailure::Refused(error) => {
                f.write_str(&console::escape(error.to_string().as_bytes()))
            }
            RemoteFailure::NotJsonRpc { sent, why } => {
                let times = if *sent == 1 { "once" } else { "more than once" };
                write!(
                    f,
                    "the response is not JSON-RPC 2.0: {why}\nNobody knows \
                     whether it was done: sent {times}."
                )
            }
            RemoteFailure::NoResponse { sent: 0, last } => {
                write!(f, "{}\nNot done: nothing was sent.", shown(last))
            }
            RemoteFailure::NoResponse { sent: 1, last } => write!(
                f,
                "{}\nNobody knows whether it was done: sent once.",
                shown(last)
            ),
            RemoteFailure::NoResponse { sent, last } => write!(
                f,
                "{}\nNobody knows whether it was done: sent {sent} times, \
                 done 0 to {sent} times; at most once if the server \
                 remembers ids.",
                shown(last)
            ),
        }
    }
}

/// An error as one escaped line, because it may contain a server's text.
fn shown(error: &Error) -> String {
    console::escape(error.to_string().as_bytes())
}

/// Why one attempt got no response.
enum AttemptFailure {
    NoResponse(Error), // another attempt may succeed
    NotJsonRpc(String),
}

impl From<Error> for AttemptFailure {
    fn from(error: Error) -> AttemptFailure {
        AttemptFailure::NoResponse(error)
    }
}

/// What a remote call returns.
pub type RemoteResult<T> = std::result::Result<T, RemoteFailure>;

/// The server as the client's program sees it: an object with functions.
pub struct Stub {
    addresses: Vec<SocketAddr>,
    policy: RetryPolicy,
    show: bool,
    client: String, // the client's name until the program ends
    calls: u64,     // number of calls so far
    connection: Option<Connection>,
}

impl Stub {
    /// A stub for the server at these addresses. It connects with its first
    /// call. `show` prints the lines that are sent and received.
    pub fn new(
        addresses: Vec<SocketAddr>,
        policy: RetryPolicy,
        show: bool,
    ) -> Stub {
        // The name is random, because an address may change and two
        // processes may share it. It is the same on every connection.
        let client = format!("{:016x}", rand::rng().random::<u64>());
        let (calls, connection) = (0, None);
        Stub { addresses, policy, show, client, calls, connection }
    }

    /// Calls a procedure: `params` is a JSON list or object, or empty.
    pub fn call(
        &mut self,
        method: &str,
        params: &str,
    ) -> RemoteResult<Box<RawValue>> {
        self.calls += 1;
        let id = format!("{}/{}", self.client, self.calls);
        self.call_as(&id, method, params)
    }

    /// The same with an id that the caller chooses. If another program has
    /// used this id before, the server takes both for the same call.
    pub fn call_as(
        &mut self,
        id: &str,
        method: &str,
        params: &str,
    ) -> RemoteResult<Box<RawValue>> {
        let line = wire::request(method, params, Some(id));
        let mut sent = 0;
        let mut attempt = 1;
        loop {
            let began = Instant::now();
            let last = match self.attempt(&line, id, &mut sent) {
                Ok(response) => {
                    return response.result.map_err(RemoteFailure::Refused);
                }
                Err(AttemptFailure::NotJsonRpc(why)) => {
                    self.hang_up();
                    return Err(RemoteFailure::NotJsonRpc { sent, why });
                }
                Err(AttemptFailure::NoResponse(error)) => error,
            };
            self.hang_up();
            // If nothing was sent, the call was certainly not done.
            if attempt == self.policy.tries || sent == 0 {
                return Err(RemoteFailure::NoResponse { sent, last });
            }
            attempt += 1;
            let tries = self.policy.tries;
            let last = shown(&last);
            warn!("{last}\ntrying again, {attempt} of {tries}: id {id:?}");
            if began.elapsed() < self.policy.deadline {
                let longest = PAUSE * 2_u32.pow(attempt.min(6));
                let share = rand::rng().random_range(0.5..1.0);
                thread::sleep(longest.mul_f64(share));
            }
        }
    }

    /// Sends the request and waits for the response with its id.
    fn attempt(
        &mut self,
        line: &str,
        id: &str,
        sent: &mut u32,
    ) -> std::result::Result<Response, AttemptFailure> {
        let deadline = self.deadline();
        self.send(line, deadline, sent)?;
        for _ in 0..STRANGE_LINES {
            let line = self.receive(deadline)?;
            let response = match Response::read(&line) {
                Ok(response) => response,
                Err(why) => {
                    let line = console::escape_short(&line, STRANGE_SHOWN);
                    let why = format!("{why}: {line}");
                    return Err(AttemptFailure::NotJsonRpc(why));
                }
            };
            match &response.result {
                _ if response.id == id => return Ok(response),
                Err(error)
                    if response.id.is_null() && error.is_about_connection() =>
                {
                    return Err(Error::other(error.to_string()).into());
                }
                Err(_) if response.id.is_null() => return Ok(response),
                _ => {} // the late response to an earlier call
            }
        }
        Err(Error::other("all responses had the id of another call").into())
    }

    /// Sends a notification: a call without a response. The server
    /// runs it once or not at all; the client cannot know.     (viva 12)
    pub fn notify(&mut self, method: &str, params: &str) -> RemoteResult<()> {
        let line = wire::request(method, params, None);
        self.send_once(&line, self.deadline())
    }

    /// Sends a line of the user unchanged, once. Returns the response, if the
    /// standard has one for this line.
    pub fn send_raw(&mut self, line: &str) -> RemoteResult<Option<String>> {
        let deadline = self.deadline();
        self.send_once(line, deadline)?;
        if !wants_response(line) {
            return Ok(None);
        }
        match self.receive(deadline) {
            Ok(line) => Ok(Some(String::from_utf8_lossy(&line).into())),
            Err(last) => {
                self.hang_up();
                Err(RemoteFailure::NoResponse { sent: 1, last })
            }
        }
    }

    /// Sends a line without retries.
    fn send_once(&mut self, line: &str, deadline: Instant) -> RemoteResult<()> {
        let mut sent = 0;
        self.send(line, deadline, &mut sent).map_err(|last| {
            self.hang_up();
            RemoteFailure::NoResponse { sent, last }
        })
    }

    /// When an attempt that begins now must end.
    fn deadline(&self) -> Instant {
        Instant::now() + self.policy.deadline
    }

    /// Sends a line. Connects first if there is no connection. Counts the line
    /// in `sent` as soon as a part of it may have arrived.
    fn send(
        &mut self,
        line: &str,
        deadline: Instant,
        sent: &mut u32,
    ) -> Result<()> {
        let kept = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::to(&self.addresses, self.policy.deadline)?,
        };
        let connection = self.connection.insert(kept);
        if self.show {
            say!("> {}", console::escape(line.as_bytes()));
        }
        // From the first byte on, the call may have been done.  (viva 6)
        *sent += 1;
        connection.send(line, deadline)
    }

    /// Receives the next line of the connection.
    fn receive(&mut self, deadline: Instant) -> Result<Vec<u8>> {
        let connection = self.connection.as_mut();
        let connection =
            connection.ok_or_else(|| Error::other("not connected"))?;
        connection.receive(deadline, self.show)
    }

    /// Closes the connection; the next call makes a new one. So a response
    /// that comes too late cannot be taken for the next call's response.
    pub fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }
}

/// Does this line get a response? Notifications get none. Everything else gets
/// one, even if it is an error.
fn wants_response(line: &str) -> bool {
    match serde_json::from_str(line) {
        Ok(Value::Array(batch)) => {
            batch.is_empty() || !batch.iter().all(is_notification)
        }
        Ok(message) => !is_notification(&message),
        Err(_) => true,
    }
}

/// A request without an id.
fn is_notification(message: &Value) -> bool {
    let params = message.get("params");
    message["jsonrpc"] == "2.0"
        && message["method"].is_string()
        && params.is_none_or(|p| p.is_array() || p.is_object())
        && message.get("id").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_notifications_want_no_answer() {
        for (line, wants) in [
            (r#"{"jsonrpc":"2.0","method":"x"}"#, false),
            (r#"{"jsonrpc":"2.0","method":"x","params":[1]}"#, false),
            (r#"{"jsonrpc":"2.0","method":"x","params":1}"#, true),
            (r#"{"jsonrpc":"2.0","method":"x","id":null}"#, true),
            (r#"{"jsonrpc":"2.0","method":1}"#, true),
            (r#"{"method":"x"}"#, true),
            (r#"[{"jsonrpc":"2.0","method":"x"}]"#, false),
            (r#"[{"jsonrpc":"2.0","method":"x"},1]"#, true),
            ("[]", true),
            ("{", true),
        ] {
            assert_eq!(wants_response(line), wants, "{line}");
        }
    }
}
