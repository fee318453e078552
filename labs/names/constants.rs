//! The names that C, Python and the handout's table give to the numbers of the
//! socket interface.
//!
//! ```text
//! socket( 2 ,       1 ,           6 )           what the kernel gets
//! socket( AF_INET,  SOCK_STREAM,  IPPROTO_TCP ) what a program writes
//!         domain    type          protocol      the table's word
//! ```
//!
//! The numbers differ between systems: AF_INET6 is 10 on Linux and 30 on
//! macOS. The names are the same, so programs use the names.

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

/// The protocol: `IPPROTO_TCP`. 0 asks for the usual protocol of the family
/// and type.                                                      [T-V3]
pub fn protocol(number: i32) -> String {
    match number {
        0 => "0".into(),
        number => format!("{:?}", Protocol::from(number)),
    }
}

/// The usual name of the transport of a socket type: `TCP`, `UDP`.
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

/// The system's text and the name: `Address already in use (EADDRINUSE)`.
pub fn failure(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    format!("{text} ({})", errno(error))
}
