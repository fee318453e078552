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

use crate::smtp::address::Address;
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// The longest path with its brackets, in bytes.
const LONGEST_PATH: usize = 256;

/// The verb of a line, if the sink knows it, and what follows its space.
pub fn split(line: &str) -> (Option<Verb>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let verb: Option<Verb> = word.parse().ok();
    // These two are moments, not commands.
    let verb = verb.filter(|v| !matches!(v, Verb::Greeting | Verb::Dot));
    (verb, rest.trim())
}

/// Which of the two commands a path belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `MAIL FROM:<…>`.
    From,
    /// `RCPT TO:<…>`.
    To,
}

/// What follows `MAIL` or `RCPT`.
#[derive(Debug)]
pub struct Path<'a> {
    /// Without the brackets; empty in `<>`, the sender of bounces.
    pub address: String,
    /// `SIZE=512`, `SMTPUTF8`: name and value.
    pub parameters: Vec<(&'a str, Option<&'a str>)>,
}

/// Takes `FROM:<address> parameters` apart.
pub fn path(side: Side, text: &str) -> Result<Path<'_>, Reply> {
    let (word, code) = match side {
        Side::From => ("FROM", "5.1.7"),
        Side::To => ("TO", "5.1.3"),
    };
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
    // accept it.
    let Some(rest) = rest.trim_start().strip_prefix('<') else {
        return Err(wrong("the address stands in angle brackets"));
    };
    let Some((inside, rest)) = close_bracket(rest) else {
        return Err(wrong("the bracket > is missing"));
    };
    if inside.len() > LONGEST_PATH - 2 {
        return Err(reply!(501, "5.1.7 path too long: 256 octets at most"));
    }
    // <@relay,@other:user@domain>: a route of the old days, to be accepted
    // and ignored.
    let address = match inside.starts_with('@') {
        true => inside.split_once(':').map_or("", |(_, address)| address),
        false => inside,
    };
    // `postmaster` alone is the one whom every domain has. Whether it may be
    // empty is for the command to say.
    if !address.is_empty() && !address.eq_ignore_ascii_case("postmaster") {
        Address::parse(address).map_err(|why| reply!(501, "{code} {why}"))?;
    }
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

/// Is this a name that a client may give itself with EHLO? It goes into the
/// message's header, so it must be one harmless word.
pub fn is_host_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_graphic() && !b"()<>@,;\\\"".contains(&byte)
        })
}

/// The parameters of MAIL that the sink knows.
#[derive(Default)]
pub struct Parameters {
    /// SMTPUTF8: are there addresses or headers beyond ASCII?
    pub utf8: bool,
    size: Option<u64>,
    body: bool,
    auth: bool,
}

impl Parameters {
    /// Reads them: each at most once, and none that is unknown. `limit` is
    /// the largest message in bytes, `auth` whether the client has logged in.
    pub fn read(
        path: &Path<'_>,
        limit: u64,
        auth: bool,
    ) -> Result<Parameters, Reply> {
        let mut found = Parameters::default();
        for (name, value) in &path.parameters {
            let upper = name.to_ascii_uppercase();
            let seen = match (upper.as_str(), value) {
                ("SIZE", Some(value)) => {
                    let digits = value.bytes().all(|b| b.is_ascii_digit());
                    let size = value.parse().ok().filter(|_| digits);
                    let size =
                        size.ok_or(reply!(501, "5.5.4 SIZE: bytes, please"))?;
                    found.size.replace(size).is_some()
                }
                ("BODY", Some(value)) => {
                    let value = value.to_ascii_uppercase();
                    if !["7BIT", "8BITMIME"].contains(&value.as_str()) {
                        return Err(reply!(501, "5.5.4 BODY: 7BIT, 8BITMIME"));
                    }
                    std::mem::replace(&mut found.body, true)
                }
                ("SMTPUTF8", None) => std::mem::replace(&mut found.utf8, true),
                ("AUTH", Some(_)) if auth => {
                    std::mem::replace(&mut found.auth, true)
                }
                _ => return Err(reply!(555, "5.5.4 unknown parameter")),
            };
            if seen {
                return Err(reply!(501, "5.5.4 {upper} twice"));
            }
        }
        match found.size.is_some_and(|size| size > limit) {
            true => Err(reply!(552, "5.3.4 too big: {limit} bytes at most")),
            false => Ok(found),
        }
    }
}
