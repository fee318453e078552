//! `names HOST [SERVICE]`: every answer of the resolver, and what is in it.
//!
//! ```text
//! "localhost"  "http"            words
//!      |          |
//! 2 getaddrinfo() ---------> /etc/hosts, DNS        /etc/services
//!      |
//! AF_INET SOCK_STREAM IPPROTO_TCP   -> socket(): its three arguments
//! 127.0.0.1 80 = 02 00 00 50 7f …   -> connect(): a sockaddr
//!      |
//! 3 getnameinfo() ---------> a name for the address
//! ```
//!
//! Nothing is connected. The order of the answers is advice: a client tries
//! them one by one until a connect() succeeds.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socketlab::console::{escape, escape_short};
use socketlab::{Error, Result, args, say};

use crate::page::{item, text};
use crate::resolver::{self, Answer, Question};
use crate::{constants, fail, hostname, order, reverse, sockaddr, source};

/// Answers that are printed; the rest is counted.
const SHOWN: usize = 24;

/// Tells all that there is to say of a host, and of a service if one is given.
pub fn tell(
    host: &str,
    service: Option<&str>,
    own: &str,
    wait: Duration,
    back: bool,
) -> Result<()> {
    fail::check_service(service);
    if host.is_empty() {
        return tell_empty(service, wait);
    }
    let read = hostname::read(host).unwrap_or_else(|problem| {
        let host = escape_short(host.as_bytes(), fail::ECHOED);
        args::usage(&format!("'{host}': {problem}"))
    });
    let name = escape(own.as_bytes());
    say!("you       gethostname() = '{name}', from this machine's kernel");
    for note in &read.notes {
        item("note", note);
    }
    let question = Question {
        host: Some(read.ask.clone()),
        service: service.map(str::to_string),
        flags: 0, // as Python's; C's NULL hints mean AI_ADDRCONFIG instead
    };
    let answers = resolver::getaddrinfo(&question, wait)
        .map_err(|failure| fail::explained(&read.ask, service, &failure))?;
    if answers.is_empty() {
        return Err(Error::other("getaddrinfo(): neither IPv4 nor IPv6"));
    }
    let addresses = distinct(&answers);
    print_answers(&read.ask, service, &answers);
    source::print_hosts(&read.ask, own, &addresses);
    if let Some(service) = service {
        source::print_service(service, &answers);
    }
    for (index, answer) in first_of_each_family(&answers) {
        print_bytes(index, answer);
    }
    print_order(&answers);
    if back {
        for line in reverse::names(&addresses, wait) {
            item("back", &line);
        }
    }
    Ok(())
}

/// The addresses without their repetitions, one for TCP, one for UDP, ….
fn distinct(answers: &[Answer]) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for answer in answers {
        if !addresses.contains(&answer.address.ip()) {
            addresses.push(answer.address.ip());
        }
    }
    addresses
}

fn print_answers(host: &str, service: Option<&str>, answers: &[Answer]) {
    let shown = |word: &str| escape_short(word.as_bytes(), fail::ECHOED);
    let asked = match service {
        Some(service) => format!("'{}', '{}'", shown(host), shown(service)),
        None => format!("'{}', NULL", shown(host)),
    };
    let count = answers.len();
    let many = if count == 1 { "answer" } else { "answers" };
    item("asked", &format!("getaddrinfo({asked}): {count} {many}"));
    say!("   domain    type         protocol     hostname and port");
    for (index, answer) in answers.iter().enumerate().take(SHOWN) {
        say!(
            "{:>2} {:<9} {:<12} {:<12} {} {}",
            index + 1,
            constants::family(answer.family),
            constants::kind(answer.kind),
            constants::protocol(answer.protocol),
            place(answer.address),
            answer.address.port()
        );
    }
    if count > SHOWN {
        say!("   … and {} more", count - SHOWN);
    }
    if service.is_none() {
        item("note", "no SERVICE, so each port is 0: connect() wants one");
    }
}

/// An address without its port, with its zone.
fn place(address: SocketAddr) -> String {
    let text = address.to_string();
    let host = text.rsplit_once(':').map_or(text.as_str(), |(host, _)| host);
    host.trim_matches(['[', ']']).to_string()
}

/// The first answer of either family, with its number in the list.
fn first_of_each_family(answers: &[Answer]) -> Vec<(usize, &Answer)> {
    let mut found: Vec<(usize, &Answer)> = Vec::new();
    for (index, answer) in answers.iter().enumerate() {
        if !found.iter().any(|(_, known)| known.family == answer.family) {
            found.push((index + 1, answer));
        }
    }
    found
}

/// The sockaddr, byte by byte.
fn print_bytes(index: usize, answer: &Answer) {
    let (name, fields) = sockaddr::fields(answer.address);
    let size: usize = fields.iter().map(|field| field.bytes.len()).sum();
    item("bytes", &format!("answer {index} as struct {name}, {size} bytes"));
    for field in fields {
        let hex = sockaddr::hex(&field.bytes);
        if hex.len() > 24 {
            say!("   {:<9} {hex}", field.name);
            say!("   {:<9} {:<24} {}", "", "", field.meaning);
        } else {
            say!("   {:<9} {hex:<24} {}", field.name, field.meaning);
        }
    }
}

/// Which address is tried first, and the rule that says so.
fn print_order(answers: &[Answer]) {
    let mut ways: Vec<order::Way> = Vec::new();
    for answer in answers {
        if !ways.iter().any(|way| way.to.ip() == answer.address.ip()) {
            ways.push(order::way(answer.address));
        }
    }
    let mut ways = ways.iter();
    let Some(first) = ways.next() else { return };
    item("first", &format!("{}, {}", place(first.to), told(first)));
    let Some(second) = ways.next() else {
        item("why", "it is the only address: there is nothing to choose");
        return;
    };
    item("then", &format!("{}, {}", place(second.to), told(second)));
    for way in ways.take(SHOWN) {
        item("", &format!("{}, {}", place(way.to), told(way)));
    }
    item("why", &order::why(first, second));
}

/// `reached from 127.0.0.1`, or why not.
fn told(way: &order::Way) -> String {
    match &way.from {
        Ok(from) => format!("reached from {from}"),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            "not to be reached without a zone: fe80::1%eth0 says by which \
             interface"
                .into()
        }
        Err(error) => {
            format!(
                "not to be reached from here: {}",
                constants::failure(error)
            )
        }
    }
}

/// An empty host: everybody or nobody, by a flag.
fn tell_empty(service: Option<&str>, wait: Duration) -> Result<()> {
    text(
        "An empty name is no name. Python's bind(('', port)) means INADDR_ANY, \
         every address of this machine; C's getaddrinfo() takes NULL for it, \
         and a flag says whose address that is.",
    );
    for (flags, name) in [(libc::AI_PASSIVE, "AI_PASSIVE"), (0, "no flag")] {
        let service = service.unwrap_or("0");
        let question =
            Question { host: None, service: Some(service.to_string()), flags };
        let answers = resolver::getaddrinfo(&question, wait)
            .map_err(|failure| fail::explained("", Some(service), &failure))?;
        let found: Vec<String> =
            distinct(&answers).iter().map(IpAddr::to_string).collect();
        let whom = match flags {
            0 => "for a client: loopback",
            _ => "for a server: all interfaces",
        };
        item("NULL", &format!("{name}, {whom}: {}", found.join(" and ")));
    }
    Ok(())
}
