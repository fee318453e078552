//! Numbers of the socket interface under the names that C, Python and the
//! handout's vocabulary table give them.
//!
//! ```text
//! socket( 2 ,       1 ,           6 )           what the kernel gets
//! socket( AF_INET,  SOCK_STREAM,  IPPROTO_TCP ) what a person writes
//!         domain    type          protocol      what the table says
//! ```
//!
//! The numbers differ between systems (AF_INET6 is 10 on Linux, 30 on macOS),
//! but the names are the same: that is what the constants are for.

use std::io;

use socket2::{Domain, Protocol, Type};

/// The domain, or address family: `AF_INET`. (PF_INET, "protocol family",
/// is an older name for the same number.)                         [T-V1]
pub fn family(domain: impl Into<Domain>) -> String {
    format!("{:?}", domain.into()) // socket2 prints the C names
}

/// The type: `SOCK_STREAM`.                                       [T-V2]
pub fn kind(kind: impl Into<Type>) -> String {
    format!("{:?}", kind.into())
}

/// The protocol: `IPPROTO_TCP`. 0 is not a protocol: it asks for the usual
/// one of the family.                                             [T-V3]
pub fn protocol(number: i32) -> String {
    match number {
        0 => "0".into(),
        number => format!("{:?}", Protocol::from(number)),
    }
}

/// `TCP`, `UDP`: what people call the transport of a socket type.
pub fn transport(kind: i32) -> &'static str {
    match Type::from(kind) {
        Type::STREAM => "TCP",
        Type::DGRAM => "UDP",
        _ => "raw IP",
    }
}

/// The name of the error that a system call reported: `EADDRINUSE`.
pub fn errno(error: &io::Error) -> String {
    let number = error.raw_os_error().unwrap_or_default();
    let known = explain::errno(number).map(|entry| entry.name.to_string());
    known.unwrap_or_else(|| format!("errno {number}"))
}

/// The same after the system's words: `Address already in use (EADDRINUSE)`.
pub fn failure(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    format!("{text} ({})", errno(error))
}
