//! A socket address as the kernel gets it from bind() and connect(): bytes.
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
//! "net" is network byte order: the high byte is first on every machine,
//! because both ends of a connection must read the same number. "own" is this
//! machine's byte order: no packet contains these fields. A C program must
//! call htons(port); Python and Rust do it themselves.     (viva 8) [T-V5]

use std::net::SocketAddr;

use socket2::Domain;

use crate::constants;

/// A field of the struct.
pub struct Field {
    /// Its name in C, without `sin_` or `sin6_`.
    pub name: &'static str,
    /// Its bytes, in the order in memory.
    pub bytes: Vec<u8>,
    /// Its value in words.
    pub meaning: String,
}

fn field(
    name: &'static str,
    bytes: &[u8],
    meaning: impl Into<String>,
) -> Field {
    Field { name, bytes: bytes.to_vec(), meaning: meaning.into() }
}

/// The struct's name and its fields in order.
pub fn fields(address: SocketAddr) -> (&'static str, Vec<Field>) {
    let ip = format!("{}, network order", address.ip());
    match address {
        SocketAddr::V4(four) => {
            let mut fields = family(Domain::IPV4, 16);
            fields.push(port(four.port()));
            fields.push(field("addr", &four.ip().octets(), ip));
            fields.push(field("zero", &[0; 8], "padding"));
            ("sockaddr_in", fields)
        }
        SocketAddr::V6(six) => {
            let (flow, scope) = (six.flowinfo(), six.scope_id());
            let zone = match scope {
                0 => "no zone".to_string(),
                _ => format!("zone: interface number {scope}, own order"),
            };
            let mut fields = family(Domain::IPV6, 28);
            fields.push(port(six.port()));
            let label = "flow label, rarely used";
            fields.push(field("flowinfo", &flow.to_be_bytes(), label));
            fields.push(field("addr", &six.ip().octets(), ip));
            fields.push(field("scope_id", &scope.to_ne_bytes(), zone));
            ("sockaddr_in6", fields)
        }
    }
}

/// The family: two bytes on Linux and Windows. On BSD and macOS the first byte
/// is the length and the second the family.
fn family(domain: Domain, length: u8) -> Vec<Field> {
    let number = i32::from(domain);
    let meaning = format!("{number} = {}", constants::family(domain));
    if cfg!(any(target_vendor = "apple", target_os = "freebsd")) {
        let byte = u8::try_from(number).unwrap_or_default();
        let all = format!("{length} bytes in all");
        let length = field("len", &[length], all);
        return vec![length, field("family", &[byte], meaning)];
    }
    let order = if cfg!(target_endian = "little") { "low" } else { "high" };
    let meaning = format!("{meaning}, own order: {order} byte first");
    let short = u16::try_from(number).unwrap_or_default();
    vec![field("family", &short.to_ne_bytes(), meaning)]
}

fn port(port: u16) -> Field {
    let [high, low] = port.to_be_bytes();
    let meaning = format!("{port} = {high} * 256 + {low}, network order");
    field("port", &[high, low], meaning)
}

/// The bytes in hexadecimal, as in `7f 00 00 01`.
pub fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    bytes.join(" ")
}
