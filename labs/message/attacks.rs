//! The attacks of intruder.rs, and how each of them ended.       [D-T2.2]

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use socketlab::net::{self, TcpSocket};
use socketlab::{Error, console};

/// The wrong ways to talk to a server, and the right one for comparison.
#[derive(Clone, Copy)]
pub enum Attack {
    /// No attack: a login with the right secret.
    Owner,
    /// A message without a login, as `nc` sends it.
    NoLogin,
    /// Three messages without a pause, as the client of task 1 sends them.
    TaskOne,
    /// From an address that is not on the allow-list.
    Elsewhere,
    /// A login with no secret at all.
    EmptySecret,
    /// A login with a wrong secret.
    WrongSecret,
    /// The owner's login again, byte for byte.
    Replay,
    /// One secret after the other.
    Guessing,
    /// A connection on which nothing is sent.
    Silence,
}

/// The attacks with their titles, in the order of the table.
pub const ATTACKS: [(Attack, &str); 9] = [
    (Attack::Owner, "(the owner, right secret)"),
    (Attack::NoLogin, "no login, like nc"),
    (Attack::TaskOne, "the client of task 1"),
    (Attack::Elsewhere, "from another address"),
    (Attack::EmptySecret, "an empty secret"),
    (Attack::WrongSecret, "a wrong secret"),
    (Attack::Replay, "replay of a recorded login"),
    (Attack::Guessing, "guessing, 20 secrets"),
    (Attack::Silence, "silence"),
];

/// The lines that a server answered.
pub type Replies = Vec<Vec<u8>>;

/// Why an attack has no result.
pub enum Failure {
    /// This machine does not have the address to attack from.
    NoSuchAddress,
    /// connect() failed, so no server was attacked.
    Unreachable(Error),
    /// The connection failed later.
    Lost(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Lost(error)
    }
}

/// A connection, from another local address if one is given.
pub fn connect(
    address: SocketAddr,
    from: Option<IpAddr>,
) -> Result<TcpSocket, Failure> {
    // ---- 1 socket() ------------------------------------------------------
    // bind() only to attack from another address of this machine.
    let socket = TcpSocket::new(address)?;
    if let Some(from) = from {
        let bound = socket.bind(SocketAddr::new(from, 0));
        bound.map_err(|_| Failure::NoSuchAddress)?;
    }

    // ---- 2 connect() -----------------------------------------------------
    // This always works, because the server's kernel completes every handshake.
    // The program learns of it later, from accept(). (viva 5) On Linux this
    // limit of 10 s holds for connect() and each send().
    socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    socket.connect(address).map_err(Failure::Unreachable)?;
    Ok(socket)
}

/// How an attack ended.
pub enum AttackResult {
    /// The server answered with these lines.
    Answered(Replies),
    /// The connection failed, or ended without a line.
    Refused,
    /// The server checked this many guesses before it made the client wait.
    Slowed(u32),
    /// The server ended the silent connection.
    Cut,
    /// The server keeps a thread for the silent connection.
    Held,
    /// Not possible here, or not without the secret.
    Skipped,
}

impl AttackResult {
    /// The result, also of an attack that failed, and the last line: the
    /// server's, or the error.
    pub fn of(attack: Result<AttackResult, Failure>) -> (AttackResult, String) {
        match attack {
            Ok(AttackResult::Answered(replies)) => {
                let last = replies.last().map(Vec::as_slice);
                let words = console::escape_short(last.unwrap_or_default(), 60);
                (AttackResult::Answered(replies), words)
            }
            Ok(result) => (result, String::new()),
            Err(Failure::NoSuchAddress) => {
                (AttackResult::Skipped, String::new())
            }
            Err(Failure::Unreachable(error) | Failure::Lost(error)) => {
                (AttackResult::Refused, error.to_string())
            }
        }
    }
}

/// The word in the table.
impl fmt::Display for AttackResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replies = match self {
            AttackResult::Answered(replies) => replies,
            AttackResult::Refused => return f.write_str("refused"),
            AttackResult::Slowed(number) => {
                return write!(f, "slowed after {number}");
            }
            AttackResult::Cut => return f.write_str("cut"),
            AttackResult::Held => return f.write_str("keeps a place"),
            AttackResult::Skipped => return f.write_str("-"),
        };
        // The last line is the reply to the last message.
        let starts_with = |line: &[u8], words: &[&str]| {
            words.iter().any(|word| line.starts_with(word.as_bytes()))
        };
        f.write_str(match replies.last() {
            None => "no answer",
            Some(line) if starts_with(line, &["OK"]) => "ACCEPTED",
            Some(line) if starts_with(line, &["NO", "UNKNOWN", "STOP"]) => {
                "refused"
            }
            Some(_) => "see its words",
        })
    }
}
