//! The extensions that a server offers: the lines of its reply to EHLO.
//! ```text
//! 250-PIPELINING            several commands before the first reply
//! 250-SIZE 10240000         the largest message, in bytes
//! 250-STARTTLS              encryption on this connection
//! 250-AUTH PLAIN LOGIN      mechanisms to log in
//! 250-8BITMIME              bytes above 127 in the message
//! 250 SMTPUTF8              non-ASCII letters in addresses
//! ```
//! The reply to HELO offers none of them.                (viva 12) [W-T4a]

use crate::smtp::reply::Reply;

/// The extensions that this client uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// STARTTLS, RFC 3207.
    pub starttls: bool,
    /// SIZE, RFC 1870: the limit in bytes; 0 or no number means no limit.
    pub size: Option<u64>,
    /// 8BITMIME, RFC 6152.
    pub eight_bit: bool,
    /// SMTPUTF8, RFC 6531.
    pub utf8: bool,
    /// PIPELINING, RFC 2920.
    pub pipelining: bool,
    /// AUTH, RFC 4954: the names of the mechanisms.
    pub auth: Vec<String>,
}

impl Extensions {
    /// Reads the lines of a reply to EHLO. The first is only a greeting.
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

    /// The server's limit, if a message of this size is above it.
    pub fn refuses_size(&self, octets: usize) -> Option<u64> {
        self.size.filter(|&most| most > 0 && octets as u64 > most)
    }
}
