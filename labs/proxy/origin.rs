//! The way to an origin: its addresses, which of them are allowed, connect.
//!
//! ```text
//!   name --getaddrinfo--> addresses --allowed?--> connect()
//!                            |
//!                            +-- this proxy itself      403, a loop
//!                            +-- private, loopback …    403, unless …
//! ```
//! The ADDRESS is checked and then used: whoever owns a name can let it point
//! at 127.0.0.1, and differently from one second to the next. (viva 7)

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socketlab::net::{self, TcpSocket, UdpSocket};

use crate::errors::Problem;
use crate::target::Destination;

/// Which places may be asked.
pub struct Rules {
    /// Where this proxy listens.
    pub own: SocketAddr,
    /// May the inside be reached? As long as only this machine can use the
    /// proxy, nobody reaches more through it than without it.
    pub allow_private: bool,
}

/// Connects to the first address that answers.
pub fn connect(
    destination: &Destination,
    rules: &Rules,
) -> Result<TcpSocket, Problem> {
    let name = &destination.host;
    let addresses = net::resolve(name, destination.port).map_err(|_| {
        // Asking a name server takes a descriptor, too.
        match TcpSocket::new(rules.own) {
            Ok(_) => {
                Problem::new(502, format!("The name {name} was not found."))
            }
            Err(_) => no_descriptor(),
        }
    })?;
    let mut last = None;
    for address in addresses {
        if let Err(problem) = rules.check(address) {
            last = Some(problem);
            continue;
        }
        match dial(address) {
            Ok(origin) => return Ok(origin),
            Err(problem) => last = Some(problem),
        }
    }
    Err(last.unwrap_or_else(|| {
        Problem::new(502, format!("The name {name} has no address."))
    }))
}

fn dial(address: SocketAddr) -> Result<TcpSocket, Problem> {
    let origin = TcpSocket::new(address).map_err(|_| no_descriptor())?;
    match handshake(&origin, address) {
        Ok(()) => Ok(origin),
        Err(error) => Err(unreachable(address, &error)),
    }
}

fn handshake(origin: &TcpSocket, address: SocketAddr) -> socketlab::Result<()> {
    // ---- 6 connect() -----------------------------------------------------
    // From here this program is a client. Waits 10 s at most: SO_SNDTIMEO
    // bounds connect() on Linux, too.
    origin.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    origin.connect(address)?;
    // A server that does not read for 30 s is given up.
    origin.set_send_timeout(Some(net::SEND_TIMEOUT))?;
    origin.set_user_timeout(net::SEND_TIMEOUT)?;
    origin.set_no_delay()
}

fn no_descriptor() -> Problem {
    let why = "This proxy has no descriptor left for a connection to \
               an origin. Try again when others have gone.";
    Problem::new(503, why)
}

/// No connection: whose fault is it?
fn unreachable(address: SocketAddr, error: &socketlab::Error) -> Problem {
    let (status, what) = match error.kind() {
        ErrorKind::ConnectionRefused => {
            (502, "Nothing listens there (ECONNREFUSED).".to_string())
        }
        _ if error.is_timeout() => {
            (504, "No answer to connect() (ETIMEDOUT).".to_string())
        }
        _ => (502, error.to_string()),
    };
    let why = format!("No connection to the origin, {address}. {what}");
    Problem::new(status, why)
}

impl Rules {
    /// May this address be connected to?
    fn check(&self, address: SocketAddr) -> Result<(), Problem> {
        let ip = address.ip().to_canonical(); // ::ffff:127.0.0.1 is IPv4
        if address.port() == self.own.port() && self.is_own(ip) {
            let why = format!(
                "{address} is this proxy: it would ask itself, and again, \
                 without end."
            );
            return Err(Problem::new(403, why));
        }
        if !self.allow_private && is_inside(ip) {
            let why = format!(
                "{address} is private, and this proxy serves more than its \
                 own machine: it must be no way into the inside. \
                 --allow-private allows it."
            );
            return Err(Problem::new(403, why));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::AddrParseError;

    #[test]
    fn inside_and_outside() {
        for inside in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert_eq!(inside.parse().map(is_inside), Ok(true), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1",
            "64:ff9b::101:101",
        ] {
            assert_eq!(outside.parse().map(is_inside), Ok(false), "{outside}");
        }
    }

    #[test]
    fn a_loop_is_found_whatever_the_address_is_called()
    -> Result<(), AddrParseError> {
        for (own, ip, is_loop) in [
            ("127.0.0.1:8888", "127.0.0.1", true),
            ("127.0.0.1:8888", "::ffff:127.0.0.1", true),
            ("127.0.0.1:8888", "0.0.0.0", true),
            ("0.0.0.0:8888", "127.3.2.1", true),
            ("127.0.0.1:8888", "127.0.0.2", false),
            ("0.0.0.0:8888", "192.0.2.1", false),
        ] {
            let own: SocketAddr = own.parse()?;
            let rules = Rules { own, allow_private: true };
            let address = SocketAddr::new(ip.parse()?, own.port());
            assert_eq!(rules.check(address).is_err(), is_loop, "{ip}");
        }
        Ok(())
    }
}
