//! Where an answer came from: the line that is responsible, as far as a line
//! of this machine's own files is.
//!
//! ```text
//! localhost --> /etc/hosts, line 1: 127.0.0.1 localhost
//! http      --> /etc/services, line 45: http 80/tcp www
//! example.org   no line: the next source of /etc/nsswitch.conf, DNS
//! ```
//!
//! This is why `localhost` may be ::1, and this machine's own name 127.0.1.1:
//! somebody wrote it there.                              (viva 9) [T-V4]

use std::net::{IpAddr, Ipv4Addr};

use socketlab::console::escape;

use crate::page::item;
use crate::resolver::Answer;
use crate::{constants, files, hostname};

/// Where the addresses come from: which line, or which other source.
pub fn print_hosts(host: &str, own: &str, addresses: &[IpAddr]) {
    if let [only] = addresses
        && (host.parse() == Ok(*only) || host.contains([':', '%']))
    {
        item("source", "it is an address already: nobody was asked");
        return;
    }
    let first = addresses.first();
    if let Some(IpAddr::V4(found)) = first
        && let Some(note) = hostname::old_spelling(host, *found)
    {
        item("source", &note);
        return;
    }
    let lines = files::hosts_lines_of(host);
    for line in lines.iter().take(files::SHOWN) {
        let text = escape(line.text.as_bytes());
        let used = addresses.iter().any(|address| line.is_for(*address));
        let note = if used { "" } else { " (not among the answers)" };
        let number = line.number;
        item("source", &format!("/etc/hosts, line {number}: {text}{note}"));
    }
    let order = files::sources();
    let order = order.as_deref().unwrap_or("no /etc/nsswitch.conf says");
    if lines.is_empty() {
        let text = "no line of /etc/hosts: another source answered";
        item("source", &format!("{text}. Their order is: {order}"));
    }
    if host.eq_ignore_ascii_case("localhost") || host == own {
        for line in why_loopback(addresses) {
            item("so", line);
        }
    }
}

/// What it means that `localhost`, or this machine's own name, is this.
fn why_loopback(addresses: &[IpAddr]) -> Vec<&'static str> {
    let mut lines = Vec::new();
    let first = addresses.first().copied();
    let has = |wanted: IpAddr| addresses.contains(&wanted);
    let one = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if first.is_some_and(|ip| ip.is_ipv6() && ip.is_loopback()) {
        lines.push(
            "::1, loopback in IPv6, is tried first; a server bound to \
             127.0.0.1 is not there, and a client that stops at the first \
             refusal never finds it",
        );
    }
    if has(IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1))) {
        lines.push(
            "127.0.1.1 is Debian's line for the machine's own name, so that \
             it has an address without a network. A server bound to it is \
             not on 127.0.0.1, and no other machine can reach it",
        );
    } else if has(one) {
        lines.push(
            "127.0.0.1: only this machine can reach a server bound to it",
        );
    } else if !addresses.iter().any(IpAddr::is_loopback) {
        lines.push(
            "an address of an interface: other machines may reach a server \
             bound to it, and 127.0.0.1 is not it",
        );
    }
    lines
}

pub fn print_service(service: &str, answers: &[Answer]) {
    if service.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let first = answers.first().map(|answer| answer.address.ip());
    for answer in answers {
        if Some(answer.address.ip()) != first {
            continue; // the same once more, for the next address
        }
        let transport = constants::transport(answer.kind);
        item(
            "service",
            &format!(
                "getservbyname('{service}') = {} for {transport}",
                answer.address.port()
            ),
        );
    }
    for line in files::services_lines_of(service).iter().take(files::SHOWN) {
        let text = escape(line.text.as_bytes());
        let number = line.number;
        item("", &format!("/etc/services, line {number}: {text}"));
    }
}
