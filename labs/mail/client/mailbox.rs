//! Sender and recipients as the user types them: `ada@example.com`, or with a
//! name for people, `"Lovelace, Ada" <ada@example.com>`. A non-ASCII domain
//! is sent in its ASCII form (`bücher.example` is `xn--bcher-kva.example`).
//! The part before the @ has no ASCII form, so a non-ASCII one needs a server
//! that offers SMTPUTF8.

use socketlab::console;

use crate::smtp::address::{Address, find_unquoted};

/// An address, with or without the name of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name that people read.
    pub name: Option<String>,
    /// The address that servers use.
    pub address: Address,
}

/// An address from the command line, with its domain in ASCII. This check is
/// stricter than the RFC: it refuses characters that a screen does not show.
pub fn typed_address(text: &str) -> Result<Address, String> {
    let fail = |why: &str| format!("{text:?}: {why}");
    if text.contains(['<', '>']) {
        return Err(fail("the address contains < or >"));
    }
    if text.chars().any(|c| console::is_deceptive(c) && !c.is_control()) {
        return Err(fail("the address has a character that is not shown"));
    }
    let ascii = match text.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() => {
            let domain = idna::domain_to_ascii(domain);
            let domain = domain
                .map_err(|_| fail("the part after the @ is not a domain"))?;
            format!("{local}@{domain}")
        }
        _ => text.to_string(),
    };
    Address::parse(&ascii).map_err(fail)
}

impl Mailbox {
    /// `ada@example.com`, `Ada <ada@example.com>` or `"A, B" <ada@…>`.
    pub fn parse(text: &str) -> Result<Mailbox, String> {
        let text = text.trim_matches([' ', '\t']);
        let Some((name, rest)) = text.rsplit_once('<') else {
            let address = typed_address(text)?;
            return Ok(Mailbox { name: None, address });
        };
        let Some(address) = rest.strip_suffix('>') else {
            return Err(format!("{text:?}: a > must follow the address"));
        };
        let name = name.trim();
        let quoted = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
        let name = match quoted {
            Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => name.to_string(),
        };
        if name.chars().any(char::is_control) {
            return Err(format!("{text:?}: the name has a control character"));
        }
        let address = typed_address(address)?;
        let name = Some(name).filter(|name| !name.is_empty());
        Ok(Mailbox { name, address })
    }

    /// Several, separated by commas. A comma in quotes is part of a name.
    pub fn parse_list(text: &str) -> Result<Vec<Mailbox>, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(at) = find_unquoted(rest, ',') {
            parts.push(rest.get(..at).unwrap_or_default());
            rest = rest.get(at + 1..).unwrap_or_default();
        }
        parts.push(rest);
        parts.iter().map(|part| Mailbox::parse(part)).collect()
    }
}
