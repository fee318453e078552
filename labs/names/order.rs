//! Explains why the resolver returned its answers in this order, by the rules
//! of RFC 6724 that decide on most machines.
//!
//! ```text
//! name -> [::1, 127.0.0.1]    each with the address it would be
//!           |       |         reached FROM: a UDP socket's connect()
//!         from    from        asks the routing table, and sends nothing
//!          ::1   127.0.0.1
//!           `---v---'
//! rule 1: an address that cannot be reached is last
//! rule 6: the address with the higher precedence is first
//! ```
//!
//! A client tries the answers in this order. If one fails it tries the next,
//! because a server may listen on only one of them.   (viva 10) (try 9)
//!
//! Limit: the other rules compare the scopes, labels and leading bits of
//! address and source. If one of them decided, the program only says that it
//! was another rule.

use std::cmp::Ordering;
use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// An address, and the source address of a packet to it.
pub struct Route {
    /// The address to reach.
    pub to: SocketAddr,
    /// The source address that the kernel would use, or the error.
    pub from: io::Result<IpAddr>,
}

/// Asks the kernel for the route, as the resolver does when it sorts.
pub fn route(to: SocketAddr) -> Route {
    let ask = || {
        let domain = Domain::for_address(to);
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        // Otherwise connect() to the broadcast address fails with EACCES.
        socket.set_broadcast(true)?;
        let mut aim = to;
        if aim.port() == 0 {
            aim.set_port(9); // some systems refuse port 0; nothing is sent
        }
        socket.connect(&aim.into())?;
        let local = socket.local_addr()?.as_socket();
        local.map(|local| local.ip()).ok_or(io::ErrorKind::Other.into())
    };
    Route { to, from: ask() }
}

/// Explains in a sentence why `first` comes before `second`.
pub fn why(first: &Route, second: &Route) -> String {
    let (to, then) = (first.to.ip(), second.to.ip());
    let ((high, kind), (low, other)) = (precedence(to), precedence(then));
    let rule_1 = first.from.is_ok().cmp(&second.from.is_ok());
    let rule_6 = high.cmp(&low);
    match rule_1.then(rule_6) {
        Ordering::Greater if rule_1 == Ordering::Greater => {
            format!("RFC 6724, rule 1: {then} cannot be reached")
        }
        Ordering::Greater => format!(
            "RFC 6724, rule 6: precedence {high} ({kind}) is higher than {low} \
             ({other})"
        ),
        Ordering::Equal => {
            "RFC 6724, rule 10: rules 1 and 6 do not decide. The addresses \
             stay in the order in which they were found, unless scope (rules \
             2 and 8) or common leading bits (rule 9) differ"
                .into()
        }
        Ordering::Less => format!(
            "RFC 6724 would put {then} first by its rules 1 and 6. Another \
             rule decided (2 to 5), or this machine's resolver uses another \
             table (/etc/gai.conf, or that of the older RFC 3484)"
        ),
    }
}

/// The precedence of an address in the RFC's table (2.1), and the table's name
/// for such addresses. Prefixes that are no longer used are omitted.
fn precedence(address: IpAddr) -> (u8, &'static str) {
    match address {
        IpAddr::V4(_) => (35, "IPv4"),
        IpAddr::V6(six) if six.is_loopback() => (50, "::1"),
        IpAddr::V6(six) if six.is_unique_local() => (3, "private IPv6"),
        IpAddr::V6(_) => (40, "IPv6"),
    }
}
