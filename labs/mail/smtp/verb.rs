//! The names of SMTP's commands. The client says with them which reply it
//! waits for, and the sink finds them in command lines.

use std::fmt::{self, Display};
use std::str::FromStr;

/// A command, or one of the two moments of the dialogue without a command:
/// the greeting at the start, and the dot after the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// The server's first reply.
    Greeting,
    /// The client's name; asks for the extensions.
    Ehlo,
    /// The client's name, without extensions, as in 1982.
    Helo,
    /// TLS starts after the reply.
    StartTls,
    /// The log-in.
    Auth,
    /// The envelope's sender.
    Mail,
    /// One recipient of the envelope.
    Rcpt,
    /// Asks whether the message may come.
    Data,
    /// The line that ends the message.
    Dot,
    /// Deletes the envelope.
    Rset,
    /// Does nothing, except that the server replies.
    Noop,
    /// Asks whether a mailbox exists.
    Vrfy,
    /// Asks for the list of commands.
    Help,
    /// Ends the session.
    Quit,
}

use Verb::*;

/// All verbs, in the order of a dialogue.
pub const VERBS: [Verb; 14] = [
    Greeting, Ehlo, Helo, StartTls, Auth, Mail, Rcpt, Data, Dot, Rset, Noop,
    Vrfy, Help, Quit,
];

/// Finds the verb for a word, in upper or lower case.
impl FromStr for Verb {
    type Err = ();

    fn from_str(word: &str) -> Result<Verb, ()> {
        let named = |verb: &Verb| verb.to_string().eq_ignore_ascii_case(word);
        VERBS.into_iter().find(named).ok_or(())
    }
}

/// The word in lower case, as the user types it after `--fail`.
impl Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}
