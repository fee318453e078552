//! Mail addresses, `local@domain`: one grammar for the client's command line
//! and for the envelope that the sink reads (RFC 5321, 4.1.2). Letters of all
//! scripts belong to it since RFC 6531; whether a server takes them is the
//! question of SMTPUTF8.
//!
//! What is not an address is refused before it is used. A newline inside one
//! would end the command `RCPT TO:<…>`, and the rest would be the next
//! command; a `>` would end the address.           (viva 15) [W-T4a]

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Bytes before the @ and after it: RFC 5321, 4.5.3.1.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// Bytes of one part of a domain, between two dots: RFC 1035.
const LONGEST_LABEL: usize = 63;

/// An address that may be put between `<` and `>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    local: String,
    domain: String,
}

/// As an argument on the command line.
impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        Address::parse(text).map_err(str::to_string)
    }
}

impl Address {
    /// Reads `ada@example.com`, `"any thing"@example.com` or
    /// `ada@[192.0.2.1]`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Address, &'static str> {
        if text.chars().any(char::is_control) {
            return Err("a line end or control character in an address");
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err("no @ in it; an address is name@domain");
        };
        if local.is_empty() || local.len() > LONGEST_LOCAL {
            return Err("the part before the @ must be 1 to 64 bytes long");
        }
        if !is_dot_atom(local) && !is_quoted(local) {
            return Err("the part before the @ may have letters, digits and \
                        !#$%&'*+-/=?^_`{|}~, with single dots between; \
                        anything else only in \"quotes\"");
        }
        if domain.is_empty() || domain.len() > LONGEST_DOMAIN {
            return Err("the part after the @ must be 1 to 255 bytes long");
        }
        let literal = domain.strip_prefix('[');
        match literal.and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) if !is_ip(inner) => {
                return Err(
                    "the brackets must hold an IP address: [192.0.2.1]",
                );
            }
            None if !is_domain(domain) => {
                return Err("the part after the @ is not a domain: letters, \
                            digits and -, with single dots between");
            }
            _ => {}
        }
        Ok(Address { local: local.into(), domain: domain.into() })
    }

    /// The text that goes between `<` and `>`.
    pub fn text(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// The part after the @.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Is it the same mailbox? Small and capital letters are the same in a
    /// domain; before the @ only the recipient's server can tell.
    pub fn same_as(&self, other: &Address) -> bool {
        self.local == other.local
            && self.domain.eq_ignore_ascii_case(&other.domain)
    }

    /// Does a server need SMTPUTF8 for it?
    pub fn needs_utf8(&self) -> bool {
        !self.local.is_ascii() || !self.domain.is_ascii()
    }
}

/// Is this a name that a client may give itself with EHLO? The server writes
/// it into the message's header, so it must be one harmless word.
pub fn is_host_name(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_graphic() && !b"()<>@,;\\\"".contains(&b);
    (1..=255).contains(&name.len()) && name.bytes().all(fine)
}

/// Letters, digits and some signs, in parts with dots between.
fn is_dot_atom(local: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || (!c.is_ascii() && !c.is_whitespace())
    };
    let fine = |part: &str| !part.is_empty() && part.chars().all(allowed);
    local.split('.').all(fine)
}

/// `"any thing"`, with `\"` and `\\` for the quote and the backslash.
fn is_quoted(local: &str) -> bool {
    let inner = local.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
    let Some(inner) = inner else { return false };
    let mut escaped = false;
    for character in inner.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !escaped
}

/// Where `wanted` is first, outside of "quotes".
pub fn find_unquoted(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    let mut letters = text.char_indices();
    let found = letters.find(|&(_, letter)| {
        let here = letter == wanted && !quoted;
        quoted ^= letter == '"' && !escaped;
        escaped = quoted && letter == '\\' && !escaped;
        here
    });
    found.map(|(at, _)| at)
}

/// Labels with dots between, as after HELO.
pub fn is_domain(name: &str) -> bool {
    name.split('.').all(is_label)
}

/// One part of a domain. `_` belongs to no domain by the RFC, but machines of
/// a local network have it in their names.
fn is_label(label: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    !label.is_empty()
        && (label.len() <= LONGEST_LABEL || !label.is_ascii())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| !c.is_ascii() || allowed(c))
}

/// What may be between the brackets of a domain.
fn is_ip(inner: &str) -> bool {
    match inner.strip_prefix("IPv6:") {
        Some(six) => six.parse::<Ipv6Addr>().is_ok(),
        None => inner.parse::<Ipv4Addr>().is_ok(),
    }
}
