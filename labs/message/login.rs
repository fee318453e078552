//! The login of server.rs. Handout D (Durham): task 2 asks for the secret
//! (auth.rs, throttle.rs), task 3 for the ID (quota.rs).
//!
//! ```text
//! client                         server
//!   |<-- AUTH challenge 5f3a… -----|  fresh for each connection
//!   |--- LOGIN 81c0… ------------->|  one try for each connection
//!   |<-- OK logged in -------------|  or NO …, FIN        [D-T2.1]
//!   |--- ID alice ---------------->|
//!   |<-- OK 3 left ----------------|  or NO …, UNKNOWN …, FIN
//! ```
//!
//! The server tells a client why it is refused. This helps a classmate with a
//! typing error much, and an attacker little.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use socketlab::args;
use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::{Error, Result, say};

use crate::auth::{self, Level, Secret};
use crate::quota::{self, Quota};
use crate::throttle::{Attempt, Throttle};

/// What the server asks of a new client, and the failures so far.
pub struct Login {
    level: Level,
    allowed: Vec<IpAddr>,
    secret: Option<Secret>, // at the levels that have one
    throttle: Throttle,
    limit: Duration, // for all of the dialogue together
}

/// Why a client is not logged in.
pub enum Refusal {
    /// The server sends this line of the protocol, and closes.
    Told(String),
    /// It left before the login was complete.
    Left,
    /// The connection failed.
    Lost(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Lost(error)
    }
}

impl Login {
    /// A login at this level; the secret is loaded only where it is used.
    /// `limit` is in seconds, for login and ID together.
    pub fn new(
        level: Level,
        allowed: Vec<IpAddr>,
        secret_file: Option<&str>,
        limit: f64,
    ) -> Result<Login> {
        if (level == Level::AllowList) == allowed.is_empty() {
            args::usage("--auth allow-list and --allow ADDR belong together");
        }
        let limit = args::in_range("--login-limit", limit, 0.1, 600.0);
        let limit = Duration::from_secs_f64(limit);
        let secret = match level {
            Level::None | Level::AllowList => None,
            Level::Password | Level::Challenge => {
                Some(Secret::load(secret_file)?)
            }
        };
        // ::ffff:127.0.0.1 is 127.0.0.1: a peer is compared in that form.
        let allowed = allowed.iter().map(IpAddr::to_canonical).collect();
        let throttle = Throttle::default();
        Ok(Login { level, allowed, secret, throttle, limit })
    }

    /// Lets a client in, and returns its ID if there is a quota.
    pub fn enter(
        &self,
        client: &TcpSocket,
        peer: SocketAddr,
        reader: &mut LineReader,
        quota: Option<&Quota>,
    ) -> std::result::Result<Option<String>, Refusal> {
        // One deadline for the complete login. With a limit for each recv(), a
        // byte every nine seconds would hold a thread without end. [D-T2.1]
        reader.finish_within(Some(self.limit));
        self.log_in(client, peer, reader)?;
        let id = match quota {
            Some(quota) => Some(identify(client, peer, reader, quota)?),
            None => None,
        };
        reader.finish_within(None);
        Ok(id)
    }

    /// Task 2: returns Ok only for a client that the level lets in.
    fn log_in(
        &self,
        client: &TcpSocket,
        peer: SocketAddr,
        reader: &mut LineReader,
    ) -> std::result::Result<(), Refusal> {
        let refuse = |text: &str| Err(Refusal::Told(text.to_string()));
        // The handshake has shown that our packets reach this address. But an
        // address names a machine, not a person. (viva 5)
        let address = peer.ip().to_canonical();
        if self.level == Level::AllowList && !self.allowed.contains(&address) {
            return refuse(&format!("NO {address} is not on the list"));
        }
        let Some(secret) = &self.secret else { return Ok(()) };
        let nonce = auth::nonce()?;
        let greeting = match self.level {
            Level::Challenge => format!("AUTH challenge {nonce}\n"),
            _ => "AUTH password\n".into(),
        };
        client.send_all(greeting.as_bytes())?;

        // The client of task 1 and `nc` fail here, because they send a message
        // first.
        let line = next(reader)?;
        // The first space ends the word; all others belong to the password.
        let answer = match line.strip_prefix(b"LOGIN") {
            Some([b' ', answer @ ..]) => answer,
            Some([]) => b"",
            _ => return refuse("NO log in first: LOGIN <answer>"),
        };
        // A right answer is never longer. To check 128 KiB would cost time.
        if answer.len() > auth::LONGEST {
            return refuse("NO wrong secret: longer than 1024 bytes");
        }
        let right = auth::check(self.level, secret, &nonce, answer);
        match self.throttle.attempt(address, Instant::now(), right) {
            Attempt::Right => {}
            Attempt::Wrong(Duration::ZERO) => {
                return refuse("NO wrong secret");
            }
            Attempt::Wrong(wait) => {
                let wait = wait.as_secs();
                return refuse(&format!("NO wrong secret: now wait {wait} s"));
            }
            Attempt::TooEarly(left) => {
                let left = left.as_secs_f64().ceil();
                return refuse(&format!("NO too many failures: wait {left} s"));
            }
        }
        say!("[{peer}] logged in");
        client.send_all(b"OK logged in\n")?;
        Ok(())
    }
}

/// Task 3: the client sends its ID before anything else. [D-T3.2]
fn identify(
    client: &TcpSocket,
    peer: SocketAddr,
    reader: &mut LineReader,
    quota: &Quota,
) -> std::result::Result<String, Refusal> {
    let line = next(reader)?;
    let refuse = |text: String| {
        let hint = match quota.has_run_together(&line) {
            true => ": two messages run together? end each with a newline",
            false => "",
        };
        Refusal::Told(format!("{text}{hint}"))
    };
    let id = quota::id_in(&line)
        .map_err(|problem| refuse(format!("NO {problem}")))?;
    // A separate reply: this client is unknown; it has not used up a quota.
    // [D-T3.5]
    let left = quota
        .left(id)
        .ok_or_else(|| refuse(format!("UNKNOWN {id} is not in the table")))?;
    say!("[{peer}] is {id}, {left} left");
    client.send_all(format!("OK {left} left\n").as_bytes())?;
    Ok(id.to_string())
}

/// The next line of a client that is not logged in yet.
fn next(reader: &mut LineReader) -> std::result::Result<Vec<u8>, Refusal> {
    match reader.read() {
        Ok(Received::Line(line) | Received::Unterminated(line)) => Ok(line),
        Ok(Received::TooLong) => {
            Err(Refusal::Told("NO that is too long".into()))
        }
        Ok(Received::End) => Err(Refusal::Left),
        Err(error) if error.is_timeout() => {
            Err(Refusal::Told("NO you are too slow: good bye".into()))
        }
        Err(error) => Err(Refusal::Lost(error)),
    }
}
