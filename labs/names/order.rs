//! Which address of a name goes first: the rules of RFC 6724 that decide on
//! most machines, to say why the resolver put its answers in their order.
//!
//! ```text
//! name -> [::1, 127.0.0.1]    each with the address it would be
//!           |       |         reached FROM: a UDP socket's connect()
//!         from    from        asks the routing table, and sends nothing
//!          ::1   127.0.0.1
//!           `---v---'
//! rule 1: an address that cannot be reached goes last
//! rule 6: the higher precedence goes first
//! ```
//!
//! A client takes the answers in this order and goes on to the next when one
//! fails: a server listens on one of them only.       (viva 10) (try 9)
//!
//! Limit: the other rules compare the scopes, labels and leading bits of
//! address and source. Where one of them decided, the program
//! says that it was another rule.

use std::cmp::Ordering;
use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// An address, and where this machine would reach it from.
pub struct Route {
    /// The address to reach.
    pub to: SocketAddr,
    /// The source address that the kernel would take, or why none.
    pub from: io::Result<IpAddr>,
}

/// Asks the kernel for the route, as the resolver does when it sorts.
pub fn route(to: SocketAddr) -> Route {
    let ask = || {
        let domain = Domain::for_address(to);
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        // Without it, the broadcast address is refused with EACCES.
        socket.set_broadcast(true)?;
        let mut aim = to;
        if aim.port() == 0 {
            aim.set_port(9); // some systems refuse 0; nothing is sent anyway
        }
        socket.connect(&aim.into())?;
        let local = socket.local_addr()?.as_socket();
        local.map(|local| local.ip()).ok_or(io::ErrorKind::Other.into())
    };
    Route { to, from: ask() }
}

/// Why `first` goes before `second`, in a sentence.
pub fn why(first: &Route, second: &Route) -> String {
    let (to, then) = (first.to.ip(), second.to.ip());
    let ((high, kind), (low, other)) = (precedence(to), precedence(then));
    let rule_1 = first.from.is_ok().cmp(&second.from.is_ok());
    let rule_6 = high.cmp(&low);
    match rule_1.then(rule_6) {
        Ordering::Greater if rule_1 == Ordering::Greater => {
            format!("RFC 6724, rule 1: there is no way to {then}")
        }
        Ordering::Greater => format!(
            "RFC 6724, rule 6: precedence {high} ({kind}) goes before {low} \
             ({other})"
        ),
        Ordering::Equal => {
            "RFC 6724, rule 10: rules 1 and 6 do not tell them apart. They \
             stay in the order in which they were found, unless scope (rules \
             2 and 8) or common leading bits (rule 9) differ"
                .into()
        }
        Ordering::Less => format!(
            "RFC 6724 would put {then} first by its rules 1 and 6. Another \
             rule decided (2 to 5), or this machine's resolver has a table of \
             its own (/etc/gai.conf, or that of the older RFC 3484)"
        ),
    }
}

/// The precedence of an address, from the RFC's table (2.1), and what the
/// table calls such addresses. Prefixes that are out of use are left out.
fn precedence(address: IpAddr) -> (u8, &'static str) {
    match address {
        IpAddr::V4(_) => (35, "IPv4"),
        IpAddr::V6(six) if six.is_loopback() => (50, "::1"),
        IpAddr::V6(six) if six.is_unique_local() => (3, "private IPv6"),
        IpAddr::V6(_) => (40, "IPv6"),
    }
}
