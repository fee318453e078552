//! Mail addresses: `ada@example.com`, or with a name for people,
//! `"Lovelace, Ada" <ada@example.com>`.
//!
//! What is not an address is refused here, before anything is sent. A line
//! end inside one would end the command `RCPT TO:<…>`, and the rest would be
//! the next command; `<` and `>` would end the address.  (viva 15) [W-T4a]
//!
//! A domain in another script travels in its ASCII form (`bücher.example`
//! is `xn--bcher-kva.example`), which every server takes. What stands before
//! the @ has no such form: it needs a server that offers SMTPUTF8.

/// Octets before the @, and behind: RFC 5321, 4.5.3.1.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// An address that may stand between `<` and `>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    local: String,
    domain: String,
}

/// An address and the name of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// What people read.
    pub name: Option<String>,
    /// What servers read.
    pub address: Address,
}

impl Address {
    /// `ada@example.com`.
    pub fn parse(text: &str) -> Result<Address, String> {
        let fail = |why: &str| Err(format!("{text:?}: {why}"));
        if text.chars().any(char::is_control) {
            return fail("a line end or control character in an address");
        }
        if text.contains(['<', '>']) {
            return fail("< or > in an address");
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return fail("no @ in it; an address is name@domain");
        };
        if local.is_empty() || local.len() > LONGEST_LOCAL {
            return fail("before the @ stand 1 to 64 bytes");
        }
        if !is_dot_atom(local) && !is_quoted(local) {
            return fail(
                "before the @ stand letters, digits and !#$%&'*+-/=?^_`{|}~, \
                 with single dots between; anything else only in \"quotes\"",
            );
        }
        match ascii_domain(domain) {
            Ok(domain) => Ok(Address { local: local.into(), domain }),
            Err(why) => fail(why),
        }
    }

    /// As it stands between `<` and `>`.
    pub fn text(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// Behind the @, in ASCII.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The same mailbox? Small and capital letters are one in a domain, and
    /// for the server alone to judge before the @.
    pub fn same_as(&self, other: &Address) -> bool {
        self.local == other.local
            && self.domain.eq_ignore_ascii_case(&other.domain)
    }

    /// Does a server need SMTPUTF8 for it?
    pub fn needs_utf8(&self) -> bool {
        !self.local.is_ascii()
    }
}

/// Letters, digits and some signs, in parts with dots between.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|part| {
        !part.is_empty()
            && part.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || "!#$%&'*+-/=?^_`{|}~".contains(c)
                    || (!c.is_ascii()
                        && !c.is_whitespace()
                        && !socketlab::console::is_deceptive(c))
            })
    })
}

/// `"any thing"`, with \" and \\ for the quote and the backslash.
fn is_quoted(local: &str) -> bool {
    let inner = local.strip_prefix('"').and_then(|l| l.strip_suffix('"'));
    let Some(inner) = inner else { return false };
    let mut escaped = false;
    for character in inner.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return false,
            _ if !character.is_ascii() => return false,
            _ => {}
        }
    }
    !escaped
}

/// The domain in ASCII; or an address in brackets, as it is.
fn ascii_domain(domain: &str) -> Result<String, &'static str> {
    if let Some(inner) =
        domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
    {
        let six = inner.strip_prefix("IPv6:");
        let fine = match six {
            Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
            None => inner.parse::<std::net::Ipv4Addr>().is_ok(),
        };
        let why = "in brackets stands an IP address: [192.0.2.1]";
        return if fine { Ok(domain.into()) } else { Err(why) };
    }
    let ascii = match domain.is_ascii() {
        true => domain.to_string(),
        false => idna::domain_to_ascii(domain)
            .map_err(|_| "behind the @ stands no domain")?,
    };
    if ascii.is_empty() || ascii.len() > LONGEST_DOMAIN {
        return Err("behind the @ stand 1 to 255 bytes");
    }
    let fine = ascii.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    match fine {
        true => Ok(ascii),
        false => Err("behind the @ stands no domain: letters, digits, -, \
                      with single dots between"),
    }
}

impl Mailbox {
    /// `ada@example.com`, `Ada <ada@example.com>` or `"A, B" <ada@…>`.
    pub fn parse(text: &str) -> Result<Mailbox, String> {
        let text = text.trim_matches([' ', '\t']);
        let Some((name, rest)) = text.rsplit_once('<') else {
            let address = Address::parse(text)?;
            return Ok(Mailbox { name: None, address });
        };
        let Some(address) = rest.strip_suffix('>') else {
            return Err(format!("{text:?}: no > behind the address"));
        };
        let name = name.trim();
        let quoted = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
        let name = match quoted {
            Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => name.to_string(),
        };
        if name.chars().any(char::is_control) {
            return Err(format!("{text:?}: a line end in a name"));
        }
        let address = Address::parse(address)?;
        let name = Some(name).filter(|name| !name.is_empty());
        Ok(Mailbox { name, address })
    }

    /// Several, with commas between. A comma in quotes is part of a name.
    pub fn parse_list(text: &str) -> Result<Vec<Mailbox>, String> {
        let (mut parts, mut part) = (Vec::new(), String::new());
        let (mut quoted, mut escaped) = (false, false);
        for character in text.chars() {
            match character {
                ',' if !quoted => parts.push(std::mem::take(&mut part)),
                _ => part.push(character),
            }
            quoted ^= character == '"' && !escaped;
            escaped = quoted && character == '\\' && !escaped;
        }
        parts.push(part);
        parts.iter().map(|part| Mailbox::parse(part)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for good in [
            "ada@example.com",
            "root@localhost",
            "a.b+c_d@mail.example.org",
            "o'hara@example.com",
            "\"john doe\"@example.com",
            "\"a@b\"@example.com",
            "x@[192.0.2.1]",
            "x@[IPv6:2001:db8::1]",
            "ümit@example.com",
        ] {
            let found = Address::parse(good).map(|address| address.text());
            assert_eq!(found.as_deref(), Ok(good));
        }
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            ".ada@example.com",
            "a..b@example.com",
            "a b@example.com",
            "ada@example..com",
            "ada@-example.com",
            "ada@exam ple.com",
            "ada@[300.1.1.1]",
            "ada@example.com\r\nRCPT TO:<eve@example.com>",
            "ada@example.com\nBcc: eve@example.com",
            "ada>@example.com",
            "<ada@example.com>",
            "a\0@example.com",
            "\"a\"b\"@example.com",
            "\"a\\\"@example.com",
            "a\u{202e}b@example.com",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
        let long = format!("{}@example.com", "x".repeat(65));
        assert!(Address::parse(&long).is_err());
    }

    #[test]
    fn a_domain_in_another_script_has_an_ascii_form() -> Result<(), String> {
        let address = Address::parse("ada@bücher.example")?;
        assert_eq!(address.text(), "ada@xn--bcher-kva.example");
        assert!(!address.needs_utf8());
        assert!(Address::parse("ümit@example.com")?.needs_utf8());
        Ok(())
    }

    #[test]
    fn names_may_have_commas() -> Result<(), String> {
        let list = "Ada <ada@x.org>, \"Doe, \\\"J\\\"\" <j@x.org>,k@x.org";
        let found = Mailbox::parse_list(list)?;
        let names: Vec<_> =
            found.iter().map(|one| one.name.as_deref()).collect();
        assert_eq!(names, [Some("Ada"), Some("Doe, \"J\""), None]);
        assert!(Mailbox::parse_list("a@x.org,,b@x.org").is_err());
        assert!(Mailbox::parse_list("a@x.org,").is_err());
        assert!(Mailbox::parse("Ada\r\nBcc: e@x.org <ada@x.org>").is_err());
        assert!(Mailbox::parse("Ada <ada@x.org").is_err());
        Ok(())
    }
}
