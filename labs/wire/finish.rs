//! Finishes what the sending kernel leaves to its network card. A real card
//! computes checksums and cuts large pieces of a stream into segments; a veth
//! has no card, and the frame would arrive unfinished at the other end.

use etherparse::{
    Ethernet2Header, Ipv4Header, NetHeaders, PacketHeaders, PayloadSlice,
    TcpHeader, TransportHeader, UdpHeader,
};

/// The largest IP packet on an Ethernet cable.
const MTU: usize = 1500;

/// The frame as it has to be on a cable: with right checksums, and as several
/// frames if it is longer than 1,514 bytes. What is not TCP or UDP over IPv4
/// is complete already.
pub fn finish(frame: Vec<u8>) -> Vec<Vec<u8>> {
    finished(&frame).unwrap_or_else(|| vec![frame])
}

fn finished(frame: &[u8]) -> Option<Vec<Vec<u8>>> {
    let headers = PacketHeaders::from_ethernet_slice(frame).ok()?;
    let link = headers.link?.ethernet2()?;
    let Some(NetHeaders::Ipv4(ip, _)) = headers.net else { return None };
    if ip.is_fragmenting_payload() {
        // The kernel has computed the checksum over all fragments itself, and
        // one fragment alone has not the bytes for it.
        return None;
    }
    match (headers.transport?, headers.payload) {
        (TransportHeader::Tcp(tcp), PayloadSlice::Tcp(data)) => {
            segments(&link, &ip, &tcp, data)
        }
        (TransportHeader::Udp(udp), PayloadSlice::Udp(data)) => {
            datagram(&link, &ip, udp, data).map(|frame| vec![frame])
        }
        _ => None,
    }
}

/// Cuts a piece of a stream into segments that fit into a frame.
fn segments(
    link: &Ethernet2Header,
    ip: &Ipv4Header,
    tcp: &TcpHeader,
    data: &[u8],
) -> Option<Vec<Vec<u8>>> {
    let most = MTU.checked_sub(ip.header_len() + tcp.header_len())?;
    let mut pieces: Vec<&[u8]> = data.chunks(most.max(1)).collect();
    if pieces.is_empty() {
        pieces.push(&[]);
    }
    let count = pieces.len();
    let mut frames = Vec::with_capacity(count);
    let mut sequence = tcp.sequence_number;
    for (index, piece) in pieces.into_iter().enumerate() {
        let (mut ip, mut tcp) = (ip.clone(), tcp.clone());
        let is_last = index + 1 == count;
        // FIN and PSH concern the last byte, CWR the first segment.
        tcp.fin &= is_last;
        tcp.psh &= is_last;
        tcp.cwr &= index == 0;
        tcp.sequence_number = sequence;
        sequence = sequence.wrapping_add(u32::try_from(piece.len()).ok()?);
        ip.set_payload_len(tcp.header_len() + piece.len()).ok()?;
        let number = u16::try_from(index).ok()?;
        ip.identification = ip.identification.wrapping_add(number);
        ip.header_checksum = ip.calc_header_checksum();
        tcp.checksum = tcp.calc_checksum_ipv4(&ip, piece).ok()?;
        let mut frame = Vec::with_capacity(MTU + Ethernet2Header::LEN);
        link.write(&mut frame).ok()?;
        ip.write_raw(&mut frame).ok()?;
        tcp.write(&mut frame).ok()?;
        frame.extend_from_slice(piece);
        frames.push(frame);
    }
    Some(frames)
}

fn datagram(
    link: &Ethernet2Header,
    ip: &Ipv4Header,
    mut udp: UdpHeader,
    data: &[u8],
) -> Option<Vec<u8>> {
    udp.checksum = udp.calc_checksum_ipv4(ip, data).ok()?;
    let mut frame = Vec::with_capacity(MTU + Ethernet2Header::LEN);
    link.write(&mut frame).ok()?;
    ip.write_raw(&mut frame).ok()?;
    udp.write(&mut frame).ok()?;
    frame.extend_from_slice(data);
    Some(frame)
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn tcp(data: &[u8]) -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(40000, 12001, 1000, 100)
            .fin()
            .psh()
            .ack(7);
        let mut frame = Vec::new();
        builder.write(&mut frame, data).expect("memory");
        frame
    }

    fn header(frame: &[u8]) -> (Ipv4Header, TcpHeader, Vec<u8>) {
        let headers = PacketHeaders::from_ethernet_slice(frame).expect("sound");
        let Some(NetHeaders::Ipv4(ip, _)) = headers.net else { panic!() };
        let tcp = headers.transport.expect("TCP").tcp().expect("TCP");
        (ip, tcp, headers.payload.slice().to_vec())
    }

    #[test]
    fn a_wrong_checksum_is_set_right() {
        let whole = tcp(b"hello");
        let mut wrong = whole.clone();
        wrong[14 + 20 + 16] ^= 0xff; // in the checksum of the TCP header
        assert_eq!(finish(wrong), [whole]);
    }

    #[test]
    fn a_long_piece_becomes_segments_that_fit() {
        let data: Vec<u8> = (0..10_000u32).map(|n| n as u8).collect();
        let frames = finish(tcp(&data));
        assert_eq!(frames.len(), 7); // 6 * 1460 < 10000
        let mut joined = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            assert!(frame.len() <= 1514);
            let (ip, tcp, piece) = header(frame);
            assert_eq!(tcp.sequence_number, 1000 + 1460 * index as u32);
            assert_eq!(tcp.fin, index == 6, "FIN after the last byte");
            assert_eq!(tcp.calc_checksum_ipv4(&ip, &piece), Ok(tcp.checksum));
            assert_eq!(ip.calc_header_checksum(), ip.header_checksum);
            joined.extend(piece);
        }
        assert_eq!(joined, data);
    }

    #[test]
    fn a_datagram_gets_its_checksum_and_a_fragment_stays() {
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .udp(40000, 12000);
        let mut whole = Vec::new();
        builder.write(&mut whole, b"hi").expect("memory");
        let mut wrong = whole.clone();
        wrong[14 + 20 + 6] ^= 0xff;
        assert_eq!(finish(wrong.clone()), [whole]);
        wrong[14 + 6] |= 0x20; // the flag "more fragments"
        assert_eq!(finish(wrong.clone()), [wrong]);
    }

    #[test]
    fn what_is_not_understood_stays_as_it_is() {
        let nonsense = vec![0xff; 60];
        assert_eq!(finish(nonsense.clone()), [nonsense]);
    }
}
