//! The result: what the client prints at the end, and its exit status. It
//! says "sent" only after the 250 for the dot.             (viva 4) [W-T4a]
//!
//! ```text
//! sent        250 for the dot, all recipients accepted      status 0
//! in part     250 for the dot, but some RCPT was refused    status 1
//! not sent    refused, or disconnected before the dot       status 1
//! unknown     the dot was sent, but no reply came           status 1
//! ```

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use socketlab::{Error, Result, console, secret, signals, warn};

use super::message::Letter;
use crate::smtp::reply::Reply;

/// Why a dialogue ended without a 250 for the dot.
#[derive(Debug)]
pub enum Failure {
    /// The server refused, or the client stopped. The connection is still
    /// there, so the client says QUIT.
    Refused(String),
    /// The connection is lost, and nothing was delivered.
    Broken(String),
    /// The complete message was sent, but no reply came.
    Unknown(String),
}

impl Failure {
    /// A reply other than the expected one.
    pub fn refused(verb: &str, reply: &Reply) -> Failure {
        let why = format!("the reply to {verb} was {}", reply.explained());
        match reply.code {
            421 => Failure::Broken(why), // the server closes after it
            _ => Failure::Refused(why),
        }
    }

    /// The reason, for the user.
    pub fn why(&self) -> &str {
        match self {
            Failure::Refused(why)
            | Failure::Broken(why)
            | Failure::Unknown(why) => why,
        }
    }
}

/// The client itself has decided to stop.
impl From<String> for Failure {
    fn from(why: String) -> Failure {
        Failure::Refused(why)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Broken(error.to_string())
    }
}

/// What a step of the dialogue returns.
pub type Step<T> = std::result::Result<T, Failure>;

/// The recipients for whom the server has accepted the message.
pub struct Delivery {
    /// Accepted recipients.
    pub accepted: Vec<String>,
    /// The others, each with the server's reply and its meaning.
    pub refused: Vec<(String, String)>,
    /// The server's reply to the dot.
    pub words: String,
}

impl Delivery {
    /// Sorts the recipients by their replies to RCPT, which are in the same
    /// order.
    pub fn of(letter: &Letter, replies: &[Reply]) -> Delivery {
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (address, reply) in letter.recipients().iter().zip(replies) {
            match reply.code / 100 {
                2 => accepted.push(address.text()),
                _ => refused.push((address.text(), reply.explained())),
            }
        }
        Delivery { accepted, refused, words: String::new() }
    }

    /// The error text if the server has refused all recipients.
    pub fn all_refused(&self) -> String {
        let mut text = "no recipient was accepted".to_string();
        for (address, why) in &self.refused {
            text.push_str(&format!("\n{address}: {why}"));
        }
        text
    }
}

const MAYBE: &str = "may or may not have been delivered. If you send it \
                     again, it may arrive twice.";

/// Is the message being sent, or waiting for its reply?
static ON_THE_WAY: AtomicBool = AtomicBool::new(false);

/// From here on the program reacts to Ctrl-C and `kill`: it makes the terminal
/// show typed characters again, and warns the user if the message may have
/// been delivered.
pub fn watch_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = signals::on_signal(|| {
            secret::restore_terminal();
            if ON_THE_WAY.load(Ordering::Relaxed) {
                let what = "the client was stopped before the dot's reply came";
                warn!("Error: unknown: {what}. The message {MAYBE}");
            }
            process::exit(130);
        });
    });
}

/// Notes whether the message is on its way. It is until the reply comes, or
/// until the client knows that none will come.
pub fn set_on_the_way(now: bool) {
    ON_THE_WAY.store(now, Ordering::Relaxed);
    watch_signals();
}

/// Prints the result. An error means exit status 1.
pub fn report(letter: &Letter, outcome: Step<Delivery>) -> Result<()> {
    let total = letter.recipients().len();
    let Delivery { accepted, refused, words } = match outcome {
        Ok(delivery) => delivery,
        Err(Failure::Refused(why) | Failure::Broken(why)) => {
            return Err(Error::other(format!("not sent: {why}")));
        }
        Err(Failure::Unknown(why)) => {
            let what = "The complete message had been sent: it";
            let text = format!("unknown: {why}\n{what} {MAYBE}");
            return Err(Error::other(text));
        }
    };
    let names = console::escape_short(accepted.join(", ").as_bytes(), 1000);
    let text = format!(
        "sent to {} of {total}: {names}\n\
         \x20  (the server is responsible for it now: {words})\n",
        accepted.len()
    );
    if console::print_bytes(text.as_bytes()).is_err() || console::is_closed() {
        let what = "the message was sent, but stdout cannot be written to";
        return Err(Error::other(what));
    }
    if refused.is_empty() {
        return Ok(());
    }
    for (address, why) in &refused {
        warn!("NOT sent to {address}: {why}");
    }
    let count = refused.len();
    Err(Error::other(format!("{count} of {total} recipients were refused")))
}
