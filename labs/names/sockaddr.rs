//! An address as bind() and connect() get it: bytes in memory.
//!
//! ```text
//! struct sockaddr_in           struct sockaddr_in6
//! +------+------+----------+   +------+------+----------+------+-----+
//! |family| port | address  |   |family| port | flowinfo | addr | zone|
//! |  2   |  2   | 4, pad 8 |   |  2   |  2   |    4     |  16  |  4  |
//! +------+------+----------+   +------+------+----------+------+-----+
//!  own    net    net            own    net    net        net    own
//! ```
//!
//! "net" is network byte order: the high byte first, on every machine,
//! because both ends of a wire must read the same number. "own" is this
//! machine's order: those fields never leave it. C writes htons(port);
//! Python and Rust do it inside their address types.       (viva 8) [T-V5]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use socket2::Domain;

use crate::constants;

/// A field: its bytes, its name, what it means.
pub struct Field {
    /// As they lie in memory.
    pub bytes: Vec<u8>,
    /// As C names it, without `sin_` or `sin6_`.
    pub name: &'static str,
    /// In words.
    pub meaning: String,
}

/// The struct's name and its fields in order.
pub fn fields(address: SocketAddr) -> (&'static str, Vec<Field>) {
    match address {
        SocketAddr::V4(four) => ("sockaddr_in", fields_4(four)),
        SocketAddr::V6(six) => ("sockaddr_in6", fields_6(six)),
    }
}

fn fields_4(address: SocketAddrV4) -> Vec<Field> {
    let ip: Ipv4Addr = *address.ip();
    let mut fields = family(Domain::IPV4, 16);
    fields.push(port(address.port()));
    fields.push(Field {
        bytes: ip.octets().to_vec(),
        name: "addr",
        meaning: format!("{ip}, network order"),
    });
    fields.push(Field {
        bytes: vec![0; 8],
        name: "zero",
        meaning: "padding".into(),
    });
    fields
}

fn fields_6(address: SocketAddrV6) -> Vec<Field> {
    let ip: Ipv6Addr = *address.ip();
    let mut fields = family(Domain::IPV6, 28);
    fields.push(port(address.port()));
    fields.push(Field {
        bytes: address.flowinfo().to_be_bytes().to_vec(),
        name: "flowinfo",
        meaning: "flow label, hardly used".into(),
    });
    fields.push(Field {
        bytes: ip.octets().to_vec(),
        name: "addr",
        meaning: format!("{ip}, network order"),
    });
    let zone = match address.scope_id() {
        0 => "no zone".to_string(),
        zone => format!("zone: interface number {zone}, own order"),
    };
    fields.push(Field {
        bytes: address.scope_id().to_ne_bytes().to_vec(),
        name: "scope_id",
        meaning: zone,
    });
    fields
}

/// Two bytes on Linux and Windows; BSD and macOS have the length in the
/// first and the family in the second.
fn family(domain: Domain, length: u8) -> Vec<Field> {
    let number = i32::from(domain);
    let name = constants::family(number);
    let short = u16::try_from(number).unwrap_or_default();
    if cfg!(any(target_vendor = "apple", target_os = "freebsd")) {
        let byte = u8::try_from(number).unwrap_or_default();
        let length = Field {
            bytes: vec![length],
            name: "len",
            meaning: format!("{length} bytes in all"),
        };
        let family = Field {
            bytes: vec![byte],
            name: "family",
            meaning: format!("{number} = {name}"),
        };
        return vec![length, family];
    }
    let order = if cfg!(target_endian = "little") {
        "low byte first"
    } else {
        "high byte first"
    };
    vec![Field {
        bytes: short.to_ne_bytes().to_vec(),
        name: "family",
        meaning: format!("{number} = {name}, own order: {order}"),
    }]
}

fn port(port: u16) -> Field {
    let [high, low] = port.to_be_bytes();
    Field {
        bytes: vec![high, low],
        name: "port",
        meaning: format!("{port} = {high} * 256 + {low}, network order"),
    }
}

/// `7f 00 00 01`.
pub fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    bytes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_os = "linux", target_endian = "little"))]
    fn bytes_are_those_of_linux() -> Result<(), std::net::AddrParseError> {
        let bytes = |address: &str| {
            let (_, fields) = fields(address.parse()?);
            Ok(fields.into_iter().flat_map(|f| f.bytes).collect::<Vec<u8>>())
        };
        let four = [2, 0, 1, 0xbb, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(bytes("127.0.0.1:443")?, four);
        let six = bytes("[fe80::1%2]:80")?;
        assert_eq!(six.len(), 28);
        assert_eq!(six[..8], [10, 0, 0, 80, 0, 0, 0, 0]);
        assert_eq!(six[24..], [2, 0, 0, 0]);
        Ok(())
    }

    #[test]
    fn a_port_has_its_high_byte_first() {
        assert_eq!(hex(&port(443).bytes), "01 bb");
    }
}
