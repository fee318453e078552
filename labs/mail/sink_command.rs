//! A command line of SMTP, taken apart: verb, path, parameters. RFC 5321,
//! section 4.1. Nothing here talks to anybody.
//!
//! ```text
//! MAIL FROM:<alice@example.org> SIZE=512 BODY=8BITMIME
//! `verb'     `-- path --------' `-- parameters ------'
//! ```
//!
//! What is not of this form is refused with a reply that says why: a client
//! that is told 501 "in angle brackets" is mended in a minute.

use std::fmt::{self, Display};
use std::str::FromStr;

/// The longest local part, domain, and path with its brackets, in bytes.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;
const PATH: usize = 256;

/// A command, or a moment that has no command of its own: `greeting` before
/// the first one, `dot` after the last line of the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Dot,
    Rset,
    Noop,
    Vrfy,
    Help,
    Quit,
}

use Verb::*;

/// Each with its word, small as it stands in `--fail`.
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

/// A reply: its code, and its text, of several lines if `\n` is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply(pub u16, pub String);

/// A reply with a fixed or formatted text.
macro_rules! reply {
    ($code:expr, $($text:tt)*) => {
        $crate::sink_command::Reply($code, format!($($text)*))
    };
}
pub(crate) use reply;

impl Reply {
    /// As it is sent: `250-` before every line but the last.
    pub fn lines(&self) -> Vec<String> {
        let Reply(code, text) = self;
        // Also one line where there is no text: "334 ".
        let last = text.split('\n').count().saturating_sub(1);
        let lines = text.split('\n').enumerate().map(|(index, line)| {
            let sign = if index < last { '-' } else { ' ' };
            format!("{code}{sign}{line}")
        });
        lines.collect()
    }
}

/// The verb of a line, if we know it, and what follows the space behind it.
pub fn split(line: &str) -> (Option<Verb>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let verb = word.parse().ok();
    // These two are moments, not commands.
    let verb = verb.filter(|verb| !matches!(verb, Greeting | Dot));
    (verb, rest.trim())
}

/// What follows `MAIL` or `RCPT`.
#[derive(Debug)]
pub struct Path<'a> {
    /// Without the brackets; empty in `<>`, the sender of bounces.
    pub address: String,
    /// `SIZE=512`, `SMTPUTF8`: name and value.
    pub parameters: Vec<(&'a str, Option<&'a str>)>,
}

/// Takes `FROM:<address> parameters` apart; `word` is `FROM` or `TO`.
pub fn path<'a>(word: &str, text: &'a str) -> Result<Path<'a>, Reply> {
    let wrong = |why: &str| reply!(501, "5.5.4 {word}:<user@domain>: {why}");
    let begins = text.get(..word.len());
    let rest = match begins.is_some_and(|w| w.eq_ignore_ascii_case(word)) {
        true => text.get(word.len()..).unwrap_or_default().trim_start(),
        false => return Err(wrong("that is the form")),
    };
    let Some(rest) = rest.strip_prefix(':') else {
        return Err(wrong("a colon is missing"));
    };
    // No space belongs here, but so many clients send one that all servers
    // let it pass.
    let Some(rest) = rest.trim_start().strip_prefix('<') else {
        return Err(wrong("the address stands in angle brackets"));
    };
    let Some((inside, rest)) = close_bracket(rest) else {
        return Err(wrong("the bracket > is missing"));
    };
    if inside.len() > PATH - 2 {
        return Err(reply!(501, "5.1.7 path too long: 256 octets at most"));
    }
    // <@relay,@other:user@domain>: routes are a thing of the past, to be
    // accepted and ignored.
    let address = match inside.starts_with('@') {
        true => inside.split_once(':').map_or("", |(_, address)| address),
        false => inside,
    };
    check_address(address).map_err(|why| {
        let code = if word == "FROM" { "5.1.7" } else { "5.1.3" };
        reply!(501, "{code} {why}")
    })?;
    let words = rest.split(' ').filter(|word| !word.is_empty());
    let parameters = words.map(|word| match word.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (word, None),
    });
    let address = address.to_string();
    Ok(Path { address, parameters: parameters.collect() })
}

/// Splits at the `>` that is not inside quotes.
fn close_bracket(text: &str) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                return Some((text.get(..at)?, text.get(at + 1..)?));
            }
            _ => {}
        }
    }
    None
}

/// Is this `user@domain`, `"any thing"@domain`, `user@[192.0.2.1]`? Also
/// `postmaster` alone, whom every domain has. Letters of all scripts pass:
/// whether they may is a matter of SMTPUTF8.
pub fn check_address(address: &str) -> Result<(), &'static str> {
    if address.is_empty() || address.eq_ignore_ascii_case("postmaster") {
        return Ok(()); // who may be empty, the session knows
    }
    if address.chars().any(char::is_control) {
        return Err("control characters are in no address");
    }
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Err("user@domain: the @ is missing");
    };
    if local.len() > LOCAL {
        return Err("the part before @ is too long: 64 octets at most");
    }
    if domain.len() > DOMAIN {
        return Err("the domain is too long: 255 octets at most");
    }
    let inner = local.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
    let local_is_good = match inner {
        Some(inner) => is_quoted(inner),
        None => {
            let special = " \"(),:;<>@[\\]";
            local.split('.').all(|part| {
                !part.is_empty() && !part.contains(|c| special.contains(c))
            })
        }
    };
    if !local_is_good {
        return Err("the part before @ is no name; quotes may help");
    }
    match is_domain(domain) {
        true => Ok(()),
        false => Err("what follows @ is no domain"),
    }
}

/// Inside quotes everything goes, but a quote needs a backslash, and that
/// needs one as well.
fn is_quoted(inside: &str) -> bool {
    let mut escaped = false;
    for character in inside.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped
}

/// Letters, digits and hyphens between dots, or an address in brackets.
pub fn is_domain(domain: &str) -> bool {
    let literal = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    if let Some(inside) = literal {
        let address = inside.strip_prefix("IPv6:").unwrap_or(inside);
        return address.parse::<std::net::IpAddr>().is_ok();
    }
    domain.split('.').all(|label| {
        let good = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty()
            && label.chars().all(|c| !c.is_ascii() || good(c))
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}
