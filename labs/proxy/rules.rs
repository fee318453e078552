//! Which addresses the proxy may connect to. (viva 7)
//!
//! The ADDRESS is checked and then used, not the name: whoever owns a name can
//! let it point at 127.0.0.1, and differently from one second to the next.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socketlab::net::UdpSocket;

use crate::errors::ErrorPage;

/// Which addresses may be reached.
pub struct Rules {
    /// Where this proxy listens.
    pub own: SocketAddr,
    /// May the inside be reached? As long as only this machine can use the
    /// proxy, nobody reaches more through it than without it.
    pub allow_private: bool,
}

impl Rules {
    /// May this address be connected to?
    pub fn check(&self, address: SocketAddr) -> Result<(), ErrorPage> {
        let ip = address.ip().to_canonical(); // ::ffff:127.0.0.1 is IPv4
        if address.port() == self.own.port() && self.is_own(ip) {
            let why = format!(
                "{address} is this proxy: it would ask itself, and again, \
                 without end."
            );
            return Err(ErrorPage::new(403, why));
        }
        if !self.allow_private && is_inside(ip) {
            let why = format!(
                "{address} is private, and this proxy serves more than its \
                 own machine: it must be no way into the inside. \
                 --allow-private allows it."
            );
            return Err(ErrorPage::new(403, why));
        }
        Ok(())
    }

    /// Would a connection to this address, at our port, arrive here?
    fn is_own(&self, ip: IpAddr) -> bool {
        let own = self.own.ip().to_canonical();
        if ip == own || (ip.is_unspecified() && own.is_loopback()) {
            return true; // Linux takes 0.0.0.0 for this machine
        }
        // Bound to every interface: only an address of this machine can be
        // bound, so try.
        let any = SocketAddr::new(ip, 0);
        own.is_unspecified()
            && UdpSocket::new(any).and_then(|probe| probe.bind(any)).is_ok()
    }
}

/// Not an address of the public internet?
fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local() // also where clouds keep their secrets
                || ip.is_documentation()
                || a == 0
                || a >= 224 // multicast, reserved, broadcast
                || (a == 100 && b & 0xc0 == 64) // a provider's own
                || (a == 198 && b & 0xfe == 18) // benchmarks
                || (a == 192 && b == 0 && c == 0)
        }
        IpAddr::V6(ip) => {
            let [a, b, c, d, .., y, z] = ip.segments();
            // An IPv4 address inside an IPv6 one goes where that one goes.
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

fn v4((high, low): (u16, u16)) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}
