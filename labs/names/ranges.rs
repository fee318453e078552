//! The ranges of ports: those of IANA, and those that this kernel uses.
//!
//! ```text
//! 0       1024                    32768      49152     60999   65535
//! |-------|-----------------------|----------|---------|-------|
//! well-    registered                         dynamic              IANA
//! known
//! root     every user                                     Linux: bind
//!                                 given to clients        Linux: connect
//! ```
//!
//! IANA's ranges are an agreement about lists. The kernel has two settings of
//! its own: ip_unprivileged_port_start and ip_local_port_range.    [T-Q3]

use std::fs;
use std::ops::RangeInclusive;

/// The ports in the handout with their IANA names, for machines without
/// /etc/services.
const KNOWN: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("domain", 53),
    ("gopher", 70),
    ("http", 80),
    ("pop3", 110),
    ("nntp", 119),
    ("imap", 143),
    ("https", 443),
    // Oracle uses this port, as the handout says; IANA's list says:
    ("ncube-lm", 1521),
    ("mysql", 3306),
    ("postgresql", 5432),
];

/// IANA's name for a port of the handout.
pub fn iana_name(port: u16) -> Option<&'static str> {
    let found = KNOWN.iter().find(|(_, number)| *number == port);
    found.map(|(name, _)| *name)
}

/// The port for a name in the handout.
pub fn iana_port(name: &str) -> Option<u16> {
    let found = KNOWN.iter().find(|(known, _)| *known == name);
    found.map(|(_, port)| *port)
}

/// IANA's range (RFC 6335), in words.
pub fn iana_range(port: u16) -> &'static str {
    match port {
        0 => "reserved: no service uses port 0, and a SYN to it is refused",
        1..=1023 => {
            "well-known, 0 to 1023 (IANA: system ports). IANA assigns them \
             after a review, mostly for standards"
        }
        1024..=49151 => {
            "registered, 1024 to 49151 (IANA: user ports). IANA assigns them \
             on request; some are standards, such as 5060 for SIP"
        }
        _ => {
            "dynamic or private, 49152 to 65535. IANA assigns none of them, \
             and advises to use them for clients"
        }
    }
}

/// The range from which this kernel chooses ports for clients, if known.
pub fn ephemeral() -> Option<RangeInclusive<u16>> {
    let text = setting("ip_local_port_range")?;
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(least)), Some(Ok(most))) => Some(least..=most),
        _ => None,
    }
}

/// The first port that every user may bind.
pub fn unprivileged_start() -> u16 {
    let text = setting("ip_unprivileged_port_start");
    text.and_then(|text| text.parse().ok()).unwrap_or(1024)
}

fn setting(name: &str) -> Option<String> {
    let file = format!("/proc/sys/net/ipv4/{name}");
    Some(fs::read_to_string(file).ok()?.trim().to_string())
}
