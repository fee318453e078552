//! `names HOST [SERVICE]`: prints every answer of the resolver in detail.
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
//! The program connects to no server. A client tries the answers in their
//! order until a connect() succeeds.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::Duration;

use socketlab::console::escape;
use socketlab::{Error, Result, args, say};

use crate::hostname::HostWord;
use crate::page::{echo, item, text};
use crate::resolver::{self, Answer, NoAnswer};
use crate::sockaddr::Field;
use crate::{constants, files, hostname, order, sockaddr};

/// How many answers are printed; the others are only counted.
const SHOWN: usize = 24;

/// For how many addresses the name is looked up; the others are counted.
const ASKED_BACK: usize = 8;

/// Explains a host, and a service if one is given. `own` is this machine's
/// name. With `back` it also looks up the names of the addresses.
pub fn tell(
    host: &str,
    service: Option<&str>,
    own: &str,
    wait: Duration,
    back: bool,
) -> Result<()> {
    check_service(service);
    if host.is_empty() {
        return tell_empty(service, wait);
    }
    let HostWord { ask, notes } =
        hostname::read(host).unwrap_or_else(|problem| {
            args::usage(&format!("'{}': {problem}", echo(host)))
        });
    let name = escape(own.as_bytes());
    say!("you       gethostname() = '{name}', from this machine's kernel");
    for note in &notes {
        item("note", note);
    }
    let flags = 0; // as Python's; C's NULL hints mean AI_ADDRCONFIG instead
    let answers = resolver::getaddrinfo(Some(&ask), service, flags, wait)
        .map_err(|failure| explained(&ask, service, &failure))?;
    let Some(first) = answers.first() else {
        let why = "getaddrinfo() returned no IPv4 and no IPv6 address";
        return Err(Error::other(why));
    };
    let addresses = distinct(&answers);
    print_answers(&ask, service, &answers);
    print_source(&ask, own, &addresses);
    if let Some(service) = service {
        print_service(service, &answers);
    }
    print_bytes(first.address);
    print_order(&answers);
    if back {
        print_names(&addresses, wait);
    }
    Ok(())
}

/// Refuses numbers that are not a port. C's resolver would use only their
/// low 16 bits, so that 65536 would become 0 without an error.      [T-V5]
fn check_service(service: Option<&str>) {
    let Some(service) = service else { return };
    if service.is_empty() {
        args::usage("SERVICE is empty: omit it, or use http or 80");
    }
    if let Ok(number) = service.parse::<i128>()
        && u16::try_from(number).is_err()
    {
        args::usage(&format!(
            "{number} is not a port: ports are 16 bits, 0 to 65535. C's \
             getaddrinfo() would cut it without an error: 65536 becomes 0"
        ));
    }
}

/// The error text: the failed call, the meaning of its error, and a hint.
fn explained(host: &str, service: Option<&str>, failure: &NoAnswer) -> Error {
    let on = match service {
        Some(service) => format!("'{}', '{}'", echo(host), echo(service)),
        None => format!("'{}'", echo(host)),
    };
    let unknown = service.filter(|service| {
        !files::knows_service(service) && service.parse::<u16>().is_err()
    });
    let hint = match (failure.number(), unknown) {
        (Some(libc::EAI_SERVICE), Some(service)) => {
            files::service_hint(service)
        }
        (Some(number), _) => hostname::hint(host)
            .unwrap_or_else(|| explain::hint("getaddrinfo", number)),
        (None, _) => String::new(),
    };
    let text = match hint.trim_end_matches('.') {
        "" => failure.text.clone(),
        hint => format!("{}. {hint}", failure.text),
    };
    Error::new("getaddrinfo", on, io::Error::other(text))
}

/// The addresses without repetitions: each comes once for TCP, UDP and raw.
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
    let asked = match service {
        Some(service) => format!("'{}', '{}'", echo(host), echo(service)),
        None => format!("'{}', NULL", echo(host)),
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
            without_port(answer.address),
            answer.address.port()
        );
    }
    if count > SHOWN {
        say!("   … and {} more", count - SHOWN);
    }
    if service.is_none() {
        item("note", "no SERVICE, so each port is 0: connect() needs a port");
    }
}

/// An address without its port, with its zone.
fn without_port(address: SocketAddr) -> String {
    let text = address.to_string();
    let host = text.rsplit_once(':').map_or(text.as_str(), |(host, _)| host);
    host.trim_matches(['[', ']']).to_string()
}

/// Prints where the addresses come from.
fn print_source(host: &str, own: &str, addresses: &[IpAddr]) {
    let is_address = host.contains([':', '%'])
        || host.parse().is_ok_and(|ip: IpAddr| addresses == [ip]);
    if addresses.len() == 1 && is_address {
        return item(
            "source",
            "it is an address already: no lookup was needed",
        );
    }
    if let Some(IpAddr::V4(found)) = addresses.first()
        && let Some(note) = hostname::old_spelling(host, *found)
    {
        return item("source", &note);
    }
    files::print_hosts(host, addresses);
    if host.eq_ignore_ascii_case("localhost") || host == own {
        for line in files::why_loopback(addresses) {
            item("so", line);
        }
    }
}

/// Prints the service's port for each transport, and the file's line with it.
fn print_service(service: &str, answers: &[Answer]) {
    if service.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let Some(first) = answers.first() else { return };
    // Each further address has the same ports, so the first one is enough.
    let same = |answer: &&Answer| answer.address.ip() == first.address.ip();
    for answer in answers.iter().filter(same) {
        let transport = constants::transport(answer.kind);
        let port = answer.address.port();
        let text = format!("getservbyname('{service}') = {port}");
        item("service", &format!("{text} for {transport}"));
    }
    files::print_services(service);
}

/// Prints the first answer's sockaddr, byte by byte.
fn print_bytes(address: SocketAddr) {
    let (name, fields) = sockaddr::fields(address);
    let size: usize = fields.iter().map(|field| field.bytes.len()).sum();
    item("bytes", &format!("answer 1 as struct {name}, {size} bytes"));
    for Field { name, bytes, meaning } in fields {
        let hex = sockaddr::hex(&bytes);
        if hex.len() > 24 {
            say!("   {name:<9} {hex}");
            say!("   {:<9} {:<24} {meaning}", "", "");
        } else {
            say!("   {name:<9} {hex:<24} {meaning}");
        }
    }
}

/// Prints which address is tried first, and by which rule.
fn print_order(answers: &[Answer]) {
    let mut routes: Vec<order::Route> = Vec::new();
    for answer in answers {
        if !routes.iter().any(|route| route.to.ip() == answer.address.ip()) {
            routes.push(order::route(answer.address));
        }
    }
    for (index, route) in routes.iter().enumerate().take(SHOWN) {
        let label = ["first", "then"].get(index).copied().unwrap_or_default();
        let to = without_port(route.to);
        item(label, &format!("{to}, {}", reached(route)));
    }
    match routes.as_slice() {
        [first, second, ..] => item("why", &order::why(first, second)),
        _ => item("why", "it is the only address"),
    }
}

/// `reached from 127.0.0.1`, or why not.
fn reached(route: &order::Route) -> String {
    match &route.from {
        Ok(from) => format!("reached from {from}"),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            "cannot be reached without a zone, which names the interface, as \
             in fe80::1%eth0"
                .into()
        }
        Err(error) => {
            let failure = constants::failure(error);
            format!("cannot be reached from here: {failure}")
        }
    }
}

/// Prints the names of the addresses. All lookups run at the same time, one
/// thread each, because each may wait long for a dead name server.
fn print_names(addresses: &[IpAddr], wait: Duration) {
    let asked = addresses.iter().take(ASKED_BACK);
    let lines = thread::scope(|scope| {
        let asking: Vec<_> =
            asked.map(|ip| scope.spawn(move || name_of(*ip, wait))).collect();
        let told = asking.into_iter().map(|thread| thread.join());
        told.flatten().collect::<Vec<String>>()
    });
    for line in lines {
        item("back", &line);
    }
    if let more @ 1.. = addresses.len().saturating_sub(ASKED_BACK) {
        item("back", &format!("… and {more} more addresses, not looked up"));
    }
}

/// The name of an address. The owner of the address writes it into DNS.
fn name_of(ip: IpAddr, wait: Duration) -> String {
    match resolver::getnameinfo(SocketAddr::new(ip, 0), 0, wait) {
        // Without NI_NAMEREQD getnameinfo() returns the address itself if it
        // has no name, perhaps with a zone: `fe80::1%eth0`.
        Ok((host, _))
            if host.split('%').next().map(str::parse) == Some(Ok(ip)) =>
        {
            format!("{ip} has no name: getnameinfo() returns the address")
        }
        Ok((host, _)) => {
            let from = match files::hosts_line_for(ip) {
                Some(number) => format!(" (/etc/hosts, line {number})"),
                None => String::new(),
            };
            format!("{ip} has the name '{}'{from}", escape(host.as_bytes()))
        }
        Err(failure) => format!("{ip}: {}", failure.text),
    }
}

/// Explains an empty host. A flag decides which address it means.
fn tell_empty(service: Option<&str>, wait: Duration) -> Result<()> {
    text(
        "An empty host is not a name. Python's bind(('', port)) means \
         INADDR_ANY, every address of this machine. C's getaddrinfo() uses \
         NULL instead, and a flag decides which address it means.",
    );
    for (flags, label) in [
        (libc::AI_PASSIVE, "AI_PASSIVE, for a server: all interfaces"),
        (0, "no flag, for a client: loopback"),
    ] {
        let service = service.or(Some("0"));
        let answers = resolver::getaddrinfo(None, service, flags, wait)
            .map_err(|failure| explained("", service, &failure))?;
        let found: Vec<String> =
            distinct(&answers).iter().map(IpAddr::to_string).collect();
        item("NULL", &format!("{label}: {}", found.join(" and ")));
    }
    Ok(())
}
