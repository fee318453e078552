//! The word in place of a host: what kind of word it is, what the resolver
//! is asked instead of it, and what to say of it.
//!
//! ```text
//! localhost   127.0.0.1   ::1        asked as they are
//! [::1]       münchen.de             asked in another spelling
//! <broadcast>  ""                    Python's own words      [T-V4]
//! http://…    host:80                no host: refused
//! ```
//!
//! The row "hostname" of the handout's table: a name, a dotted quad, an IPv6
//! address, `<broadcast>`, an empty string, an integer. Names belong to
//! hosts; it is the addresses that belong to interfaces.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Of a name in DNS: its characters without the last dot, and a label's.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A host word, read.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// What to ask the resolver for.
    pub ask: String,
    /// What the reader should know about it.
    pub notes: Vec<String>,
}

/// Reads the word; an error is the reason why it is no host at all.
pub fn read(word: &str) -> Result<Word, String> {
    if let Some((_, rest)) = word.split_once("://") {
        let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
        return Err(format!(
            "that is a URL, and a resolver knows hosts only. The host in it: \
             names {host} http"
        ));
    }
    if let Some((host, port)) = word.split_once(':')
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && !host.is_empty()
        && word.parse::<Ipv6Addr>().is_err()
    {
        return Err(format!("write host and port apart: names {host} {port}"));
    }
    let mut notes = Vec::new();
    let mut ask = word.to_string();
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
    notes.extend(of_dots(&ask));
    Ok(Word { ask, notes })
}

/// What the dots and lengths of a name say.
fn of_dots(name: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if name.is_empty() || name.contains(':') {
        return notes;
    }
    let relative = name.strip_suffix('.').unwrap_or(name);
    if relative.len() < name.len() {
        notes.push(
            "the dot at the end says: this is the whole name. No search \
             domain is added to it, and /etc/hosts, which knows no such \
             dots, does not find it"
                .into(),
        );
    }
    let labels = || relative.split('.');
    if labels().any(str::is_empty) {
        notes.push(
            "two dots in a row, or one in front, leave a label empty: DNS \
             has no such names"
                .into(),
        );
    }
    if let Some(long) = labels().find(|label| label.len() > LONGEST_LABEL) {
        notes.push(format!(
            "a label of {} characters: between two dots DNS has room for \
             {LONGEST_LABEL}",
            long.len()
        ));
    }
    if relative.len() > LONGEST_NAME {
        notes.push(format!(
            "a name of {} characters: DNS has room for {LONGEST_NAME} (255 \
             bytes, with a length before each label and a 0 at the end)",
            relative.len()
        ));
    }
    if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        notes.push("blanks and control characters are in no host name".into());
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
    is_number.then(|| {
        if lower.contains(['.', 'x']) {
            return format!(
                "one of C's old spellings (inet_aton): fewer than four \
                 numbers, or octal 0177, or hexadecimal 0x7f. It is {found}"
            );
        }
        format!(
            "an integer, as the handout's table allows: {a}·2^24 + {b}·2^16 \
             + {c}·2^8 + {d}. Python takes it as text only: an int is a \
             TypeError"
        )
    })
}

/// What to try when the resolver knew no such host.
pub fn hint(word: &str) -> Option<String> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    if word.contains(':') && word.contains('%') {
        return Some(format!(
            "What stands behind % is the zone, an interface of this machine: \
             {}. Only link-local addresses (fe80::…) need one",
            interfaces().join(", ")
        ));
    }
    if word.contains('%') {
        return Some("A zone behind % goes with IPv6 addresses only".into());
    }
    if word.contains(':') {
        return Some(
            "It has colons and is no IPv6 address: eight groups of up to \
             four hexadecimal digits, where one :: stands for zeros"
                .into(),
        );
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty() {
        return Some(format!(
            "As an integer an IPv4 address has 32 bits, 0 to {}, and this \
             is more",
            u32::MAX
        ));
    }
    if word.contains('.') && word.chars().all(digits) {
        return Some(
            "It looks like an IPv4 address and is none: four numbers, 0 to \
             255"
            .into(),
        );
    }
    None
}

fn interfaces() -> Vec<String> {
    let found = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut names: Vec<String> = found
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    if names.is_empty() {
        names.push("see `ip link` or `ifconfig`".into());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(word: &str) -> Option<String> {
        read(word).ok().map(|word| word.ask)
    }

    #[test]
    fn a_word_is_read_as_the_handouts_table_means_it() {
        for (word, wanted) in [
            ("localhost", Some("localhost")),
            ("[::1]", Some("::1")),
            ("::1", Some("::1")),
            ("fe80::1%lo", Some("fe80::1%lo")),
            ("<broadcast>", Some("255.255.255.255")),
            ("München.de", Some("xn--mnchen-3ya.de")),
            ("http://example.com/x", None),
            ("localhost:80", None),
        ] {
            assert_eq!(asked(word).as_deref(), wanted);
        }
    }

    #[test]
    fn what_dns_has_no_room_for_is_said() {
        let noted = |word: &str| of_dots(word).join("; ");
        assert!(noted("a..b").contains("label empty"));
        assert!(noted("localhost.").contains("dot at the end"));
        assert!(noted(&"a".repeat(64)).contains("64 characters"));
        assert!(noted(&"a.".repeat(127)).contains("dot at the end"));
        assert!(!noted(&"a.".repeat(127)).contains("has room for 253"));
        assert!(noted(&"a.".repeat(128)).contains("255 characters"));
        assert!(noted("a b").contains("blanks"));
        assert_eq!(noted("www.example.com"), "");
    }

    #[test]
    fn old_spellings_are_told() {
        let told = |word| old_spelling(word, Ipv4Addr::LOCALHOST);
        assert!(told("127.1").is_some_and(|t| t.contains("inet_aton")));
        assert!(told("2130706433").is_some_and(|t| t.contains("127·2^24")));
        assert_eq!(told("127.0.0.1"), None);
        assert_eq!(told("localhost"), None);
        assert_eq!(told("face"), None);
    }
}
