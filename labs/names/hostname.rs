//! Checks the host's name on the command line: what kind of word it is, what
//! the resolver gets instead of it, and what the user should know about it.
//!
//! ```text
//! localhost   127.0.0.1   ::1        unchanged
//! [::1]       münchen.de             in another spelling
//! <broadcast>  ""                    only in Python          [T-V4]
//! http://…    host:80                refused: more than a host
//! ```
//!
//! These are the values in the row "hostname" of the handout's table. Names
//! belong to hosts, but addresses belong to interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The checked word.
#[derive(Debug, PartialEq, Eq)]
pub struct HostWord {
    /// The name or address for the resolver.
    pub ask: String,
    /// What the user should know about it.
    pub notes: Vec<String>,
}

/// Checks the word. The error says why it is not a host.
pub fn read(word: &str) -> Result<HostWord, String> {
    refuse_urls(word)?;
    let (mut ask, mut notes) = (word.to_string(), Vec::new());
    if word == "<broadcast>" {
        ask = Ipv4Addr::BROADCAST.to_string();
        notes.push(
            "'<broadcast>' exists only in Python's socket module. It means \
             INADDR_BROADCAST, all machines on this network. sendto() to it \
             needs SO_BROADCAST, and TCP cannot use it"
                .into(),
        );
    }
    let inner = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = inner {
        ask = inner.to_string();
        notes.push(
            "the brackets belong to URLs, where they separate the colons of \
             IPv6 from that of the port. The resolver gets no brackets"
                .into(),
        );
    }
    if !word.is_ascii() {
        ask = idna::domain_to_ascii(word)
            .map_err(|_| "no valid international name (IDNA)".to_string())?;
        notes.push(format!(
            "DNS names are ASCII, so the resolver gets '{ask}' (IDNA). A name \
             with similar letters may be another name"
        ));
    }
    if !ask.contains(':') {
        notes.extend(notes_on_labels(&ask));
    }
    Ok(HostWord { ask, notes })
}

/// Refuses a URL and `host:80`, because they contain more than a host.
fn refuse_urls(word: &str) -> Result<(), String> {
    if let Some((_, rest)) = word.split_once("://") {
        let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
        return Err(format!(
            "this is a URL, but a resolver needs a host. Use the host in it: \
             names {host} http"
        ));
    }
    let Some((host, port)) = word.split_once(':') else { return Ok(()) };
    let is_port = port.parse::<u128>().is_ok() && !port.starts_with('+');
    if !is_port || host.is_empty() || word.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    Err(format!("write host and port separately: names {host} {port}"))
}

/// Notes about the labels of a name, which are the parts between its dots.
fn notes_on_labels(name: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let relative = name.strip_suffix('.').unwrap_or(name);
    if relative.len() < name.len() {
        notes.push(
            "the dot at the end means that the name is complete, so the \
             resolver adds no search domain. /etc/hosts has no names with a \
             dot at the end"
                .into(),
        );
    }
    if relative.split('.').any(str::is_empty) && !name.is_empty() {
        notes.push(
            "a name with two dots in a row, or with a dot at the start, has \
             an empty label: DNS has no such names"
                .into(),
        );
    }
    notes
}

/// If C's resolver has read the word as a number: explains the old spelling.
pub fn old_spelling(word: &str, found: Ipv4Addr) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let numeric = |c: char| c.is_ascii_hexdigit() || c == '.' || c == 'x';
    let is_number = lower.starts_with(|c: char| c.is_ascii_digit())
        && lower.chars().all(numeric)
        && word.parse::<Ipv4Addr>().is_err();
    let [a, b, c, d] = found.octets();
    is_number.then(|| match lower.contains(['.', 'x']) {
        true => format!(
            "this is an old spelling of C (inet_aton): fewer than four \
             numbers, or octal 0177, or hexadecimal 0x7f. It means {found}"
        ),
        false => format!(
            "this is an integer, as in the handout's table: {a}·2^24 + \
             {b}·2^16 + {c}·2^8 + {d}. Python accepts it only as text; an int \
             is a TypeError"
        ),
    })
}

/// A hint for the user if the resolver has found no such host.
pub fn hint(word: &str) -> Option<String> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let hint = match (word.contains(':'), word.contains('%')) {
        (true, true) => {
            "The text after % is the zone, an interface of this machine: \
             see `ip link` or `ifconfig`. Only link-local addresses \
             (fe80::…) need one"
        }
        (false, true) => "Only IPv6 addresses can have a zone after %",
        (true, false) => {
            "It has colons but is not an IPv6 address: eight groups of up to \
             four hexadecimal digits, where one :: replaces groups of zeros"
        }
        _ if word.is_empty() || !word.chars().all(digits) => return None,
        _ if !word.contains('.') => {
            "An IPv4 address as an integer has 32 bits, 0 to 4294967295, but \
             this number is larger"
        }
        _ => "It is not an IPv4 address, which has four numbers from 0 to 255",
    };
    Some(hint.into())
}
