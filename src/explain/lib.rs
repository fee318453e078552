//! What error names and states mean: errno names, getaddrinfo's EAI_*, the
//! eleven states of a TCP connection, SMTP and HTTP codes.          [X-ERR]
//!
//! ```
//! // `socketlab explain ECONNREFUSED` looks a name or a number up.
//! let entry = explain::find("ECONNREFUSED")[0];
//! assert_eq!(entry.title, "Connection refused");
//!
//! // An error line needs the name of an errno, and one sentence.
//! let number = entry.number.expect("an errno has a number");
//! assert_eq!(explain::errno(number).map(|e| e.name), Some("ECONNREFUSED"));
//! assert!(explain::hint("connect", number).contains("Start the server"));
//! ```
//!
//! The texts are data, one `Entry` each, in these files: setup.rs (socket,
//! bind, listen), peer.rs (reaching and losing the peer), limits.rs (timeouts,
//! limits, files), names.rs (host names), states.rs (what ss shows), smtp.rs
//! and http.rs (replies of mail and web servers). hints.rs has the short form
//! for error lines.
//!
//! A text says what Linux does. Numbers come from the platform, because
//! ECONNREFUSED is 111 on Linux, 61 on macOS and 10061 on Windows.

use std::io::{self, Write};

mod hints;
mod http;
mod limits;
mod names;
mod peer;
mod setup;
pub mod smtp;
mod states;
#[cfg(test)]
mod tests;

/// Columns that `print` keeps within.
const WIDTH: usize = 78;

/// `nearest` returns at most this many suggestions.
const SUGGESTIONS: usize = 4;

/// One name and its explanation.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name as C and Python spell it: `ECONNREFUSED`, `TIME_WAIT`.
    pub name: &'static str,
    /// Other spellings of the same thing: `EWOULDBLOCK`, `ESTAB`.
    pub aliases: &'static [&'static str],
    /// The number on this platform. A TCP state has none.
    pub number: Option<i32>,
    /// The system's short text, as strerror() returns it.
    pub title: &'static str,
    /// The calls that return it, or the end that is in this state.
    pub seen_in: &'static str,
    /// One to three sentences: what has happened.
    pub meaning: &'static str,
    /// Why, most likely first; phrases without a full stop.
    pub causes: &'static [&'static str],
    /// Commands to type; a remark follows two spaces and `#`.
    pub check: &'static [&'static str],
}

/// The number of an errno on this platform; `unix` marks those that Windows
/// does not have.
macro_rules! number {
    (unix $name:ident) => {{
        #[cfg(unix)]
        {
            Some(rustix::io::Errno::$name.raw_os_error())
        }
        #[cfg(not(unix))]
        {
            None
        }
    }};
    ($name:ident) => {
        Some(rustix::io::Errno::$name.raw_os_error())
    };
}
use number;

/// The entry of a mail or web server's code. Its `number` is empty, because
/// that field is for errnos.
const fn reply(
    name: &'static str,
    alias: &'static [&'static str],
    title: &'static str,
    seen_in: &'static str,
    meaning: &'static str,
    causes: &'static [&'static str],
    check: &'static [&'static str],
) -> Entry {
    let number = None;
    Entry {
        name,
        aliases: alias,
        number,
        title,
        seen_in,
        meaning,
        causes,
        check,
    }
}

/// Every entry, in the order of the files.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        setup::ENTRIES,
        peer::ENTRIES,
        limits::ENTRIES,
        names::ENTRIES,
        states::ENTRIES,
        smtp::ENTRIES,
        http::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// The entries a word may mean; none if the word is unknown.
///
/// Takes names in either case and with `-` or `_` (`SYN-SENT`), Windows'
/// names (`WSAECONNREFUSED`), Python's (`ConnectionRefusedError`), numbers
/// (`111`, `[Errno 111]`, `(os error 111)`), and the system's own words
/// (`Connection refused`), and codes (`550` of a mail server, `404` of a web
/// server; both for `503`).
pub fn find(word: &str) -> Vec<&'static Entry> {
    if smtp::enhanced(word.trim()).is_some() {
        return Vec::new(); // 4.2.1 is not 421: smtp::enhanced() has its words
    }
    if let Some(number) = number_in(word) {
        let same = all().filter(|e| e.number == Some(number));
        let found: Vec<_> = same.collect();
        if !found.is_empty() {
            return found;
        } // 550 is not an errno, but the alias of a server's code
    }
    let wanted = key(word);
    all().filter(|e| keys(e).any(|k| k == wanted)).collect()
}

/// The entry of an errno of this platform.
pub fn errno(number: i32) -> Option<&'static Entry> {
    all().find(|e| number > 0 && e.number == Some(number))
}

/// What an error line adds after the errno's name: what it means for this
/// system call, and what to try. One or two sentences.
///
/// `call` is the handouts' name (`connect`, `recvfrom`), or `spawn` for a
/// thread, or `getaddrinfo`, whose numbers are negative.
pub fn hint(call: &str, number: i32) -> String {
    let call = call.split('(').next().unwrap_or(call).trim();
    let Some(entry) = all().find(|e| e.number == Some(number)) else {
        return format!(
            "This program has no text about error {number}; \
             the manual page errno(3) lists all errors."
        );
    };
    if let Some(text) = hints::text(call, entry.name) {
        return text.to_string();
    }
    let cause = entry.causes.first().copied().unwrap_or(entry.title);
    match entry.check.first().and_then(|c| c.split("  #").next()) {
        Some(c) => format!("Most likely: {cause}. Check with `{c}`."),
        None => format!("Most likely: {cause}."),
    }
}

/// Names that resemble an unknown word, the closest first; may be empty.
pub fn nearest(word: &str) -> Vec<&'static str> {
    let wanted: String = key(word).chars().take(40).collect();
    if wanted.len() < 2 {
        return Vec::new();
    }
    let mut found: Vec<(usize, &'static str)> = all()
        .filter_map(|e| {
            let score = keys(e).map(|k| distance(&wanted, &k)).min()?;
            let near = score <= (wanted.len() / 3).max(1);
            let part = wanted.len() > 2 && key(e.name).contains(&wanted);
            (near || part).then_some((score, e.name))
        })
        .collect();
    found.sort_by_key(|(score, _)| *score);
    let names = found.into_iter().map(|(_, name)| name);
    names.take(SUGGESTIONS).collect()
}

/// Writes an entry for a terminal: plain lines of at most 78 columns.
pub fn print(entry: &Entry, out: &mut impl Write) -> io::Result<()> {
    match entry.number {
        Some(n) => writeln!(out, "{} ({n}): {}", entry.name, entry.title)?,
        None => writeln!(out, "{}: {}", entry.name, entry.title)?,
    }
    if !entry.aliases.is_empty() {
        let spellings = entry.aliases.join(", ");
        wrap(out, "Also written: ", &spellings)?;
    }
    wrap(out, "Where: ", entry.seen_in)?;
    writeln!(out)?;
    wrap(out, "", entry.meaning)?;
    writeln!(out)?;
    writeln!(out, "Likely causes, the most likely first:")?;
    for (i, cause) in entry.causes.iter().enumerate() {
        wrap(out, &format!("  {}. ", i + 1), cause)?;
    }
    writeln!(out, "To check:")?;
    for command in entry.check {
        writeln!(out, "  {command}")?;
    }
    Ok(())
}

/// Writes `first` and the text; further lines are indented as far.
fn wrap(out: &mut impl Write, first: &str, text: &str) -> io::Result<()> {
    let indent = " ".repeat(first.len());
    let mut line = first.to_string();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.len() + 1 + word.len() > WIDTH {
            writeln!(out, "{line}")?;
            line.clone_from(&indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(out, "{line}")
}

/// All spellings of an entry, as `key` makes them.
fn keys(entry: &Entry) -> impl Iterator<Item = String> {
    let names = [entry.name, entry.title].into_iter();
    names.chain(entry.aliases.iter().copied()).map(key)
}

/// A word in upper case without spaces, punctuation, Windows' WSA and Python's
/// final Error. So `time-wait` and `TIME_WAIT` become the same.
fn key(word: &str) -> String {
    let mut key: String = word
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if key.starts_with("WSAE") {
        key.drain(..3);
    }
    if key.ends_with("ERROR") {
        key.truncate(key.len() - "ERROR".len());
    }
    key
}

/// The number of `111`, `-2`, `[Errno 111]` or `… (os error 111)`.
fn number_in(word: &str) -> Option<i32> {
    let lower = word.trim().to_ascii_lowercase();
    let after = ["os error ", "errno "]
        .into_iter()
        .find_map(|mark| lower.split_once(mark))
        .map_or(lower.as_str(), |(_, rest)| rest);
    if after.len() == lower.len() {
        return lower.parse().ok();
    }
    let end = after
        .find(|c: char| !c.is_ascii_digit() && c != '-')
        .unwrap_or(after.len());
    after[..end].parse().ok()
}

/// How many letters to insert, drop or change to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let to = to.as_bytes();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
