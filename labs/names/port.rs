//! `names port NUMBER`: what the number says, what this machine says.
//!
//! ```text
//! 443 --> range     IANA's list        ranges.rs
//!     --> here      /proc/sys/net      ranges.rs
//!     --> service   /etc/services, both ways
//!     --> bind()    tried on 127.0.0.1, TCP and UDP, and undone
//!     --> listens   the kernel's table of sockets, /proc/net
//! ```
//!
//! Data does not pass through a port: a port is 16 bits in the header of a
//! segment or datagram, by which the kernel finds the socket. TCP's and UDP's
//! are separate: port 514 is two services.                (viva 3) [T-Q3]

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use socketlab::console::escape;
use socketlab::socket_table::{self, Entry};
use socketlab::{Error, Result, args, say};

use crate::page::{echo, item};
use crate::resolver::{self, NoAnswer};
use crate::{constants, files, ranges, sockaddr};

/// Listeners that are printed; the rest is counted.
const SHOWN: usize = 12;

/// The two transports whose ports are looked at.
const TRANSPORTS: [(&str, Type); 2] =
    [("TCP", Type::STREAM), ("UDP", Type::DGRAM)];

/// Tells all that there is to say of a port, given as a number or a name.
pub fn tell(which: &str, wait: Duration) -> Result<()> {
    for (index, port) in numbers(which, wait)?.into_iter().enumerate() {
        if index > 0 {
            say!("");
        }
        tell_number(port, wait);
    }
    Ok(())
}

/// The port, or the ports of a service that has several.           [T-V5]
fn numbers(which: &str, wait: Duration) -> Result<Vec<u16>> {
    if ["", "N", "NUMBER"].contains(&which) {
        args::usage("N stands for a number of your choice: names port 443");
    }
    if let Ok(number) = which.parse::<i128>() {
        return match u16::try_from(number) {
            Ok(port) => Ok(vec![port]),
            Err(_) => args::usage(&format!(
                "{number} is not a port. A port is 16 bits: 2^16 = 65536 \
                 numbers, 0 to 65535, once for TCP and once for UDP; 0 is \
                 reserved, so 65535 of them can be used"
            )),
        };
    }
    let found = resolver::getaddrinfo(None, Some(which), 0, wait);
    match (found, ranges::iana_port(which)) {
        (Ok(answers), _) => {
            let mut ports = Vec::new();
            for port in answers.iter().map(|answer| answer.address.port()) {
                if !ports.contains(&port) {
                    ports.push(port);
                }
            }
            Ok(ports)
        }
        (Err(_), Some(port)) => {
            let text = "this machine's list does not know";
            item("note", &format!("{text} {which}; IANA's does"));
            Ok(vec![port])
        }
        (Err(failure), None) => Err(unknown(which, &failure)),
    }
}

/// No port has this name. The resolver's own words, "Servname not supported
/// for ai_socktype", speak of an argument that nobody gave.
fn unknown(which: &str, failure: &NoAnswer) -> Error {
    let why = match failure.number() {
        Some(libc::EAI_SERVICE | libc::EAI_NONAME) => {
            "no service has this name"
        }
        _ => &failure.text,
    };
    let text = format!("{why}. {}", files::service_hint(which));
    Error::new("getservbyname", echo(which), io::Error::other(text))
}

fn tell_number(port: u16, wait: Duration) {
    let bytes = sockaddr::hex(&port.to_be_bytes());
    item("port", &format!("{port}: in every packet two bytes, {bytes}"));
    item("range", ranges::iana_range(port));
    if port == 0 {
        return tell_zero();
    }
    tell_here(port);
    item("service", &service(port, wait));
    item("may bind", &may_bind(port));
    for (name, kind) in TRANSPORTS {
        // Bound for a moment, as our servers would.
        let told = match bind(port, kind) {
            Ok(_) => "works, now and for you (undone at once)".into(),
            Err(error) => meaning(&error),
        };
        item("bind()", &format!("{name} 127.0.0.1:{port}: {told}"));
    }
    tell_listeners(port);
}

/// What bind() makes of port 0: see for yourself.        (viva 19) (try 2)
fn tell_zero() {
    item("bind()", "port 0 is a request: any port that is free. Three times:");
    for _ in 0..3 {
        let lent = bind(0, Type::STREAM).and_then(|socket| socket.local_addr());
        match lent.map(|local| local.as_socket()) {
            Ok(Some(local)) => {
                let asked = "bind(127.0.0.1:0), and getsockname() says";
                item("", &format!("{asked} {local}"));
            }
            Ok(None) => {}
            Err(error) => item("", &meaning(&error)),
        }
    }
}

/// This machine's own use of the number, which IANA's list does not bind.
fn tell_here(port: u16) {
    let Some(range) = ranges::ephemeral() else {
        return item(
            "here",
            "this system does not tell its range of clients' ports in /proc \
             (macOS: sysctl net.inet.ip.portrange)",
        );
    };
    let lent = format!("lends {} to {} to clients", range.start(), range.end());
    item("here", &format!("this kernel {lent} (ip_local_port_range)"));
    item(
        "",
        match range.contains(&port) {
            true => "it is one of them: a server may find it taken by a client",
            false => "it is none of them, whatever the line above says",
        },
    );
}

/// The names on this machine's list, by transport.
fn service(port: u16, wait: Duration) -> String {
    let names = TRANSPORTS.map(|(name, kind)| {
        let udp = if kind == Type::DGRAM { libc::NI_DGRAM } else { 0 };
        // Digits for the host, so that nobody is asked for its name.
        let flags = libc::NI_NUMERICHOST | udp;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        match resolver::getnameinfo(address, flags, wait) {
            Ok((_, service)) if service != port.to_string() => {
                format!("{name} {}", escape(service.as_bytes()))
            }
            _ => format!("{name} no name"),
        }
    });
    let text = format!("{} (getservbyport, /etc/services)", names.join(", "));
    match ranges::iana_name(port) {
        Some(known) if !files::has_services() => format!(
            "{known}, by IANA's list; this machine has no list of its own"
        ),
        Some(known) if names.iter().all(|name| name.ends_with("no name")) => {
            format!("{text}; IANA's list says {known}")
        }
        _ => text,
    }
}

/// Prints which users may bind it, and whether you may.            (viva 16)
fn may_bind(port: u16) -> String {
    let start = ranges::unprivileged_start();
    if port >= start {
        return format!("anybody: {start} and up want no privilege here");
    }
    // Asked by doing: a capability may count in another namespace only. The
    // kernel looks at it before it looks whether the port is free.
    let refused = bind(port, Type::STREAM)
        .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
    let you = if refused { "you lack it" } else { "you have it" };
    format!(
        "ports below {start} (ip_unprivileged_port_start) want root or the \
         capability CAP_NET_BIND_SERVICE; {you}. It keeps users of a shared \
         machine from posing as its mail or web server, and no more"
    )
}

fn bind(port: u16, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, kind, None)?;
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?; // TIME_WAIT is not an obstacle
    }
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    socket.bind(&address.into())?;
    Ok(socket)
}

/// `Address already in use (EADDRINUSE)`, and what it means for a bind.
fn meaning(error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "somebody has it: see below".to_string(),
        io::ErrorKind::PermissionDenied => {
            "it wants the privilege named above".to_string()
        }
        _ => explain::hint("bind", error.raw_os_error().unwrap_or_default()),
    };
    format!("{}: {hint}", constants::failure(error))
}

/// Prints the listeners on it, and how many connections have it at this end.
fn tell_listeners(port: u16) {
    if !Path::new("/proc/net/tcp").exists() {
        let text = "only Linux tells: try `netstat -an`, `lsof -i`";
        return item("listens", text);
    }
    let mut entries = socket_table::all();
    entries.retain(|entry| entry.local.port() == port);
    let waits = |entry: &&Entry| {
        entry.name == "LISTEN"
            || (entry.protocol == "udp" && entry.peer.port() == 0)
    };
    let waiting: Vec<&Entry> = entries.iter().filter(waits).collect();
    if waiting.is_empty() {
        item("listens", "nobody (in this network namespace), TCP or UDP");
    }
    let holders = socket_table::holders();
    for entry in waiting.iter().take(SHOWN) {
        let who = match holders.get(&entry.inode) {
            Some((pid, name)) => {
                format!("{} (pid {pid})", escape(name.as_bytes()))
            }
            None => "a process of another user, which only root sees".into(),
        };
        item("listens", &format!("{} {}: {who}", entry.protocol, entry.local));
    }
    if let more @ 1.. = waiting.len().saturating_sub(SHOWN) {
        item("", &format!("… and {more} more"));
    }
    if let others @ 1.. = entries.len() - waiting.len() {
        let text = format!("connections with it at this end: {others}");
        item("", &format!("{text}. They share it: names show four-tuple"));
    }
}
