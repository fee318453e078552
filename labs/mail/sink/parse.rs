//! A command line of SMTP, taken apart: verb, path, parameters. RFC 5321,
//! section 4.1. What is not of this form is refused with the reason.
//!
//! ```text
//! MAIL FROM:<alice@example.org> SIZE=512 BODY=8BITMIME
//! `verb'     `-- path --------' `-- parameters ------'
//! ```

use crate::smtp::address::{Address, find_unquoted};
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

/// What follows `MAIL` or `RCPT`.
#[derive(Debug)]
pub struct Path<'a> {
    /// Without the brackets; empty in `<>`, the sender of bounces.
    pub address: String,
    /// `SIZE=512`, `SMTPUTF8`: name and value.
    pub parameters: Vec<(&'a str, Option<&'a str>)>,
}

/// Takes `FROM:<address> parameters` apart, or `TO:…` of RCPT.
pub fn path(verb: Verb, text: &str) -> Result<Path<'_>, Reply> {
    let (word, code) = match verb {
        Verb::Rcpt => ("TO", "5.1.3"),
        _ => ("FROM", "5.1.7"),
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
    let Some(end) = find_unquoted(rest, '>') else {
        return Err(wrong("the bracket > is missing"));
    };
    let inside = rest.get(..end).unwrap_or_default();
    let rest = rest.get(end + 1..).unwrap_or_default();
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

/// Reads the parameters of MAIL: each at most once, and none that is unknown.
/// `limit` is the largest message in bytes, `known` whether the client has
/// logged in. Returns whether SMTPUTF8 is among them.
pub fn parameters(
    path: &Path<'_>,
    limit: u64,
    known: bool,
) -> Result<bool, Reply> {
    let mut seen = Vec::new();
    for (name, value) in &path.parameters {
        let name = name.to_ascii_uppercase();
        match (name.as_str(), value.map(str::to_ascii_uppercase)) {
            ("SIZE", Some(size)) => {
                let digits = size.bytes().all(|b| b.is_ascii_digit());
                let size: Option<u64> = size.parse().ok();
                let size = size.filter(|_| digits);
                let wrong = reply!(501, "5.5.4 SIZE: bytes, please");
                if size.ok_or(wrong)? > limit {
                    let what = format!("{limit} bytes at most");
                    return Err(reply!(552, "5.3.4 too big: {what}"));
                }
            }
            ("BODY", Some(body)) => {
                if !["7BIT", "8BITMIME"].contains(&body.as_str()) {
                    return Err(reply!(501, "5.5.4 BODY: 7BIT, 8BITMIME"));
                }
            }
            ("SMTPUTF8", None) => {}
            ("AUTH", Some(_)) if known => {}
            _ => return Err(reply!(555, "5.5.4 unknown parameter")),
        }
        if seen.contains(&name) {
            return Err(reply!(501, "5.5.4 {name} twice"));
        }
        seen.push(name);
    }
    Ok(seen.iter().any(|name| name == "SMTPUTF8"))
}
