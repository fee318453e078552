//! The extensions that a server offers: the lines of its reply to EHLO.
//! ```text
//! 250-PIPELINING            several commands in one go
//! 250-SIZE 10240000         the longest message, in octets
//! 250-STARTTLS              encryption on this connection
//! 250-AUTH PLAIN LOGIN      ways to log in
//! 250-8BITMIME              bytes above 127 in the message
//! 250 SMTPUTF8              and in addresses
//! ```
//! The reply to HELO offers nothing.                     (viva 12) [W-T4a]

use crate::smtp::reply::Reply;

/// The extensions that this client uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Extensions {
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

impl Extensions {
    /// Reads the lines of a reply to EHLO; the first is a greeting.
    pub fn of(reply: &Reply) -> Extensions {
        let mut found = Extensions::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default();
            match keyword.to_ascii_uppercase().as_str() {
                "STARTTLS" => found.starttls = true,
                "SIZE" => {
                    found.size = words.next().and_then(|n| n.parse().ok());
                }
                "8BITMIME" => found.eight_bit = true,
                "SMTPUTF8" => found.utf8 = true,
                "PIPELINING" => found.pipelining = true,
                "AUTH" => found.auth.extend(words.map(str::to_string)),
                _ => {}
            }
        }
        found
    }

    /// Is the message too long for this server?
    pub fn refuses_size(&self, octets: usize) -> Option<u64> {
        self.size.filter(|&most| most > 0 && octets as u64 > most)
    }
}
