//! The TCP connections that cross the cable. The cable follows them, so that it
//! can say which packets are the handshake, which ACK is the last, and which
//! sequence number an RST must have so that the kernel believes it.
//!
//! A connection is known by its two addresses with ports, whichever end sends.

use std::collections::HashMap;
use std::net::SocketAddrV4;

use etherparse::PacketBuilder;

use crate::packet::{Cards, End, Packet, Segment};

/// Connections that are remembered. A flood of SYNs must not fill the memory;
/// those beyond are carried like all others, but not followed.
const MOST: usize = 4096;

/// The time to live of a forged RST, in routers. There is none between us.
const HOPS: u8 = 64;

/// What the table says about one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Role {
    /// 1, 2 or 3, if it is that packet of the three-way handshake.
    pub handshake: Option<u8>,
    /// Does it acknowledge the second FIN? Then it is the last ACK.
    pub is_last_ack: bool,
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct Direction {
    /// The number of the byte that the sender will send next.
    next: u32,
    /// The number of the byte that the sender expects next from the other.
    expects: Option<u32>,
    /// The number after the FIN, once it has been seen.
    after_fin: Option<u32>,
}

#[derive(Clone, Debug)]
struct Connection {
    opener: End,
    client: SocketAddrV4, // the address at the end End::Client
    server: SocketAddrV4,
    cards: Cards, // of a frame that the end End::Client sent
    directions: [Direction; 2],
    third_seen: bool,
    second_fin: Option<End>,
    closed: bool,
}

/// All connections that were seen.
#[derive(Debug, Default)]
pub struct Connections {
    known: HashMap<(SocketAddrV4, SocketAddrV4), Connection>,
}

impl Connections {
    /// Looks at a packet before its fate is decided.
    pub fn see(&mut self, packet: &Packet) -> Role {
        let Some(segment) = packet.segment() else { return Role::default() };
        let key = key(packet.from, segment);
        let from = packet.from;
        if segment.syn && !segment.ack {
            self.open(packet, segment);
        }
        let Some(connection) = self.known.get_mut(&key) else {
            return Role::default();
        };
        let handshake = connection.handshake(from, segment);
        let other = connection.directions[from.other().index()];
        let own = &mut connection.directions[from.index()];
        own.next = segment.next();
        if segment.ack {
            own.expects = Some(segment.acknowledges);
        }
        if segment.fin && own.after_fin.is_none() {
            own.after_fin = Some(segment.next());
            if other.after_fin.is_some() {
                connection.second_fin = Some(from);
            }
        }
        let is_last_ack = segment.ack
            && connection.second_fin == Some(from.other())
            && other.after_fin == Some(segment.acknowledges);
        Role { handshake, is_last_ack }
    }

    /// From which side a packet comes that was seen on one host's loopback,
    /// where all come in alike. The sender of the SYN is the client.
    pub fn side_of(&self, packet: &Packet) -> End {
        let Some(segment) = packet.segment() else { return End::Client };
        let reply = key(End::Server, segment);
        let is_known = |key| self.known.contains_key(&key);
        match is_known(reply) && !is_known(key(End::Client, segment)) {
            true => End::Server,
            false => End::Client,
        }
    }

    /// A packet has been let through: does it end its connection?
    pub fn passed(&mut self, packet: &Packet, role: Role) {
        let Some(segment) = packet.segment() else { return };
        if (role.is_last_ack || segment.rst)
            && let Some(known) = self.known.get_mut(&key(packet.from, segment))
        {
            known.closed = true;
        }
    }

    /// How many connections have not been closed yet.
    pub fn open_count(&self) -> usize {
        self.known.values().filter(|connection| !connection.closed).count()
    }

    fn open(&mut self, packet: &Packet, segment: &Segment) {
        let key = key(packet.from, segment);
        // A SYN that is sent again does not open a second connection.
        if self.known.get(&key).is_some_and(|known| !known.closed) {
            return;
        }
        if self.known.len() >= MOST {
            self.known.retain(|_, connection| !connection.closed);
        }
        if self.known.len() >= MOST {
            return;
        }
        let Cards { source, destination } = packet.cards;
        let cards = match packet.from {
            End::Client => packet.cards,
            End::Server => Cards { source: destination, destination: source },
        };
        let connection = Connection {
            opener: packet.from,
            client: key.0,
            server: key.1,
            cards,
            directions: Default::default(),
            third_seen: false,
            second_fin: None,
            closed: false,
        };
        self.known.insert(key, connection);
    }

    /// Forges an RST for both ends of each open connection, or of the one to
    /// which `packet` belongs. The kernel believes an RST whose number is the
    /// very byte that it expects next (RFC 5961); the cable has seen it.
    pub fn cut(&mut self, packet: Option<&Packet>) -> Vec<(End, Vec<u8>)> {
        let only =
            packet.and_then(|packet| Some(key(packet.from, packet.segment()?)));
        let mut frames = Vec::new();
        for (key, connection) in &mut self.known {
            if connection.closed || only.is_some_and(|only| only != *key) {
                continue;
            }
            connection.closed = true;
            for to in End::BOTH {
                frames.extend(connection.reset(to).map(|frame| (to, frame)));
            }
        }
        frames
    }
}

/// The address at the client's end first.
fn key(from: End, segment: &Segment) -> (SocketAddrV4, SocketAddrV4) {
    match from {
        End::Client => (segment.source, segment.destination),
        End::Server => (segment.destination, segment.source),
    }
}

impl Connection {
    /// 1: SYN. 2: SYN and ACK. 3: the opener's ACK of the second.
    fn handshake(&mut self, from: End, segment: &Segment) -> Option<u8> {
        let other = self.directions[from.other().index()];
        if segment.syn {
            return Some(if segment.ack { 2 } else { 1 });
        }
        let third = from == self.opener
            && !self.third_seen
            && segment.ack
            && other.next == segment.acknowledges;
        self.third_seen |= third;
        third.then_some(3)
    }

    /// The RST that the host at `to` believes to come from its peer.
    fn reset(&self, to: End) -> Option<Vec<u8>> {
        let receiver = self.directions[to.index()];
        let Cards { source, destination } = self.cards;
        let (cards, sender, receiver_at) = match to {
            End::Client => ((destination, source), self.server, self.client),
            End::Server => ((source, destination), self.client, self.server),
        };
        // A host in SYN-SENT expects no number yet. It believes an RST that
        // acknowledges its SYN. One that has sent nothing knows nothing.
        let sequence = match receiver.expects {
            Some(sequence) => sequence,
            None if self.opener == to => 0,
            None => return None,
        };
        let builder = PacketBuilder::ethernet2(cards.0, cards.1)
            .ipv4(sender.ip().octets(), receiver_at.ip().octets(), HOPS)
            .tcp(sender.port(), receiver_at.port(), sequence, 0)
            .rst()
            .ack(receiver.next);
        let mut frame = Vec::with_capacity(builder.size(0));
        builder.write(&mut frame, &[]).ok()?; // writing to memory
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Content;
    use std::net::Ipv4Addr;

    /// A packet of one connection: flags as in `SA`, sequence number,
    /// acknowledgement number, bytes of data.
    fn packet(
        from: End,
        flags: &str,
        numbers: [u32; 2],
        data: usize,
    ) -> Packet {
        let client = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 40000);
        let server = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 12001);
        let (source, destination) = match from {
            End::Client => (client, server),
            End::Server => (server, client),
        };
        let content = Content::Segment(Segment {
            source,
            destination,
            syn: flags.contains('S'),
            ack: flags.contains('A'),
            fin: flags.contains('F'),
            rst: flags.contains('R'),
            sequence: numbers[0],
            acknowledges: numbers[1],
            data,
        });
        Packet { from, cards: Cards::default(), content }
    }

    const C: End = End::Client;
    const S: End = End::Server;

    /// Client 100, server 500; five bytes there and back, client closes.
    fn conversation() -> Vec<Packet> {
        vec![
            packet(C, "S", [100, 0], 0),
            packet(S, "SA", [500, 101], 0),
            packet(C, "A", [101, 501], 0),
            packet(C, "A", [101, 501], 5),
            packet(S, "A", [501, 106], 5),
            packet(C, "FA", [106, 506], 0),
            packet(S, "FA", [506, 107], 0),
            packet(C, "A", [107, 507], 0),
        ]
    }

    #[test]
    fn the_three_packets_of_the_handshake_and_the_last_ack_are_known() {
        let mut table = Connections::default();
        let packets = conversation();
        let roles: Vec<Role> = packets.iter().map(|p| table.see(p)).collect();
        let handshake = roles.iter().map(|role| role.handshake.unwrap_or(0));
        assert_eq!(handshake.collect::<Vec<_>>(), [1, 2, 3, 0, 0, 0, 0, 0]);
        let last = roles.iter().position(|role| role.is_last_ack);
        assert_eq!(last, Some(7));
        assert_eq!(table.open_count(), 1, "nobody says that it passed");
        table.passed(&packets[7], roles[7]);
        assert_eq!(table.open_count(), 0);
    }

    #[test]
    fn a_fin_sent_again_brings_the_last_ack_again() {
        let mut table = Connections::default();
        let packets = conversation();
        for packet in &packets {
            table.see(packet);
        }
        assert!(!table.see(&packets[6]).is_last_ack);
        assert!(table.see(&packets[7]).is_last_ack);
    }

    #[test]
    fn on_loopback_the_client_is_who_sent_the_syn() {
        let mut table = Connections::default();
        let packets = conversation();
        for packet in &packets {
            assert_eq!(table.side_of(packet), packet.from);
            table.see(packet);
        }
    }

    #[test]
    fn a_port_may_be_used_again() {
        let mut table = Connections::default();
        let packets = conversation();
        for packet in packets.iter().chain(&packets) {
            let role = table.see(packet);
            table.passed(packet, role);
        }
        assert_eq!(table.open_count(), 0);
    }

    #[test]
    fn a_cut_tells_each_end_the_number_that_it_expects() {
        let mut table = Connections::default();
        for packet in &conversation()[..5] {
            table.see(packet);
        }
        let frames = table.cut(None);
        let numbers: Vec<(End, u32, u32, bool)> = frames
            .iter()
            .map(|(to, frame)| {
                let packet = Packet::read(to.other(), frame);
                let rst = packet.segment().expect("a segment");
                (*to, rst.sequence, rst.acknowledges, rst.rst)
            })
            .collect();
        assert_eq!(numbers, [(C, 501, 106, true), (S, 106, 506, true)]);
        assert_eq!(table.open_count(), 0);
        assert_eq!(table.cut(None), []);
    }

    #[test]
    fn a_client_that_has_heard_nothing_believes_what_answers_its_syn() {
        let mut table = Connections::default();
        table.see(&packet(C, "S", [100, 0], 0));
        let frames = table.cut(None);
        assert_eq!(frames.len(), 1);
        let rst = Packet::read(S, &frames[0].1);
        assert_eq!(rst.segment().map(|rst| rst.acknowledges), Some(101));
    }

    #[test]
    fn a_flood_of_syns_does_not_fill_the_memory() {
        let mut table = Connections::default();
        for number in 0..10_000u16 {
            let mut syn = packet(C, "S", [0, 0], 0);
            if let Content::Segment(segment) = &mut syn.content {
                segment.source.set_port(number);
            }
            table.see(&syn);
        }
        assert_eq!(table.known.len(), MOST);
    }
}
