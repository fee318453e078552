//! Numbers of the socket interface under the names that C, Python and the
//! handout's vocabulary table give them.
//!
//! ```text
//! socket( 2 ,       1 ,           6 )           what the kernel is told
//! socket( AF_INET,  SOCK_STREAM,  IPPROTO_TCP ) what a person writes
//!         domain    type          protocol      what the table says
//! ```
//!
//! The numbers differ between systems (AF_INET6 is 10 on Linux, 30 on macOS),
//! the names do not: that is what the constants are for.

use std::io;

use socket2::{Domain, Protocol, Type};

/// The domain, or address family: `AF_INET`. (PF_INET, "protocol family",
/// is an older name for the same number.)                         [T-V1]
pub fn family(number: i32) -> String {
    format!("{:?}", Domain::from(number)) // socket2 prints the C names
}

/// The type: `SOCK_STREAM`.                                       [T-V2]
pub fn kind(number: i32) -> String {
    format!("{:?}", Type::from(number))
}

/// The protocol: `IPPROTO_TCP`; 0 is no protocol but the request for the
/// family's usual one.                                            [T-V3]
pub fn protocol(number: i32) -> String {
    match number {
        0 => "0".into(),
        number => format!("{:?}", Protocol::from(number)),
    }
}

/// `TCP`, `UDP`: what people call the transport of an answer.
pub fn transport(kind: i32) -> &'static str {
    match Type::from(kind) {
        Type::STREAM => "TCP",
        Type::DGRAM => "UDP",
        _ => "raw IP",
    }
}

/// The name of what a system call reported: `EADDRINUSE`.
pub fn errno(error: &io::Error) -> String {
    let number = error.raw_os_error().unwrap_or_default();
    let known = explain::errno(number).map(|entry| entry.name.to_string());
    known.unwrap_or_else(|| format!("errno {number}"))
}

/// The system's words for it, too: `Address already in use (EADDRINUSE)`.
pub fn failure(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    format!("{text} ({})", errno(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn numbers_have_the_handouts_names() {
        assert_eq!(family(Domain::IPV4.into()), "AF_INET");
        assert_eq!(family(Domain::IPV6.into()), "AF_INET6");
        assert_eq!(family(Domain::UNIX.into()), "AF_UNIX");
        assert_eq!(kind(Type::STREAM.into()), "SOCK_STREAM");
        assert_eq!(kind(Type::DGRAM.into()), "SOCK_DGRAM");
        assert_eq!(protocol(Protocol::TCP.into()), "IPPROTO_TCP");
        assert_eq!(protocol(0), "0");
    }

    #[test]
    fn errors_have_cs_names() {
        let refused = Errno::CONNREFUSED.into();
        assert_eq!(failure(&refused), "Connection refused (ECONNREFUSED)");
        let unknown = io::Error::from_raw_os_error(9999);
        assert_eq!(errno(&unknown), "errno 9999");
    }
}
