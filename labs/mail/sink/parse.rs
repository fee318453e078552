//! Parses a command line of SMTP into verb, path and parameters (RFC 5321,
//! section 4.1). A line of another form is refused with the reason.
//!
//! ```text
//! MAIL FROM:<alice@example.org> SIZE=512 BODY=8BITMIME
//! `verb'     `-- path --------' `-- parameters ------'
//! ```

use crate::smtp::address::{Address, find_unquoted};
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// The longest path in bytes, including its brackets.
const LONGEST_PATH: usize = 256;

/// The verb of a line, if the sink knows it, and the text after the space.
pub fn split(line: &str) -> (Option<Verb>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let verb: Option<Verb> = word.parse().ok();
    // These two are moments of the dialogue, not commands.
    let verb = verb.filter(|v| !matches!(v, Verb::Greeting | Verb::Dot));
    (verb, rest.trim())
}

/// The rest of a `MAIL` or `RCPT` line.
#[derive(Debug)]
pub struct Path<'a> {
    /// Without the brackets. It is empty for `<>`, the sender of bounces.
    pub address: String,
    /// `SIZE=512`, `SMTPUTF8`: name and value.
    pub parameters: Vec<(&'a str, Option<&'a str>)>,
}

/// Parses `FROM:<address> parameters`, or `TO:…` of RCPT.
pub fn path(verb: Verb, text: &str) -> Result<Path<'_>, Reply> {
    let (word, code) = match verb {
        Verb::Rcpt => ("TO", "5.1.3"),
        _ => ("FROM", "5.1.7"),
    };
    let wrong = |why: &str| reply!(501, "5.5.4 {why}: {word}:<user@domain>");
    let begins = text.get(..word.len());
    let rest = match begins.is_some_and(|w| w.eq_ignore_ascii_case(word)) {
        true => text.get(word.len()..).unwrap_or_default().trim_start(),
        false => return Err(wrong("the form is wrong")),
    };
    let Some(rest) = rest.strip_prefix(':') else {
        return Err(wrong("the colon is missing"));
    };
    // The RFC allows no space here, but many clients send one, so all servers
    // accept it.
    let Some(rest) = rest.trim_start().strip_prefix('<') else {
        return Err(wrong("the bracket < is missing"));
    };
    let Some(end) = find_unquoted(rest, '>') else {
        return Err(wrong("the bracket > is missing"));
    };
    let inside = rest.get(..end).unwrap_or_default();
    let rest = rest.get(end + 1..).unwrap_or_default();
    if inside.len() > LONGEST_PATH - 2 {
        return Err(reply!(501, "5.1.7 path too long: 256 bytes at most"));
    }
    // <@relay,@other:user@domain> contains a route. It is obsolete: a server
    // must accept and ignore it.
    let address = match inside.starts_with('@') {
        true => inside.split_once(':').map_or("", |(_, address)| address),
        false => inside,
    };
    // `postmaster` without a domain is allowed, because every server has this
    // mailbox. MAIL allows an empty address, RCPT does not.
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

/// Checks the parameters of MAIL: each may come once, and unknown ones are
/// refused. `limit` is the largest message in bytes, `known` is true after a
/// log-in. Returns whether SMTPUTF8 is among them.
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
                let wrong = reply!(501, "5.5.4 SIZE must be a number");
                if size.ok_or(wrong)? > limit {
                    let what = format!("{limit} bytes at most");
                    return Err(reply!(
                        552,
                        "5.3.4 the message is too big: {what}"
                    ));
                }
            }
            ("BODY", Some(body)) => {
                if !["7BIT", "8BITMIME"].contains(&body.as_str()) {
                    return Err(reply!(501, "5.5.4 BODY: 7BIT or 8BITMIME"));
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
