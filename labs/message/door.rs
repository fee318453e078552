//! The door of server.rs: who gets in. Handout D (Durham): task 2 asks for
//! the secret (verify.rs, guess.rs), task 3 for the ID (quota.rs).
//!
//! ```text
//! client                         server
//!   |<-- AUTH challenge 5f3a… -----|  fresh for each connection
//!   |--- LOGIN 81c0… ------------->|  one try, then the door shuts
//!   |<-- OK logged in -------------|  or NO …, FIN        [D-T2.1]
//!   |--- ID alice ---------------->|
//!   |<-- OK 3 left ----------------|  or NO …, UNKNOWN …, FIN
//! ```
//!
//! Whoever is refused is told why. That helps an attacker little and a
//! classmate with a typing error much.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use socketlab::args;
use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::{Error, Result, say};

use crate::auth::{Rung, Secret};
use crate::guess::{Guesses, Outcome};
use crate::quota::{self, Quota};
use crate::verify;

/// What the server asks of a newcomer.
pub struct Door {
    rung: Rung,
    allowed: Vec<IpAddr>,
    secret: Option<Secret>, // on the rungs that have one
    guesses: Guesses,
    limit: Duration, // for all of the dialogue together
}

/// Why a client does not get in.
pub enum Refusal {
    /// It is told so, in a line of the protocol, and the connection closed.
    Told(String),
    /// It left before it was in.
    Left,
    /// The connection failed.
    Lost(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        match error.is_timeout() && error.call() == "recv" {
            true => Refusal::Told("NO you are too slow: good bye".into()),
            false => Refusal::Lost(error),
        }
    }
}

impl Door {
    /// A door for this rung; the secret is loaded only where it is used.
    pub fn new(
        rung: Rung,
        allowed: Vec<IpAddr>,
        secret_file: Option<&str>,
        limit: f64,
    ) -> Result<Door> {
        if (rung == Rung::AllowList) == allowed.is_empty() {
            args::usage("--auth allow-list and --allow ADDR belong together");
        }
        let limit = args::in_range("--login-limit", limit, 0.1, 600.0);
        let limit = Duration::from_secs_f64(limit);
        let secret = match rung {
            Rung::None | Rung::AllowList => None,
            Rung::Password | Rung::Challenge => {
                Some(Secret::load(secret_file)?)
            }
        };
        // ::ffff:127.0.0.1 is 127.0.0.1: a peer is compared in that form.
        let allowed = allowed.iter().map(IpAddr::to_canonical).collect();
        let guesses = Guesses::default();
        Ok(Door { rung, allowed, secret, guesses, limit })
    }

    /// Lets a client in, and returns its ID if there is a quota.
    pub fn enter(
        &self,
        client: &TcpSocket,
        peer: SocketAddr,
        reader: &mut LineReader,
        quota: Option<&Quota>,
    ) -> std::result::Result<Option<String>, Refusal> {
        // ONE deadline for all of it: with a limit for each recv(), a byte
        // every nine seconds would keep a thread busy for ever.  [D-T2.1]
        reader.finish_within(Some(self.limit));
        self.log_in(client, peer, reader)?;
        let id = match quota {
            Some(quota) => Some(identify(client, peer, reader, quota)?),
            None => None,
        };
        reader.finish_within(None);
        Ok(id)
    }

    /// Task 2: past this come only those whom the rung lets through.
    fn log_in(
        &self,
        client: &TcpSocket,
        peer: SocketAddr,
        reader: &mut LineReader,
    ) -> std::result::Result<(), Refusal> {
        let refuse = |text: &str| Err(Refusal::Told(text.to_string()));
        // The address is the peer's word, but TCP has proved that it gets
        // our packets there. It names a machine, not a person.   (viva 5)
        let address = peer.ip().to_canonical();
        if self.rung == Rung::AllowList && !self.allowed.contains(&address) {
            return refuse(&format!("NO {address} is not on the list"));
        }
        let Some(secret) = &self.secret else { return Ok(()) };
        let nonce = verify::nonce()?;
        let greeting = match self.rung {
            Rung::Challenge => format!("AUTH challenge {nonce}\n"),
            _ => "AUTH password\n".into(),
        };
        client.send_all(greeting.as_bytes())?;

        // The task-1 client and a bare `nc` stumble here: they talk first.
        let line = next(reader)?;
        // One space ends the word; all others belong to the password.
        let answer = match line.strip_prefix(b"LOGIN") {
            Some([b' ', answer @ ..]) => answer,
            Some([]) => b"",
            _ => return refuse("NO log in first: LOGIN <answer>"),
        };
        let check = || verify::check(self.rung, secret, &nonce, answer);
        match self.guesses.attempt(address, Instant::now(), check) {
            Outcome::Right => {}
            Outcome::Wrong(Duration::ZERO) => {
                return refuse("NO wrong secret");
            }
            Outcome::Wrong(wait) => {
                let wait = wait.as_secs();
                return refuse(&format!("NO wrong secret: now wait {wait} s"));
            }
            Outcome::TooEarly(left) => {
                let left = left.as_secs_f64().ceil();
                return refuse(&format!("NO too many failures: wait {left} s"));
            }
        }
        say!("[{peer}] logged in");
        client.send_all(b"OK logged in\n")?;
        Ok(())
    }
}

/// Task 3: the client says who it is before anything else.       [D-T3.2]
fn identify(
    client: &TcpSocket,
    peer: SocketAddr,
    reader: &mut LineReader,
    quota: &Quota,
) -> std::result::Result<String, Refusal> {
    let line = next(reader)?;
    let id = quota::id_in(&line)
        .map_err(|problem| Refusal::Told(format!("NO {problem}")))?;
    // Its own text: this client is not too late, it is nobody.  [D-T3.5]
    let Some(left) = quota.left(id) else {
        return Err(Refusal::Told(format!("UNKNOWN {id} is not in the table")));
    };
    say!("[{peer}] is {id}, {left} left");
    client.send_all(format!("OK {left} left\n").as_bytes())?;
    Ok(id.to_string())
}

/// The next line of somebody who is not in yet.
fn next(reader: &mut LineReader) -> std::result::Result<Vec<u8>, Refusal> {
    match reader.read()? {
        Received::Line(line) | Received::Unterminated(line) => Ok(line),
        Received::TooLong => Err(Refusal::Told("NO that is too long".into())),
        Received::End => Err(Refusal::Left),
    }
}
