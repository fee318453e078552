//! The attacks of intruder.rs by name, and what came of one, in a word.
//!                                                                [D-T2.2]

use std::fmt;

use socketlab::{Result, console};

/// The wrong ways, and the right one to compare with.
#[derive(Clone, Copy)]
pub enum Attack {
    Owner,
    NoLogin,
    TaskOne,
    Elsewhere,
    EmptySecret,
    WrongSecret,
    Replay,
    Guessing,
    Silence,
}

/// Their names in the table.
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

/// The lines that a server said.
pub type Said = Vec<Vec<u8>>;

/// How an attack ended.
pub enum Verdict {
    /// The server said these lines.
    Said(Said),
    /// The connection failed, or was ended without a word.
    Refused,
    /// This many guesses were looked at before it said: wait.
    Slowed(u32),
    /// Silence was ended.
    Cut,
    /// Silence keeps a place for as long as it likes.
    Held,
    /// Not possible here, or not without the secret.
    Skipped,
}

/// The verdict on an attack of a server that we have started. That it cannot
/// be reached is an error: nobody was attacked.
pub fn of_ours(attack: Result<Verdict>) -> Result<Verdict> {
    match attack {
        Err(error) if error.call() == "connect" => Err(error),
        attack => Ok(of(attack).0),
    }
}

/// The verdict, also on an attack that failed, and the server's last words.
pub fn of(attack: Result<Verdict>) -> (Verdict, String) {
    match attack {
        Ok(Verdict::Said(said)) => {
            let words = said.last().map(Vec::as_slice).unwrap_or_default();
            let words = console::escape_short(words, 60);
            (Verdict::Said(said), words)
        }
        Ok(verdict) => (verdict, String::new()),
        Err(error) => (Verdict::Refused, error.to_string()),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Verdict::Said(said) => said,
            Verdict::Refused => return f.write_str("refused"),
            Verdict::Slowed(number) => {
                return write!(f, "slowed after {number}");
            }
            Verdict::Cut => return f.write_str("cut"),
            Verdict::Held => return f.write_str("keeps a place"),
            Verdict::Skipped => return f.write_str("-"),
        };
        // The last line answers the message that came last.
        let last = said.last().map(Vec::as_slice);
        let no = ["NO", "UNKNOWN", "STOP"];
        f.write_str(match last {
            None => "no answer",
            Some(line) if line.starts_with(b"OK") => "ACCEPTED",
            Some(line)
                if no.iter().any(|no| line.starts_with(no.as_bytes())) =>
            {
                "refused"
            }
            Some(_) => "see its words",
        })
    }
}
