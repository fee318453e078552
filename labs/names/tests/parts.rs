//! The library's functions that need no machine: how words, numbers, bytes
//! and addresses are read and named.

use std::net::{AddrParseError, Ipv4Addr, SocketAddr};

use names::order::{self, Route};
use names::{constants, hostname, ranges, sockaddr};
use rustix::io::Errno;
use socket2::{Domain, Protocol, Type};

#[test]
fn t_v1_numbers_have_the_handouts_names() {
    assert_eq!(constants::family(Domain::IPV4), "AF_INET");
    assert_eq!(constants::family(Domain::IPV6), "AF_INET6");
    assert_eq!(constants::family(Domain::UNIX), "AF_UNIX");
    assert_eq!(constants::kind(Type::STREAM), "SOCK_STREAM");
    assert_eq!(constants::kind(Type::DGRAM), "SOCK_DGRAM");
    assert_eq!(constants::protocol(Protocol::TCP.into()), "IPPROTO_TCP");
    assert_eq!(constants::protocol(0), "0");
}

#[test]
fn t_q5_errors_have_cs_names() {
    let refused = Errno::CONNREFUSED.into();
    let told = constants::failure(&refused);
    assert_eq!(told, "Connection refused (ECONNREFUSED)");
    let unknown = std::io::Error::from_raw_os_error(9999);
    assert_eq!(constants::errno(&unknown), "errno 9999");
}

#[test]
fn t_v4_a_word_is_read_as_the_handouts_table_means_it() {
    for (word, wanted) in [
        ("localhost", Some("localhost")),
        ("[::1]", Some("::1")),
        ("::1", Some("::1")),
        ("fe80::1%lo", Some("fe80::1%lo")),
        ("<broadcast>", Some("255.255.255.255")),
        ("München.de", Some("xn--mnchen-3ya.de")),
        ("http://example.com/x", None),
        ("localhost:80", None),
    ] {
        let asked = hostname::read(word).ok().map(|word| word.ask);
        assert_eq!(asked.as_deref(), wanted);
    }
}

#[test]
fn t_v4_what_dots_mean_is_said() {
    let noted =
        |word: &str| hostname::read(word).expect("a host").notes.join("; ");
    assert!(noted("a..b").contains("an empty label"));
    assert!(noted(".a").contains("an empty label"));
    assert!(noted("localhost.").contains("dot at the end"));
    assert_eq!(noted("www.example.com"), "");
}

#[test]
fn t_v4_old_spellings_are_told() {
    let told = |word| hostname::old_spelling(word, Ipv4Addr::LOCALHOST);
    assert!(told("127.1").is_some_and(|t| t.contains("inet_aton")));
    assert!(told("2130706433").is_some_and(|t| t.contains("127·2^24")));
    assert_eq!(told("127.0.0.1"), None);
    assert_eq!(told("localhost"), None);
    assert_eq!(told("face"), None);
}

/// A `from` that is not an address: it cannot be reached.
fn route(to: &str, from: &str) -> Result<Route, AddrParseError> {
    let to = SocketAddr::new(to.parse()?, 80);
    let from = from.parse().map_err(|_| std::io::ErrorKind::Other.into());
    Ok(Route { to, from })
}

#[test]
fn t_v4_the_rules_of_the_rfc_are_found() -> Result<(), AddrParseError> {
    let six = route("::1", "::1")?;
    let four = route("127.0.0.1", "127.0.0.1")?;
    let native = route("2600::1", "2600::2")?;
    let old = route("192.0.2.1", "198.51.100.1")?;
    let private = route("fd00::1", "fd00::2")?;
    let none = route("2001:db8::1", "-")?;
    for (first, second, wanted) in [
        (&six, &four, "rule 6: precedence 50 (::1) is higher than 35"),
        (&four, &six, "RFC 6724 would put ::1 first"),
        (&four, &none, "cannot be reached"),
        (&none, &four, "would put 127.0.0.1 first"),
        (&four, &four, "rule 10"),
        (&native, &old, "rule 6"),
        (&old, &private, "rule 6: precedence 35 (IPv4) is higher than 3"),
    ] {
        let text = order::why(first, second);
        assert!(text.contains(wanted), "{text}");
    }
    Ok(())
}

#[test]
fn t_q3_ranges_meet_without_a_gap() {
    let first = |port| ranges::iana_range(port).split([',', ':']).next();
    assert_eq!(first(0), Some("reserved"));
    assert_eq!(first(1023), Some("well-known"));
    assert_eq!(first(1024), Some("registered"));
    assert_eq!(first(49151), Some("registered"));
    assert_eq!(first(49152), Some("dynamic or private"));
    assert_eq!(first(65535), Some("dynamic or private"));
}

#[test]
#[cfg(all(target_os = "linux", target_endian = "little"))]
fn t_v4_bytes_are_those_of_linux() -> Result<(), AddrParseError> {
    let bytes = |address: &str| {
        let (_, fields) = sockaddr::fields(address.parse()?);
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
fn t_v5_a_port_has_its_high_byte_first() {
    let address = SocketAddr::from(([127, 0, 0, 1], 443));
    let (_, fields) = sockaddr::fields(address);
    let port = fields.iter().find(|field| field.name == "port");
    let port = port.expect("every sockaddr has one");
    assert_eq!(sockaddr::hex(&port.bytes), "01 bb");
}
