//! The commands of SMTP by name, as both ends use them: the client to say
//! which reply it waits for, the sink to find what a line asks for.

use std::fmt::{self, Display};
use std::str::FromStr;

/// A command, or a moment of the dialogue that has no command of its own:
/// the greeting before the first one, the dot after the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// The server's first reply.
    Greeting,
    /// The client's name, and a question for the extensions.
    Ehlo,
    /// The client's name, as in 1982.
    Helo,
    /// TLS begins after the reply.
    StartTls,
    /// The log-in.
    Auth,
    /// The envelope's sender.
    Mail,
    /// One recipient of the envelope.
    Rcpt,
    /// The message may come.
    Data,
    /// The line that ends the message.
    Dot,
    /// Forget the envelope.
    Rset,
    /// Nothing: is the server still there?
    Noop,
    /// Does this mailbox exist?
    Vrfy,
    /// Which commands are there?
    Help,
    /// The end.
    Quit,
}

use Verb::*;

/// All of them, in the order of a dialogue.
pub const VERBS: [Verb; 14] = [
    Greeting, Ehlo, Helo, StartTls, Auth, Mail, Rcpt, Data, Dot, Rset, Noop,
    Vrfy, Help, Quit,
];

/// The verb of a word, in small or capital letters.
impl FromStr for Verb {
    type Err = ();

    fn from_str(word: &str) -> Result<Verb, ()> {
        let named = |verb: &Verb| verb.to_string().eq_ignore_ascii_case(word);
        VERBS.into_iter().find(named).ok_or(())
    }
}

/// Its word in small letters, as it is typed after `--fail`.
impl Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}
