//! Mail addresses, `local@domain`. The client's command line and the sink use
//! the same grammar (RFC 5321, 4.1.2). RFC 6531 added non-ASCII letters; a
//! server accepts them if it offers SMTPUTF8.
//!
//! A wrong address is refused before it is used. A newline inside it would end
//! the command `RCPT TO:<…>`, and the rest would be the next command. A `>`
//! would end the address.                          (viva 15) [W-T4a]

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Most bytes before the @ and after it: RFC 5321, 4.5.3.1.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// Most bytes of one part of a domain, between two dots: RFC 1035.
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
            return Err("the address has a newline or control character");
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err("the address has no @: it must be name@domain");
        };
        if local.is_empty() || local.len() > LONGEST_LOCAL {
            return Err("the part before the @ must be 1 to 64 bytes long");
        }
        if !is_dot_atom(local) && !is_quoted(local) {
            return Err("the part before the @ may have letters, digits and \
                        !#$%&'*+-/=?^_`{|}~, with single dots between them; \
                        other characters only in \"quotes\"");
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
                            digits and -, with single dots between them");
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

    /// Is it the same mailbox? Upper and lower case are the same in a domain.
    /// Before the @ only the recipient's server knows.
    pub fn same_as(&self, other: &Address) -> bool {
        self.local == other.local
            && self.domain.eq_ignore_ascii_case(&other.domain)
    }

    /// Does this address need a server with SMTPUTF8?
    pub fn needs_utf8(&self) -> bool {
        !self.local.is_ascii() || !self.domain.is_ascii()
    }
}

/// May a client use this name in EHLO? The server writes it into the header
/// of the message, so it must be one word without special characters.
pub fn is_host_name(name: &str) -> bool {
    let fine = |b: u8| b.is_ascii_graphic() && !b"()<>@,;\\\"".contains(&b);
    (1..=255).contains(&name.len()) && name.bytes().all(fine)
}

/// Letters, digits and some other characters, with single dots between them.
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

/// The position of the first `wanted` outside of "quotes".
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

/// Is this a domain: labels with dots between them?
pub fn is_domain(name: &str) -> bool {
    name.split('.').all(is_label)
}

/// Is this one part of a domain? The RFC does not allow `_`, but machines in
/// a local network have it in their names.
fn is_label(label: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    !label.is_empty()
        && (label.len() <= LONGEST_LABEL || !label.is_ascii())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| !c.is_ascii() || allowed(c))
}

/// May this text be between the brackets of a domain?
fn is_ip(inner: &str) -> bool {
    match inner.strip_prefix("IPv6:") {
        Some(six) => six.parse::<Ipv6Addr>().is_ok(),
        None => inner.parse::<Ipv4Addr>().is_ok(),
    }
}
