//! Packets by name: `first SYN`, `second data from server`, `last ACK`,
//! `FIN from client`, `every 3rd datagram`. This is the language in which a
//! user says what the cable loses, duplicates or holds back.
//!
//! ```text
//! name  = [which] what ["from" ("client" | "server")]
//! which = "first" | "second" … "tenth" | "12th" | "next" | "first 3"
//!       | "every" | "every 3rd"           none of them: the first
//! what  = "SYN" | "SYN ACK" | "ACK" | "last ACK" | "FIN" | "RST" | "data"
//!       | "datagram" | "ARP" | "packet"
//! ```
//!
//! A name counts packets. If the first SYN is lost, its retransmission is the
//! second SYN. Counting begins when the order is given.

use std::fmt;
use std::str::FromStr;

use crate::packet::{Content, End, Packet};

/// Which of the packets that fit.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Which {
    /// This one, from 1.
    Only(u32),
    /// All up to this one.
    UpTo(u32),
    /// Each whose number is a multiple of this one.
    Every(u32),
}

/// What a packet must be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Syn,
    SynAck,
    Ack,
    LastAck,
    Fin,
    Rst,
    Data,
    Datagram,
    Arp,
    Any,
}

const NUMBERS: [&str; 10] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh",
    "eighth", "ninth", "tenth",
];

/// The name of a packet, or of several, and how many have fitted so far.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketName {
    text: String,
    which: Which,
    what: What,
    from: Option<End>,
    seen: u32,
}

impl PacketName {
    /// Is this packet one that the name means? It is counted either way.
    /// `is_last_ack` comes from the table of connections, because the packet
    /// alone does not show whether it ends one.
    pub fn names(&mut self, packet: &Packet, is_last_ack: bool) -> bool {
        let from_there = self.from.is_none_or(|end| end == packet.from);
        if !from_there || !self.what.fits(packet, is_last_ack) {
            return false;
        }
        self.seen = self.seen.saturating_add(1);
        match self.which {
            Which::Only(number) => self.seen == number,
            Which::UpTo(number) => self.seen <= number,
            Which::Every(number) => self.seen.is_multiple_of(number),
        }
    }

    /// Can it not name any further packet?
    pub fn is_used_up(&self) -> bool {
        match self.which {
            Which::Only(number) | Which::UpTo(number) => self.seen >= number,
            Which::Every(_) => false,
        }
    }
}

impl What {
    fn fits(self, packet: &Packet, is_last_ack: bool) -> bool {
        let segment = match &packet.content {
            Content::Segment(segment) => segment,
            Content::Datagram { .. } => {
                return matches!(self, What::Datagram | What::Any);
            }
            Content::Arp => return self == What::Arp,
            Content::Other(_) => return self == What::Any,
        };
        match self {
            What::Syn => segment.syn && !segment.ack,
            What::SynAck => segment.syn && segment.ack,
            What::Ack => segment.is_bare_ack(),
            What::LastAck => is_last_ack,
            What::Fin => segment.fin,
            What::Rst => segment.rst,
            What::Data => segment.data > 0,
            What::Datagram | What::Arp => false,
            What::Any => true,
        }
    }
}

impl fmt::Display for PacketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for PacketName {
    type Err = String;

    fn from_str(text: &str) -> Result<PacketName, String> {
        let small = text.to_ascii_lowercase().replace(['-', '+', ','], " ");
        let words: Vec<&str> =
            small.split_whitespace().filter(|word| *word != "the").collect();
        let (words, from) = match words.as_slice() {
            [words @ .., "from", "client"] => (words, Some(End::Client)),
            [words @ .., "from", "server"] => (words, Some(End::Server)),
            words => (words, None),
        };
        let (which, words) = which(words);
        let what = what(words).ok_or_else(|| {
            format!(
                "'{text}' does not name a packet. Names are: first SYN, \
                 SYN ACK, second data from server, third ACK, last ACK, FIN \
                 from client, every 3rd datagram, next packet"
            )
        })?;
        Ok(PacketName { text: text.trim().into(), which, what, from, seen: 0 })
    }
}

/// Takes the number off the beginning of the words.
fn which<'a>(words: &'a [&'a str]) -> (Which, &'a [&'a str]) {
    match words {
        ["next", rest @ ..] => (Which::Only(1), rest),
        ["every" | "each" | "all", rest @ ..] => match rest {
            [number, rest @ ..] if ordinal(number).is_some() => {
                (Which::Every(ordinal(number).unwrap_or(1)), rest)
            }
            rest => (Which::Every(1), rest),
        },
        ["first", count, rest @ ..] if count.parse::<u32>().is_ok() => {
            (Which::UpTo(count.parse().unwrap_or(1)), rest)
        }
        [number, rest @ ..] if ordinal(number).is_some() => {
            (Which::Only(ordinal(number).unwrap_or(1)), rest)
        }
        rest => (Which::Only(1), rest),
    }
}

/// `third` and `3rd` are 3.
fn ordinal(word: &str) -> Option<u32> {
    let named = NUMBERS.iter().zip(1..).find(|(name, _)| **name == word);
    if let Some((_, number)) = named {
        return Some(number);
    }
    let digits = ["st", "nd", "rd", "th"];
    let digits = digits.iter().find_map(|end| word.strip_suffix(end))?;
    digits.parse().ok().filter(|number| *number > 0)
}

fn what(words: &[&str]) -> Option<What> {
    // The plural is accepted, too: `every datagrams`.
    let singular = |word: &&str| word.strip_suffix('s').map(str::to_string);
    let words: Vec<String> = words
        .iter()
        .map(|word| singular(word).unwrap_or_else(|| word.to_string()))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["syn"] => What::Syn,
        ["syn", "ack"] | ["synack"] => What::SynAck,
        ["last", "ack"] => What::LastAck,
        ["ack"] => What::Ack,
        ["fin"] | ["fin", "ack"] => What::Fin,
        ["rst"] | ["rst", "ack"] | ["reset"] => What::Rst,
        ["data"] | ["segment"] => What::Data,
        ["datagram"] => What::Datagram,
        ["arp"] => What::Arp,
        ["packet"] => What::Any,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Cards, Segment};
    use std::net::{Ipv4Addr, SocketAddrV4};

    fn address(port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
    }

    /// `SA` is a segment with SYN and ACK, `5A` one with data and ACK.
    fn segment(from: End, flags: &str) -> Packet {
        let content = Content::Segment(Segment {
            source: address(1),
            destination: address(2),
            syn: flags.contains('S'),
            ack: flags.contains('A'),
            fin: flags.contains('F'),
            rst: flags.contains('R'),
            sequence: 0,
            acknowledges: 0,
            data: if flags.contains('5') { 5 } else { 0 },
        });
        Packet { from, cards: Cards::default(), content }
    }

    fn datagram(from: End) -> Packet {
        let (source, destination) = (address(1), address(2));
        let content = Content::Datagram { source, destination, data: 1 };
        Packet { from, cards: Cards::default(), content }
    }

    /// The numbers, from 1, of the packets that a name means.
    fn named(name: &str, packets: &[Packet]) -> Vec<usize> {
        let mut name: PacketName = name.parse().expect("a name");
        let packets = packets.iter().enumerate();
        let named = packets.filter(|(_, packet)| name.names(packet, false));
        named.map(|(index, _)| index + 1).collect()
    }

    fn connection() -> Vec<Packet> {
        let (client, server) = (End::Client, End::Server);
        vec![
            segment(client, "S"),
            segment(server, "SA"),
            segment(client, "A"),
            segment(client, "5A"),
            segment(server, "A"),
            segment(server, "5A"),
            segment(server, "5FA"),
            segment(client, "FA"),
        ]
    }

    #[test]
    fn a_name_finds_its_packets() {
        let packets = connection();
        for (name, expected) in [
            ("first SYN", &[1][..]),
            ("SYN", &[1]),
            ("second SYN", &[]),
            ("SYN ACK", &[2]),
            ("syn-ack from server", &[2]),
            ("SYN from server", &[]),
            ("first ACK", &[3]),
            ("second ACK", &[5]),
            ("ACK from server", &[5]),
            ("first data from client", &[4]),
            ("second data", &[6]),
            ("second data from server", &[7]),
            ("FIN from client", &[8]),
            ("the first FIN", &[7]),
            ("every FIN", &[7, 8]),
            ("first 2 data", &[4, 6]),
            ("every 2nd packet", &[2, 4, 6, 8]),
            ("all packets from server", &[2, 5, 6, 7]),
            ("next packet", &[1]),
            ("RST", &[]),
            ("datagram", &[]),
        ] {
            assert_eq!(named(name, &packets), expected, "{name}");
        }
    }

    #[test]
    fn datagrams_are_counted_for_themselves() {
        let mut packets = vec![segment(End::Client, "S")];
        packets.extend((0..7).map(|_| datagram(End::Client)));
        assert_eq!(named("every 3rd datagram", &packets), [4, 7]);
        assert_eq!(named("every third datagram", &packets), [4, 7]);
        assert!(named("12th datagram", &packets).is_empty());
        assert!(named("datagram from server", &packets).is_empty());
    }

    #[test]
    fn the_last_ack_is_what_the_table_of_connections_says() {
        let mut name: PacketName = "last ACK".parse().expect("a name");
        assert!(!name.names(&segment(End::Client, "A"), false));
        assert!(name.names(&segment(End::Client, "A"), true));
        assert!(!name.names(&segment(End::Client, "A"), true), "one alone");
    }

    #[test]
    fn a_name_is_used_up_when_it_has_named_all_that_it_can() {
        let mut name: PacketName = "second SYN".parse().expect("a name");
        let syn = segment(End::Client, "S");
        assert!(!name.names(&syn, false) && !name.is_used_up());
        assert!(name.names(&syn, false) && name.is_used_up());
    }

    #[test]
    fn what_is_not_a_name_is_told_what_is() {
        for wrong in [
            "",
            "first",
            "last",
            "last SYN",
            "0th SYN",
            "SYN from nobody",
            "every",
            "packet of data",
            "first from client",
        ] {
            let problem = wrong.parse::<PacketName>().expect_err(wrong);
            assert!(problem.contains("every 3rd datagram"), "{problem}");
        }
    }
}
