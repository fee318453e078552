//! What became of the message: the client's last words, and its exit status.
//! It says "sent" only after the 250 for the dot.          (viva 4) [W-T4a]
//!
//! ```text
//! sent        250 for the dot, for everybody              status 0
//! in part     the same, but some RCPT was refused         status 1
//! not sent    refused, or broken before the dot was out   status 1
//! unknown     the dot was out, and no reply came          status 1
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
    /// The server or the client refused: the client still sends QUIT.
    Refused(String),
    /// The connection is lost, and nothing was delivered.
    Broken(String),
    /// The message was out, and no reply came.
    Unknown(String),
}

impl Failure {
    /// A reply other than the expected one.
    pub fn refused(verb: &str, reply: &Reply) -> Failure {
        let why = format!("{verb} was answered with {}", reply.explained());
        match reply.code {
            421 => Failure::Broken(why), // it closes by itself
            _ => Failure::Refused(why),
        }
    }

    /// The text for the last line.
    pub fn why(&self) -> &str {
        match self {
            Failure::Refused(why)
            | Failure::Broken(why)
            | Failure::Unknown(why) => why,
        }
    }
}

/// A decision of ours to stop.
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
    /// The others, each with the server's words and what they mean.
    pub refused: Vec<(String, String)>,
    /// The server's reply to the dot.
    pub words: String,
}

impl Delivery {
    /// From the replies to RCPT, in the order of the recipients.
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

    /// Why nobody gets it.
    pub fn all_refused(&self) -> String {
        let mut text = "no recipient was accepted".to_string();
        for (address, why) in &self.refused {
            text.push_str(&format!("\n{address}: {why}"));
        }
        text
    }
}

const MAYBE: &str = "may or may not have been delivered. Sent again, it may \
                     arrive twice.";

/// Is the message out, and not answered yet?
static ON_THE_WAY: AtomicBool = AtomicBool::new(false);

/// From here on a signal (Ctrl-C, `kill`) ends the program with what there is
/// to say: the terminal shows again what is typed, and the user learns that
/// the message may have been delivered.
pub fn watch_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = signals::on_signal(|| {
            secret::restore_terminal();
            if ON_THE_WAY.load(Ordering::Relaxed) {
                let what = "stopped before the dot was answered";
                warn!("Error: unknown: {what}. The message {MAYBE}");
            }
            process::exit(130);
        });
    });
}

/// Is the message on its way from now on? Its reply, or the certainty that
/// none will come, ends that.
pub fn set_on_the_way(now: bool) {
    ON_THE_WAY.store(now, Ordering::Relaxed);
    watch_signals();
}

/// Prints what became of the message. An error is exit status 1.
pub fn report(letter: &Letter, outcome: Step<Delivery>) -> Result<()> {
    let total = letter.recipients().len();
    let Delivery { accepted, refused, words } = match outcome {
        Ok(delivery) => delivery,
        Err(Failure::Refused(why) | Failure::Broken(why)) => {
            return Err(Error::other(format!("not sent: {why}")));
        }
        Err(Failure::Unknown(why)) => {
            let what = "The whole message was out by then: it";
            let text = format!("unknown: {why}\n{what} {MAYBE}");
            return Err(Error::other(text));
        }
    };
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
