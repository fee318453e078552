//! The word in place of a host: what kind of word it is, what the resolver
//! is asked instead of it, and what to say of it.
//!
//! ```text
//! localhost   127.0.0.1   ::1        asked as they are
//! [::1]       münchen.de             asked in another spelling
//! <broadcast>  ""                    Python's own words      [T-V4]
//! http://…    host:80                not a host: refused
//! ```
//!
//! The row "hostname" of the handout's table: a name, a dotted quad, an IPv6
//! address, `<broadcast>`, an empty string, an integer. Names belong to
//! hosts; it is the addresses that belong to interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A word in place of a host, as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct HostWord {
    /// What to ask the resolver for.
    pub ask: String,
    /// What the reader should know about it.
    pub notes: Vec<String>,
}

/// Reads the word. The error is the reason why it is not a host at all.
pub fn read(word: &str) -> Result<HostWord, String> {
    refuse_urls(word)?;
    let (mut ask, mut notes) = (word.to_string(), Vec::new());
    if word == "<broadcast>" {
        ask = Ipv4Addr::BROADCAST.to_string();
        notes.push(
            "'<broadcast>' is a word of Python's socket module alone, for \
             INADDR_BROADCAST: everybody on this network. sendto() there \
             wants SO_BROADCAST, and TCP cannot"
                .into(),
        );
    }
    let inner = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = inner {
        ask = inner.to_string();
        notes.push(
            "the brackets belong to URLs, where they keep the colons of \
             IPv6 from that of the port; the resolver gets none"
                .into(),
        );
    }
    if !word.is_ascii() {
        ask = idna::domain_to_ascii(word)
            .map_err(|_| "no valid international name (IDNA)".to_string())?;
        notes.push(format!(
            "DNS carries ASCII: this name is asked for as '{ask}' (IDNA). \
             Other letters may look the same and be another name"
        ));
    }
    if !ask.contains(':') {
        notes.extend(notes_on_labels(&ask));
    }
    Ok(HostWord { ask, notes })
}

/// A URL, and `host:80`, hold a host and more than that.
fn refuse_urls(word: &str) -> Result<(), String> {
    if let Some((_, rest)) = word.split_once("://") {
        let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
        return Err(format!(
            "that is a URL, and a resolver knows hosts only. The host in it: \
             names {host} http"
        ));
    }
    let Some((host, port)) = word.split_once(':') else { return Ok(()) };
    let is_port = port.parse::<u128>().is_ok() && !port.starts_with('+');
    if !is_port || host.is_empty() || word.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    Err(format!("write host and port apart: names {host} {port}"))
}

/// What the labels of a name, the parts between its dots, say about it.
fn notes_on_labels(name: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let relative = name.strip_suffix('.').unwrap_or(name);
    if relative.len() < name.len() {
        notes.push(
            "the dot at the end says: this is the whole name. No search \
             domain is added to it, and /etc/hosts, which knows no such \
             dots, does not find it"
                .into(),
        );
    }
    if relative.split('.').any(str::is_empty) && !name.is_empty() {
        notes.push(
            "two dots in a row, or one in front, leave a label empty: DNS \
             has no such names"
                .into(),
        );
    }
    notes
}

/// The word is a number to C, and found an address: in which old spelling.
pub fn old_spelling(word: &str, found: Ipv4Addr) -> Option<String> {
    let lower = word.to_ascii_lowercase();
    let numeric = |c: char| c.is_ascii_hexdigit() || c == '.' || c == 'x';
    let is_number = lower.starts_with(|c: char| c.is_ascii_digit())
        && lower.chars().all(numeric)
        && word.parse::<Ipv4Addr>().is_err();
    let [a, b, c, d] = found.octets();
    is_number.then(|| match lower.contains(['.', 'x']) {
        true => format!(
            "one of C's old spellings (inet_aton): fewer than four numbers, \
             or octal 0177, or hexadecimal 0x7f. It is {found}"
        ),
        false => format!(
            "an integer, as the handout's table allows: {a}·2^24 + {b}·2^16 \
             + {c}·2^8 + {d}. Python takes it as text only: an int is a \
             TypeError"
        ),
    })
}

/// What to try when the resolver knew no such host.
pub fn hint(word: &str) -> Option<String> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let hint = match (word.contains(':'), word.contains('%')) {
        (true, true) => {
            "What stands behind % is the zone, an interface of this machine: \
             see `ip link` or `ifconfig`. Only link-local addresses \
             (fe80::…) need one"
        }
        (false, true) => "A zone behind % goes with IPv6 addresses only",
        (true, false) => {
            "It has colons and is no IPv6 address: eight groups of up to \
             four hexadecimal digits, where one :: stands for zeros"
        }
        _ if word.is_empty() || !word.chars().all(digits) => return None,
        _ if !word.contains('.') => {
            "As an integer an IPv4 address has 32 bits, 0 to 4294967295, and \
             this is more"
        }
        _ => {
            "It looks like an IPv4 address and is none: four numbers, 0 to \
             255"
        }
    };
    Some(hint.into())
}
