//! What became of the message: the client's last words, and its exit status.
//! "Sent" is said only after the 250 behind the dot.       (viva 4) [W-T4a]
//!
//! ```text
//! sent        250 behind the dot, for everybody           status 0
//! in part     the same, but some RCPT was refused         status 1
//! not sent    refused, or broken before the dot was out   status 1
//! unknown     the dot was out, and no answer came         status 1
//! ```

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use socketlab::{Error, Result, console, signals, warn};

use crate::message::Letter;
use crate::reply::Reply;

/// Why a dialogue ends before its time.
#[derive(Debug)]
pub enum Stop {
    /// The server, or we, said no: QUIT is still in order.
    Refused(String),
    /// Nothing more can be said, and nothing was delivered.
    Broken(String),
    /// The message was out, and the answer did not come.
    Unknown(String),
}

impl Stop {
    /// A reply that was not the wanted one.
    pub fn refused(verb: &str, reply: &Reply) -> Stop {
        let (text, meaning) = (reply.text(), reply.meaning());
        let why = format!("{verb} was answered with {text}\n   ({meaning})");
        match reply.code {
            421 => Stop::Broken(why), // it closes by itself
            _ => Stop::Refused(why),
        }
    }

    /// The text for the last line.
    pub fn why(&self) -> &str {
        match self {
            Stop::Refused(why) | Stop::Broken(why) | Stop::Unknown(why) => why,
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Broken(error.to_string())
    }
}

/// Whom the server takes it for.
pub struct Outcome {
    /// Accepted recipients.
    pub accepted: Vec<String>,
    /// The others, each with the server's words and what they mean.
    pub refused: Vec<(String, String)>,
    /// The server's words behind the dot.
    pub words: String,
}

impl Outcome {
    /// From the replies to RCPT, in the order of the recipients.
    pub fn of(letter: &Letter, replies: &[Reply]) -> Outcome {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (address, reply) in letter.recipients().iter().zip(replies) {
            match reply.is_done() {
                true => accepted.push(address.text()),
                false => {
                    let (text, meaning) = (reply.text(), reply.meaning());
                    let why = format!("{text}\n   ({meaning})");
                    refused.push((address.text(), why));
                }
            }
        }
        Outcome { accepted, refused, words: String::new() }
    }

    /// Why nobody gets it.
    pub fn all_refused(&self) -> String {
        let lines = self.refused.iter();
        let lines = lines.map(|(address, why)| format!("{address}: {why}"));
        let lines: Vec<String> = lines.collect();
        format!("no recipient was accepted\n{}", lines.join("\n"))
    }
}

/// Is the message out, and not answered yet?
static ON_THE_WAY: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C leaves it open what became of the message, and the
/// user is told so.
pub fn on_the_way() {
    ON_THE_WAY.store(true, Ordering::Relaxed);
    // Without a handler Ctrl-C ends the program as before, without a word.
    let _ = signals::on_signal(|| {
        if ON_THE_WAY.load(Ordering::Relaxed) {
            warn!(
                "Error: unknown: stopped before the dot was answered. The \
                 message may or may not have been delivered. Sent again, it \
                 may arrive twice."
            );
        }
        process::exit(130);
    });
}

/// The dot has its answer, or will never have one.
pub fn answered() {
    ON_THE_WAY.store(false, Ordering::Relaxed);
}

/// Prints it. An error is exit status 1.
pub fn tell(
    letter: &Letter,
    outcome: std::result::Result<Outcome, Stop>,
) -> Result<()> {
    let total = letter.recipients().len();
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(Stop::Refused(why) | Stop::Broken(why)) => {
            return Err(Error::other(format!("not sent: {why}")));
        }
        Err(Stop::Unknown(why)) => {
            return Err(Error::other(format!(
                "unknown: {why}\nThe whole message was out by then: it may \
                 or may not have been delivered. Sent again, it may arrive \
                 twice."
            )));
        }
    };
    let Outcome { accepted, refused, words } = outcome;
    let names = console::escape_short(accepted.join(", ").as_bytes(), 1000);
    let text = format!(
        "sent to {} of {total}: {names}\n\
         \x20  (the server answers for it now: {words})\n",
        accepted.len()
    );
    if console::print_bytes(text.as_bytes()).is_err() || console::is_closed() {
        let what = "it was sent, but stdout cannot be written to";
        return Err(Error::other(what));
    }
    if refused.is_empty() {
        return Ok(());
    }
    for (address, why) in &refused {
        warn!("NOT sent to {address}: {why}");
    }
    let count = refused.len();
    Err(Error::other(format!("{count} of {total} recipients refused")))
}
