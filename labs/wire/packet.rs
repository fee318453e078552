//! What the headers of a frame say: from which end it came, and whether it
//! carries a TCP segment, a UDP datagram, or something else.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::{LinkSlice, NetSlice, SlicedPacket, TransportSlice};

/// The two ends of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where the host with the clients is plugged in: 10.0.0.1.
    Client,
    /// Where the host with the servers is plugged in: 10.0.0.2.
    Server,
}

impl End {
    /// Both, in the order of the capture's interfaces.
    pub const BOTH: [End; 2] = [End::Client, End::Server];

    /// The end where a frame from this one leaves the cable.
    pub fn other(self) -> End {
        match self {
            End::Client => End::Server,
            End::Server => End::Client,
        }
    }

    /// Its number among the capture's interfaces.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name in orders, in the narration and in the capture.
    pub fn name(self) -> &'static str {
        match self {
            End::Client => "client",
            End::Server => "server",
        }
    }
}

/// The addresses of a frame's two network cards.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cards {
    /// The sender.
    pub source: [u8; 6],
    /// The receiver.
    pub destination: [u8; 6],
}

/// The header fields of a TCP segment that the cable looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// The sender's address and port.
    pub source: SocketAddrV4,
    /// The receiver's address and port.
    pub destination: SocketAddrV4,
    /// The flag SYN: the sender opens its direction.
    pub syn: bool,
    /// The flag ACK: the acknowledgement number counts.
    pub ack: bool,
    /// The flag FIN: the sender's data has ended.
    pub fin: bool,
    /// The flag RST: the connection is over at once.
    pub rst: bool,
    /// The number of the segment's first byte.
    pub sequence: u32,
    /// The number of the byte that the sender expects next.
    pub acknowledges: u32,
    /// How many bytes of data it carries.
    pub data: usize,
}

impl Segment {
    /// The number of the byte that follows this segment. SYN and FIN count as
    /// one byte each, so that they can be acknowledged.
    pub fn next(&self) -> u32 {
        let flags = u32::from(self.syn) + u32::from(self.fin);
        let data = u32::try_from(self.data).unwrap_or(u32::MAX);
        self.sequence.wrapping_add(data).wrapping_add(flags)
    }

    /// Is it an acknowledgement and nothing else?
    pub fn is_bare_ack(&self) -> bool {
        self.ack && self.data == 0 && !(self.syn || self.fin || self.rst)
    }
}

/// What a frame carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A TCP segment.
    Segment(Segment),
    /// A UDP datagram, or the first fragment of one.
    Datagram {
        /// The sender's address and port.
        source: SocketAddrV4,
        /// The receiver's address and port.
        destination: SocketAddrV4,
        /// How many bytes of data this frame carries.
        data: usize,
    },
    /// A question for a card's address, or the answer to one.
    Arp,
    /// Anything else: ICMP, a later fragment, IPv6.
    Other(&'static str),
}

/// A frame as the cable sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// The end at which it entered the cable.
    pub from: End,
    /// The cards that it names.
    pub cards: Cards,
    /// What it carries.
    pub content: Content,
}

impl Packet {
    /// Reads the headers. A frame that makes no sense is `Other`.
    pub fn read(from: End, frame: &[u8]) -> Packet {
        let unknown = Packet {
            from,
            cards: Cards::default(),
            content: Content::Other("a frame that is not understood"),
        };
        let Ok(sliced) = SlicedPacket::from_ethernet(frame) else {
            return unknown;
        };
        let cards = match &sliced.link {
            Some(LinkSlice::Ethernet2(link)) => {
                let link = link.to_header();
                Cards { source: link.source, destination: link.destination }
            }
            _ => return unknown,
        };
        Packet { from, cards, content: content(&sliced) }
    }

    /// The segment, if it is one.
    pub fn segment(&self) -> Option<&Segment> {
        match &self.content {
            Content::Segment(segment) => Some(segment),
            _ => None,
        }
    }
}

fn content(sliced: &SlicedPacket<'_>) -> Content {
    let (source, destination) = match &sliced.net {
        Some(NetSlice::Ipv4(ip)) => {
            let ip = ip.header();
            (ip.source_addr(), ip.destination_addr())
        }
        Some(NetSlice::Ipv6(_)) => return Content::Other("IPv6"),
        Some(NetSlice::Arp(_)) => return Content::Arp,
        _ => return Content::Other("a frame without IP"),
    };
    let at = |host: Ipv4Addr, port| SocketAddrV4::new(host, port);
    match &sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => Content::Segment(Segment {
            source: at(source, tcp.source_port()),
            destination: at(destination, tcp.destination_port()),
            syn: tcp.syn(),
            ack: tcp.ack(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            sequence: tcp.sequence_number(),
            acknowledges: tcp.acknowledgment_number(),
            data: tcp.payload().len(),
        }),
        Some(TransportSlice::Udp(udp)) => Content::Datagram {
            source: at(source, udp.source_port()),
            destination: at(destination, udp.destination_port()),
            data: udp.payload().len(),
        },
        Some(TransportSlice::Icmpv4(_)) => Content::Other("ICMP"),
        _ => Content::Other("a fragment, or another protocol"),
    }
}

/// `client -> server  SYN 40000 > 12001`: the line of the narration.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}  ", self.from.name(), self.from.other().name())?;
        let segment = match &self.content {
            Content::Segment(segment) => segment,
            Content::Datagram { source, destination, data } => {
                let (from, to) = (source.port(), destination.port());
                return write!(f, "datagram {from} > {to}, {data} bytes");
            }
            Content::Arp => return f.write_str("ARP"),
            Content::Other(what) => return f.write_str(what),
        };
        let flags = [
            (segment.syn, "SYN"),
            (segment.fin, "FIN"),
            (segment.rst, "RST"),
            (segment.data > 0, "data"),
            (segment.ack, "ACK"),
        ];
        let flags = flags.iter().filter(|(set, _)| *set);
        let flags: Vec<&str> = flags.map(|(_, name)| *name).collect();
        let (from, to) = (segment.source.port(), segment.destination.port());
        write!(f, "{} {from} > {to}", flags.join(", "))?;
        match segment.data {
            0 => Ok(()),
            data => write!(f, ", {data} bytes"),
        }
    }
}
