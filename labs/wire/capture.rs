//! The capture: every frame that entered the cable, in a file of the format
//! pcapng, which Wireshark and tshark open. It names the interface and the
//! nanosecond of each frame, and can say something about it in a comment.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use pcap_file::pcapng::blocks::enhanced_packet::{
    EnhancedPacketBlock, EnhancedPacketOption,
};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{PcapNgBlock, PcapNgWriter};
use pcap_file::{DataLink, PcapError};

/// Time stamps are powers of ten: 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// A capture that is being written.
pub struct Capture<W: Write> {
    writer: PcapNgWriter<W>,
}

impl<W: Write> Capture<W> {
    /// Writes the head of the file, which names the interfaces.
    pub fn new(file: W, interfaces: &[String]) -> io::Result<Capture<W>> {
        let mut writer = PcapNgWriter::new(file).map_err(plain)?;
        for name in interfaces {
            let options = vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed(name)),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ];
            let interface = InterfaceDescriptionBlock {
                linktype: DataLink::ETHERNET,
                snaplen: 0, // no limit: every frame is kept to its last byte
                options,
            };
            writer.write_block(&interface.into_block()).map_err(plain)?;
        }
        Ok(Capture { writer })
    }

    /// Writes a frame, with the number of the interface at which it entered.
    pub fn record(
        &mut self,
        interface: usize,
        time: SystemTime,
        frame: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let comment = comment.map(|comment| {
            EnhancedPacketOption::Comment(Cow::Borrowed(comment))
        });
        let packet = EnhancedPacketBlock {
            interface_id: u32::try_from(interface).unwrap_or_default(),
            timestamp: time.duration_since(UNIX_EPOCH).unwrap_or_default(),
            original_len: u32::try_from(frame.len()).unwrap_or(u32::MAX),
            data: Cow::Borrowed(frame),
            options: comment.into_iter().collect(),
        };
        self.writer.write_block(&packet.into_block()).map_err(plain)?;
        Ok(())
    }

    /// Hands all to the kernel, so that a reader sees it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.get_mut().flush()
    }
}

/// The error of the file behind the crate's own.
fn plain(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        error => io::Error::other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcap_file::pcapng::{Block, PcapNgReader};
    use std::time::Duration;

    #[test]
    fn what_is_written_can_be_read_with_its_nanoseconds() {
        let time = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
        let mut file = Vec::new();
        let names = ["client".to_string(), "server".to_string()];
        let mut capture = Capture::new(&mut file, &names).expect("memory");
        let comment = Some("lost by the cable");
        capture.record(1, time, b"frame", comment).expect("memory");
        capture.flush().expect("memory");
        let mut reader = PcapNgReader::new(&file[..]).expect("pcapng");
        let mut seen = Vec::new();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.expect("a block") {
                seen.push(packet.into_owned());
            }
        }
        let [packet] = seen.as_slice() else { panic!("{seen:?}") };
        assert_eq!(packet.interface_id, 1);
        assert_eq!(UNIX_EPOCH + packet.timestamp, time);
        assert_eq!(packet.data.as_ref(), b"frame");
        let comment = EnhancedPacketOption::Comment("lost by the cable".into());
        assert_eq!(packet.options, [comment]);
    }
}
