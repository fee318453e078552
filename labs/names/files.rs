//! Finds the lines of this machine's own tables that explain an answer. The
//! answer itself comes from the resolver.
//!
//! ```text
//! /etc/hosts       127.0.0.1  localhost     names and addresses of hosts
//! /etc/services    https  443/tcp           names and ports of services
//! ```
//!
//! These files decide whether `localhost` is ::1, and whether this machine's
//! name is 127.0.1.1. A missing file counts as empty.      (viva 9) [T-V4]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use socketlab::console::escape;

use crate::page::{self, item};

/// How many lines of a file are shown for one name.
const SHOWN: usize = 6;

/// A line of a file, without its comment.
struct FileLine {
    number: usize, // from 1
    text: String,  // its words with single blanks between them
}

/// The lines whose words are wanted. The others are not stored, because some
/// hosts files contain long lists of blocked hosts.
fn lines(file: &str, wanted: impl Fn(&[&str]) -> bool) -> Vec<FileLine> {
    // Read as bytes: a comment that is not UTF-8 must not hide the file.
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if wanted(&words) {
            found.push(FileLine { number: index + 1, text: words.join(" ") });
        }
    }
    found
}

/// Lines of /etc/hosts that give this name an address.
fn hosts_lines_of(name: &str) -> Vec<FileLine> {
    lines("/etc/hosts", |words| {
        let mut names = words.iter().skip(1);
        names.any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// The number of the first line of /etc/hosts for this address.
pub fn hosts_line_for(address: IpAddr) -> Option<usize> {
    let is_it = |word: &&str| word.parse() == Ok(address);
    let found = lines("/etc/hosts", |words| words.first().is_some_and(is_it));
    found.first().map(|line| line.number)
}

/// Lines of /etc/services with this name (or alias): `http 80/tcp www`.
fn services_lines_of(name: &str) -> Vec<FileLine> {
    lines("/etc/services", |words| match words {
        [first, _, aliases @ ..] => *first == name || aliases.contains(&name),
        _ => false,
    })
}

/// Is there a table of services at all?
pub fn has_services() -> bool {
    fs::metadata("/etc/services").is_ok_and(|file| file.len() > 0)
}

/// Does the table of services have this name?
pub fn knows_service(name: &str) -> bool {
    !services_lines_of(name).is_empty()
}

/// A hint for an unknown service.
pub fn service_hint(service: &str) -> String {
    let lower = service.to_lowercase();
    if !has_services() {
        return "This machine has no list of services (/etc/services): use \
                the number, such as 80"
            .into();
    }
    if lower != service && knows_service(&lower) {
        return format!("Names of services are in lower case: {lower}");
    }
    format!(
        "/etc/services does not have '{}': use the number, or see \
         `getent services`",
        page::echo(service)
    )
}

/// Prints where a host's addresses come from: which line of /etc/hosts, or
/// another source.
pub fn print_hosts(host: &str, addresses: &[IpAddr]) {
    let lines = hosts_lines_of(host);
    for FileLine { number, text } in lines.iter().take(SHOWN) {
        let address = text.split(' ').next().map(str::parse);
        let used = matches!(address, Some(Ok(ip)) if addresses.contains(&ip));
        let note = if used { "" } else { " (not among the answers)" };
        let text = escape(text.as_bytes());
        item("source", &format!("/etc/hosts, line {number}: {text}{note}"));
    }
    if lines.is_empty() {
        item(
            "source",
            "/etc/hosts has no such line, so another source answered. The \
             line `hosts:` of /etc/nsswitch.conf has the order of the sources",
        );
    }
}

/// Prints the lines of /etc/services with this name.
pub fn print_services(service: &str) {
    let lines = services_lines_of(service);
    for FileLine { number, text } in lines.iter().take(SHOWN) {
        let text = escape(text.as_bytes());
        item("", &format!("/etc/services, line {number}: {text}"));
    }
}

/// Explains these addresses of `localhost` or of this machine's own name.
pub fn why_loopback(addresses: &[IpAddr]) -> Vec<&'static str> {
    let mut lines = Vec::new();
    let first = addresses.first().copied();
    let has = |wanted: Ipv4Addr| addresses.contains(&IpAddr::V4(wanted));
    if first.is_some_and(|ip| ip.is_ipv6() && ip.is_loopback()) {
        lines.push(
            "a client tries ::1 first, the loopback address of IPv6. A server \
             bound to 127.0.0.1 does not listen there, so a client that stops \
             at the first refusal does not reach it",
        );
    }
    if has(Ipv4Addr::new(127, 0, 1, 1)) {
        lines.push(
            "Debian gives the machine's own name the address 127.0.1.1, so \
             that it has one without a network. A server bound to it does not \
             listen on 127.0.0.1, and no other machine can reach it",
        );
    } else if has(Ipv4Addr::LOCALHOST) {
        lines.push(
            "127.0.0.1: only this machine can reach a server bound to it",
        );
    } else if !addresses.iter().any(IpAddr::is_loopback) {
        lines.push(
            "it is the address of an interface: other machines may reach a \
             server bound to it, but 127.0.0.1 does not reach that server",
        );
    }
    lines
}
