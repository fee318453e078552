//! Asks the kernel for the state of the TCP socket with these two ends, over a
//! netlink socket, as `ss` does. This takes about 20 us; reading
//! `/proc/net/tcp` takes milliseconds, and longer with more sockets. See
//! sock_diag(7).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink,
    recv, send, socket_with,
};

use super::entry::{Entry, state_name};

/// `SOCK_DIAG_BY_FAMILY` of linux/sock_diag.h: the type of the request, and
/// of its reply.
const BY_FAMILY: u16 = 20;

/// `NLMSG_ERROR` of linux/netlink.h: the type of a reply that is an errno.
const ERROR: u16 = 2;

/// `NLM_F_REQUEST` of linux/netlink.h.
const REQUEST: u16 = 1;

/// `IPPROTO_TCP`.
const TCP: u8 = 6;

/// `AF_INET` and `AF_INET6`, as Linux numbers them.
const INET: u8 = 2;
const INET6: u8 = 10;

/// The bytes of a reply: `struct nlmsghdr` and `struct inet_diag_msg`.
const REPLY: usize = 16 + 72;

/// The socket, or `None` when the kernel has none with these two ends. An
/// error means that this kernel does not answer such questions.
pub(super) fn state(
    local: SocketAddr,
    peer: Option<SocketAddr>,
) -> io::Result<Option<Entry>> {
    let family = AddressFamily::NETLINK;
    let flags = SocketFlags::CLOEXEC;
    let protocol = Some(netlink::SOCK_DIAG);
    let kernel = socket_with(family, SocketType::DGRAM, flags, protocol)?;
    let request = request(local, peer);
    send(&kernel, &request, SendFlags::empty())?;
    let mut buffer = [0; 1024];
    // The kernel has replied before send() returns.
    let (count, _) = recv(&kernel, &mut buffer[..], RecvFlags::DONTWAIT)?;
    let reply = buffer.get(..count).unwrap_or_default();
    match number(reply, 4).map(u16::from_ne_bytes) {
        Some(BY_FAMILY) => {}
        Some(ERROR) => {
            let errno = number(reply, 16).map(i32::from_ne_bytes);
            return match errno.map(|errno| -errno) {
                Some(errno) if errno == Errno::NOENT.raw_os_error() => Ok(None),
                Some(errno) => Err(io::Error::from_raw_os_error(errno)),
                None => Err(io::ErrorKind::InvalidData.into()),
            };
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    }
    let entry = parse(reply).ok_or(io::ErrorKind::InvalidData)?;
    // Without a connection of these two ends the kernel finds the listener.
    let found = entry.peer.port() == peer.map_or(0, |peer| peer.port());
    Ok(found.then_some(entry))
}

/// `struct nlmsghdr`, then `struct inet_diag_req_v2`: 72 bytes.
fn request(local: SocketAddr, peer: Option<SocketAddr>) -> Vec<u8> {
    let mut request = Vec::with_capacity(72);
    request.extend(72u32.to_ne_bytes());
    request.extend(BY_FAMILY.to_ne_bytes());
    request.extend(REQUEST.to_ne_bytes());
    request.extend([0; 8]); // sequence number, sender: nobody needs them
    request.extend([family(local), TCP, 0, 0]);
    request.extend(u32::MAX.to_ne_bytes()); // in whatever state
    request.extend(local.port().to_be_bytes());
    request.extend(peer.map_or(0, |peer| peer.port()).to_be_bytes());
    request.extend(sixteen_bytes(Some(local.ip())));
    request.extend(sixteen_bytes(peer.map(|peer| peer.ip())));
    request.extend([0; 4]); // on whatever interface
    request.extend([0xff; 8]); // no cookie
    request
}

fn family(address: SocketAddr) -> u8 {
    match address {
        SocketAddr::V4(_) => INET,
        SocketAddr::V6(_) => INET6,
    }
}

fn sixteen_bytes(ip: Option<IpAddr>) -> [u8; 16] {
    let mut bytes = [0; 16];
    match ip {
        Some(IpAddr::V4(ip)) => {
            for (byte, part) in bytes.iter_mut().zip(ip.octets()) {
                *byte = part;
            }
        }
        Some(IpAddr::V6(ip)) => bytes = ip.octets(),
        None => {}
    }
    bytes
}

/// The reply: `struct nlmsghdr`, then `struct inet_diag_msg`.
fn parse(reply: &[u8]) -> Option<Entry> {
    let reply = reply.get(..REPLY)?;
    let is_ipv4 = *reply.get(16)? == INET;
    let address = |port, at| {
        let ip: [u8; 16] = number(reply, at)?;
        let ip = match (is_ipv4, ip) {
            (true, [a, b, c, d, ..]) => Ipv4Addr::new(a, b, c, d).into(),
            (false, ip) => IpAddr::from(Ipv6Addr::from(ip)),
        };
        let port = u16::from_be_bytes(number(reply, port)?);
        Some(SocketAddr::new(ip, port))
    };
    Some(Entry {
        protocol: "tcp",
        local: address(20, 24)?,
        peer: address(22, 40)?,
        name: state_name(*reply.get(17)?),
        unread: u32::from_ne_bytes(number(reply, 72)?),
        unsent: u32::from_ne_bytes(number(reply, 76)?),
        inode: u32::from_ne_bytes(number(reply, 84)?).into(),
    })
}

/// The bytes of a number that begins at byte `at`.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    /// A listener and a connection to it, both known to the kernel.
    fn the_kernel_knows(host: &str) {
        let Ok(listener) = TcpListener::bind((host, 0)) else { return };
        let local = listener.local_addr().expect("an address");
        let found = state(local, None).expect("an answer").expect("a socket");
        assert_eq!((found.name, found.local), ("LISTEN", local));

        let client = TcpStream::connect(local).expect("it listens");
        let own = client.local_addr().expect("an address");
        let found = state(own, Some(local)).expect("an answer");
        let found = found.expect("a socket");
        assert_eq!((found.name, found.local), ("ESTABLISHED", own));
        assert_eq!(found.peer, local);

        std::io::Write::write_all(&mut &client, b"five!").expect("it is sent");
        let found = state(local, Some(own)).expect("an answer");
        assert_eq!(found.expect("a socket").unread, 5);

        let mut nobody = own;
        nobody.set_port(1);
        assert!(state(local, Some(nobody)).expect("an answer").is_none());
    }

    #[test]
    fn the_kernel_tells_a_sockets_state() {
        the_kernel_knows("127.0.0.1");
        the_kernel_knows("::1");
    }
}
