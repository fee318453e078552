//! Proves which addresses the proxy refuses to connect to: pure, no network.

use std::net::{AddrParseError, SocketAddr};

use proxy::rules::Rules;

/// Does a proxy that is open to others refuse this address?
fn is_refused(ip: &str) -> bool {
    let own = SocketAddr::from(([0, 0, 0, 0], 8888));
    let rules = Rules { own, allow_private: false };
    let address = SocketAddr::new(ip.parse().expect("an address"), 80);
    rules.check(address).is_err()
}

#[test]
fn private_and_public_addresses() {
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
        assert!(is_refused(inside), "{inside}");
    }
    for outside in [
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1",
        "64:ff9b::101:101",
    ] {
        assert!(!is_refused(outside), "{outside}");
    }
}

#[test]
fn a_loop_is_found_for_each_form_of_the_address() -> Result<(), AddrParseError>
{
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
