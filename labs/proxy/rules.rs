//! Which addresses the proxy may connect to. (viva 7)
//!
//! The proxy checks the ADDRESS and connects to the same address. To check the
//! name would not help: its owner can let it point to 127.0.0.1, and can change
//! it from one second to the next (DNS rebinding).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socketlab::net::UdpSocket;

use crate::errors::ErrorPage;

/// The rules of one proxy.
pub struct Rules {
    /// Where this proxy listens.
    pub own: SocketAddr,
    /// Are private addresses allowed? If only this machine can use the proxy,
    /// its users can reach these addresses without the proxy, too.
    pub allow_private: bool,
}

impl Rules {
    /// May the proxy connect to this address?
    pub fn check(&self, address: SocketAddr) -> Result<(), ErrorPage> {
        let ip = address.ip().to_canonical(); // ::ffff:127.0.0.1 is IPv4
        if address.port() == self.own.port() && self.is_own(ip) {
            let why = format!(
                "{address} is this proxy. It would ask itself again and \
                 again, without end."
            );
            return Err(ErrorPage::new(403, why));
        }
        if !self.allow_private && is_inside(ip) {
            let why = format!(
                "{address} is a private address. Other machines can use this \
                 proxy, and they must not reach private addresses through \
                 it. --allow-private allows it."
            );
            return Err(ErrorPage::new(403, why));
        }
        Ok(())
    }

    /// Does a connection to this address, at the proxy's port, arrive here?
    fn is_own(&self, ip: IpAddr) -> bool {
        let own = self.own.ip().to_canonical();
        if ip == own || (ip.is_unspecified() && own.is_loopback()) {
            return true; // on Linux 0.0.0.0 leads to this machine
        }
        // The proxy is bound to 0.0.0.0, that is, to all addresses of this
        // machine. bind() succeeds only with one of them, so we try it.
        let any = SocketAddr::new(ip, 0);
        own.is_unspecified()
            && UdpSocket::new(any).and_then(|probe| probe.bind(any)).is_ok()
    }
}

/// Is this an address outside the public internet? Such addresses lead to this
/// machine, to its local network, or to nobody.
fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local() // in clouds: the machine's access keys
                || ip.is_documentation()
                || a == 0
                || a >= 224 // multicast, reserved, broadcast
                || (a == 100 && b & 0xc0 == 64) // a provider's NAT
                || (a == 198 && b & 0xfe == 18) // benchmarks
                || (a == 192 && b == 0 && c == 0)
        }
        IpAddr::V6(ip) => {
            let [a, b, c, d, .., y, z] = ip.segments();
            // These IPv6 addresses contain an IPv4 address, and packets to
            // them reach it. So the IPv4 address decides.
            let inner = match (a, b) {
                (0x64, 0xff9b) => Some((y, z)), // NAT64
                (0x2002, _) => Some((b, c)),    // 6to4
                (0, 0) if (c, d) == (0, 0) => Some((y, z)),
                _ => None,
            };
            ip.is_loopback()
                || ip.is_unspecified()
                || a & 0xfe00 == 0xfc00 // unique local
                || a & 0xffc0 == 0xfe80 // link-local
                || a & 0xffc0 == 0xfec0 // the old site-local
                || a & 0xff00 == 0xff00 // multicast
                || inner.is_some_and(|pair| is_inside(v4(pair).into()))
        }
    }
}

/// Two 16-bit parts of an IPv6 address as an IPv4 address.
fn v4((high, low): (u16, u16)) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}
