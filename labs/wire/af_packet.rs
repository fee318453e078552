//! C's names for raw sockets, which only Linux has. On other systems this file
//! has stand-ins, so that the program can be built and prints an error there.

use nix::sys::socket::{AddressFamily, LinkAddr, SockProtocol};

/// The family of sockets that are bound to an interface, below IP.
#[cfg(target_os = "linux")]
pub const AF_PACKET: AddressFamily = AddressFamily::Packet;
/// A stand-in.
#[cfg(not(target_os = "linux"))]
pub const AF_PACKET: AddressFamily = AddressFamily::Unix;

/// Frames of every protocol. (In C it is written `htons(ETH_P_ALL)`.)
#[cfg(target_os = "linux")]
pub const ETH_P_ALL: SockProtocol = SockProtocol::EthAll;
/// A stand-in.
#[cfg(not(target_os = "linux"))]
pub const ETH_P_ALL: SockProtocol = SockProtocol::Udp;

/// Did the frame leave by the interface, `PACKET_OUTGOING`? Otherwise it came
/// in.
#[cfg(target_os = "linux")]
pub fn is_outgoing(from: &LinkAddr) -> bool {
    from.pkttype() == 4
}
/// A stand-in.
#[cfg(not(target_os = "linux"))]
pub fn is_outgoing(_: &LinkAddr) -> bool {
    false
}
