//! Which address of a name goes first: RFC 6724, as far as a program can see
//! it, to say why the resolver put its answers in their order.
//!
//! ```text
//! name -> [::1, 127.0.0.1]    each with the address it would be
//!           |       |         reached FROM: a UDP socket's connect()
//!         from    from        asks the routing table, and sends nothing
//!          ::1   127.0.0.1
//!           `---v---'
//! the first rule that tells the two apart decides
//! ```
//!
//! A client takes the answers in this order and goes on to the next when one
//! fails: a server listens on one of them only.       (viva 10) (try 9)

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// The policy table of RFC 6724, 2.1: prefix, its bits, precedence, label.
/// The longest prefix that fits counts.
const POLICY: &[(Ipv6Addr, u32, u8, u8)] = &[
    (Ipv6Addr::LOCALHOST, 128, 50, 0),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, 35, 4), // IPv4
    (Ipv6Addr::UNSPECIFIED, 96, 1, 3),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, 5, 5), // Teredo
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, 30, 2), // 6to4
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, 1, 12),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, 1, 11),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, 3, 13), // private IPv6
    (Ipv6Addr::UNSPECIFIED, 0, 40, 1),
];

/// An address, and where this machine would reach it from.
pub struct Way {
    /// Whom to reach.
    pub to: SocketAddr,
    /// The source address that the kernel would take, or why none.
    pub from: io::Result<IpAddr>,
}

/// Asks the kernel for the way, as the resolver does when it sorts.
pub fn way(to: SocketAddr) -> Way {
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
    Way { to, from: ask() }
}

/// Why `first` goes before `second`, in a sentence.
pub fn why(first: &Way, second: &Way) -> String {
    match (decide(first, second), decide(second, first)) {
        (Some(rule), _) => format!("RFC 6724, {rule}"),
        (None, None) => {
            "RFC 6724, rule 10: no rule tells them apart, and so they stay \
             in the order in which they were found"
                .into()
        }
        (None, Some(rule)) => format!(
            "RFC 6724 would put {} first ({rule}); this machine's resolver \
             has a table of its own (/etc/gai.conf, or that of the older \
             RFC 3484)",
            second.to.ip()
        ),
    }
}

/// The first rule that tells the two apart, if it speaks for `a`.
fn decide(a: &Way, b: &Way) -> Option<String> {
    let say = |rule: &str, why: String| Some(format!("{rule}: {why}"));
    let (from_a, from_b) = match (&a.from, &b.from) {
        (Ok(a), Ok(b)) => (*a, *b),
        (Ok(_), Err(_)) => {
            let what = format!("there is no way to {}", b.to.ip());
            return say("rule 1", what);
        }
        _ => return None,
    };
    let (to_a, to_b) = (a.to.ip(), b.to.ip());
    let fits = [
        (scope(to_a) == scope(from_a), scope(to_b) == scope(from_b)),
        (label(to_a) == label(from_a), label(to_b) == label(from_b)),
    ];
    let whys = ["rule 2, same scope as its source", "rule 5, same label"];
    for ((fits_a, fits_b), rule) in fits.into_iter().zip(whys) {
        if fits_a != fits_b {
            let what = format!("{to_a} is reached from its own kind");
            return fits_a.then(|| say(rule, what)).flatten();
        }
    }
    let (high, low) = (precedence(to_a), precedence(to_b));
    if high != low {
        let what = format!(
            "precedence {high} ({}) goes before {low} ({})",
            class(to_a),
            class(to_b)
        );
        return (high > low).then(|| say("rule 6", what)).flatten();
    }
    if scope(to_a) != scope(to_b) {
        let what = "the smaller scope goes first".to_string();
        let smaller = scope(to_a) < scope(to_b);
        return smaller.then(|| say("rule 8", what)).flatten();
    }
    let (shared_a, shared_b) = (shared(to_a, from_a), shared(to_b, from_b));
    if shared_a != shared_b && to_a.is_ipv4() == to_b.is_ipv4() {
        let what = format!("shares more leading bits with its source {from_a}");
        return (shared_a > shared_b).then(|| say("rule 9", what)).flatten();
    }
    None
}

/// As one of IPv6: the table has IPv4 below ::ffff:0:0/96.
fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped(),
        IpAddr::V6(six) => six,
    }
}

fn policy(address: IpAddr) -> (u8, u8) {
    let bits = u128::from(mapped(address));
    let fits = |prefix: &Ipv6Addr, length: u32| {
        let differ = bits ^ u128::from(*prefix);
        differ.leading_zeros() >= length
    };
    let found = POLICY
        .iter()
        .filter(|(prefix, length, _, _)| fits(prefix, *length))
        .max_by_key(|(_, length, _, _)| *length);
    found.map_or((40, 1), |(_, _, precedence, label)| (*precedence, *label))
}

fn precedence(address: IpAddr) -> u8 {
    policy(address).0
}

fn label(address: IpAddr) -> u8 {
    policy(address).1
}

/// How far an address reaches: 2 this link (loopback counts as one), 5 this
/// site, 14 the world.
fn scope(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(four) if four.is_loopback() || four.is_link_local() => 2,
        IpAddr::V4(_) => 14,
        IpAddr::V6(six) if six.is_multicast() => six.octets()[1] & 15,
        IpAddr::V6(six) if six.is_loopback() => 2,
        IpAddr::V6(six) if six.is_unicast_link_local() => 2,
        IpAddr::V6(six) if six.segments()[0] & 0xffc0 == 0xfec0 => 5,
        IpAddr::V6(_) => 14,
    }
}

/// Leading bits that two addresses have in common, 64 at most in IPv6.
fn shared(one: IpAddr, other: IpAddr) -> u32 {
    let differ = u128::from(mapped(one)) ^ u128::from(mapped(other));
    match one {
        IpAddr::V4(_) => differ.leading_zeros(),
        IpAddr::V6(_) => differ.leading_zeros().min(64),
    }
}

fn class(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(six) if six.is_loopback() => "::1",
        IpAddr::V6(six) if six.segments()[0] & 0xfe00 == 0xfc00 => {
            "private IPv6"
        }
        IpAddr::V6(_) => "IPv6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::AddrParseError;

    /// A `from` that is no address: there is no way.
    fn way(to: &str, from: &str) -> Result<Way, AddrParseError> {
        let to = SocketAddr::new(to.parse()?, 80);
        let from = from.parse().map_err(|_| io::ErrorKind::Other.into());
        Ok(Way { to, from })
    }

    #[test]
    fn the_rules_of_the_rfc_are_found() -> Result<(), AddrParseError> {
        let (six, four) = (way("::1", "::1")?, way("127.0.0.1", "127.0.0.1")?);
        let (native, old) =
            (way("2600::1", "2600::2")?, way("192.0.2.1", "198.51.100.1")?);
        // A private source for a public destination: another label.
        let odd = way("2600::1", "fd00::1")?;
        let near = way("10.0.0.1", "10.0.0.2")?;
        let far = way("192.0.2.1", "10.0.0.2")?;
        let none = way("2001:db8::1", "-")?;
        for (first, second, wanted) in [
            (&six, &four, "rule 6: precedence 50 (::1) goes before 35"),
            (&four, &six, "RFC 6724 would put ::1 first (rule 6"),
            (&four, &none, "rule 1: there is no way to"),
            (&four, &four, "rule 10"),
            (&native, &old, "rule 6"),
            (&old, &odd, "rule 5, same label"),
            (&near, &far, "rule 9"),
        ] {
            let text = why(first, second);
            assert!(text.contains(wanted), "{text}");
        }
        Ok(())
    }

    #[test]
    fn the_longest_prefix_counts() -> Result<(), AddrParseError> {
        assert_eq!(policy("::1".parse()?), (50, 0));
        assert_eq!(policy("127.0.0.1".parse()?), (35, 4));
        assert_eq!(policy("fd00::2".parse()?), (3, 13));
        assert_eq!(policy("2600::1".parse()?), (40, 1));
        Ok(())
    }
}
