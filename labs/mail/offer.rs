//! What the server offers: the lines behind EHLO, a keyword each.
//!
//! ```text
//! 250-PIPELINING            several commands in one go
//! 250-SIZE 10240000         the longest message, in octets
//! 250-STARTTLS              encryption on this connection
//! 250-AUTH PLAIN LOGIN      ways to log in
//! 250-8BITMIME              bytes above 127 in the message
//! 250 SMTPUTF8              and in addresses
//! ```
//!
//! The answer to HELO offers nothing.                    (viva 12) [W-T4a]

use crate::reply::Reply;

/// What this client makes use of.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// STARTTLS, RFC 3207.
    pub starttls: bool,
    /// SIZE, RFC 1870: the limit; 0 or no number means none.
    pub size: Option<u64>,
    /// 8BITMIME, RFC 6152.
    pub eight_bit: bool,
    /// SMTPUTF8, RFC 6531.
    pub utf8: bool,
    /// PIPELINING, RFC 2920.
    pub pipelining: bool,
    /// AUTH, RFC 4954.
    pub auth: Vec<String>,
}

impl Offer {
    /// Reads the lines of a reply to EHLO; the first is a greeting.
    pub fn of(reply: &Reply) -> Offer {
        let mut offer = Offer::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default();
            match keyword.to_ascii_uppercase().as_str() {
                "STARTTLS" => offer.starttls = true,
                "SIZE" => {
                    offer.size = words.next().and_then(|n| n.parse().ok());
                }
                "8BITMIME" => offer.eight_bit = true,
                "SMTPUTF8" => offer.utf8 = true,
                "PIPELINING" => offer.pipelining = true,
                "AUTH" => offer.auth.extend(words.map(str::to_string)),
                // `AUTH=PLAIN`: what servers of the nineties said, too.
                other => {
                    if let Some(first) = other.strip_prefix("AUTH=") {
                        offer.auth.push(first.to_string());
                        offer.auth.extend(words.map(str::to_string));
                    }
                }
            }
        }
        offer
    }

    /// Is the message too long for this server?
    pub fn refuses_size(&self, octets: usize) -> Option<u64> {
        self.size.filter(|&most| most > 0 && octets as u64 > most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(lines: &[&str]) -> Offer {
        let lines = lines.iter().map(ToString::to_string).collect();
        Offer::of(&Reply { code: 250, lines })
    }

    #[test]
    fn keywords_are_read_in_either_case() {
        let found = offer(&[
            "STARTTLS.example greets you", // no offer: the first line
            "size 1000",
            "Auth plain LOGIN",
            "AUTH=CRAM-MD5 X",
            "8bitmime",
            "X-UNKNOWN",
            "",
        ]);
        assert!(!found.starttls && found.eight_bit && !found.utf8);
        assert_eq!(found.auth, ["plain", "LOGIN", "CRAM-MD5", "X"]);
        assert_eq!(found.refuses_size(1001), Some(1000));
        assert_eq!(found.refuses_size(1000), None);
        assert_eq!(offer(&["x", "SIZE 0"]).refuses_size(9999), None);
        assert_eq!(offer(&["x", "SIZE"]).refuses_size(9999), None);
        assert_eq!(offer(&["x", "SIZE -1"]).size, None);
    }
}
