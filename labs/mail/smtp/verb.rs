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

/// Each verb with its word, in small letters as it is typed after `--fail`.
pub const VERBS: [(Verb, &str); 14] = [
    (Greeting, "greeting"),
    (Ehlo, "ehlo"),
    (Helo, "helo"),
    (StartTls, "starttls"),
    (Auth, "auth"),
    (Mail, "mail"),
    (Rcpt, "rcpt"),
    (Data, "data"),
    (Dot, "dot"),
    (Rset, "rset"),
    (Noop, "noop"),
    (Vrfy, "vrfy"),
    (Help, "help"),
    (Quit, "quit"),
];

impl FromStr for Verb {
    type Err = ();

    fn from_str(word: &str) -> Result<Verb, ()> {
        let same = |(_, name): &&(Verb, &str)| name.eq_ignore_ascii_case(word);
        VERBS.iter().find(same).map(|(verb, _)| *verb).ok_or(())
    }
}

impl Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = VERBS.iter().find(|(verb, _)| verb == self);
        f.write_str(found.map_or("", |(_, name)| name))
    }
}
