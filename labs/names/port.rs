//! `names port NUMBER`: the meaning of the number, and its use on this machine.
//!
//! ```text
//! 443 --> range     IANA's list        ranges.rs
//!     --> here      /proc/sys/net      ranges.rs
//!     --> service   /etc/services, both ways
//!     --> bind()    tried on 127.0.0.1 for TCP and UDP, then closed
//!     --> listens   the kernel's table of sockets, /proc/net
//! ```
//!
//! A port is a number of 16 bits in the header of a segment or datagram. The
//! kernel finds the socket by it. TCP and UDP have separate ports: port 514 is
//! two services.                                          (viva 3) [T-Q3]

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

/// How many listeners are printed; the others are only counted.
const SHOWN: usize = 12;

/// The two transport protocols with ports.
const TRANSPORTS: [(&str, Type); 2] =
    [("TCP", Type::STREAM), ("UDP", Type::DGRAM)];

/// Explains a port, given as a number or as the name of a service.
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
        args::usage("give a number in place of N: names port 443");
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

/// The error text if no port has this name. The resolver's own text, "Servname
/// not supported for ai_socktype", would not help the user.
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
        // The program binds the port as a server would, then closes at once.
        let told = match bind(port, kind) {
            Ok(_) => "works now, for you (closed again at once)".into(),
            Err(error) => meaning(&error),
        };
        item("bind()", &format!("{name} 127.0.0.1:{port}: {told}"));
    }
    tell_listeners(port);
}

/// Shows that bind() with port 0 chooses a free port.    (viva 19) (try 2)
fn tell_zero() {
    item("bind()", "port 0 asks the kernel for any free port. Three times:");
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

/// How this kernel uses the port: it need not follow IANA's list.
fn tell_here(port: u16) {
    let Some(range) = ranges::ephemeral() else {
        return item(
            "here",
            "this system does not show its range of clients' ports in /proc \
             (macOS: sysctl net.inet.ip.portrange)",
        );
    };
    let (from, to) = (range.start(), range.end());
    let lent = format!("gives clients ports from {from} to {to}");
    item("here", &format!("this kernel {lent} (ip_local_port_range)"));
    item(
        "",
        match range.contains(&port) {
            true => "it is one of them: a client may already use it",
            false => "it is not one of them, so no client gets it",
        },
    );
}

/// The names of the port in this machine's list, for TCP and for UDP.
fn service(port: u16, wait: Duration) -> String {
    let names = TRANSPORTS.map(|(name, kind)| {
        let udp = if kind == Type::DGRAM { libc::NI_DGRAM } else { 0 };
        // NI_NUMERICHOST: the resolver asks no server for the host's name.
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
        return format!("every user: ports from {start} on need no privilege");
    }
    // The program simply tries bind(), because a capability may be valid only
    // in another namespace. The kernel checks the privilege before it checks
    // whether the port is free.
    let refused = bind(port, Type::STREAM)
        .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
    let you = if refused { "you do not have it" } else { "you have it" };
    format!(
        "ports below {start} (ip_unprivileged_port_start) need root or the \
         capability CAP_NET_BIND_SERVICE; {you}. So an ordinary user of this \
         machine cannot pretend to be its mail or web server"
    )
}

fn bind(port: u16, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, kind, None)?;
    if kind == Type::STREAM {
        // Otherwise a connection in TIME_WAIT would make bind() fail.
        socket.set_reuse_address(true)?;
    }
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    socket.bind(&address.into())?;
    Ok(socket)
}

/// `Address already in use (EADDRINUSE)`, and its meaning for bind().
fn meaning(error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "a program has it: see below".to_string(),
        io::ErrorKind::PermissionDenied => {
            "it needs the privilege named above".to_string()
        }
        _ => explain::hint("bind", error.raw_os_error().unwrap_or_default()),
    };
    format!("{}: {hint}", constants::failure(error))
}

/// Prints the listeners on the port, and how many connections have it here.
fn tell_listeners(port: u16) {
    if !Path::new("/proc/net/tcp").exists() {
        let text = "only Linux shows it here: try `netstat -an`, `lsof -i`";
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
        item("listens", "no program in this network namespace, TCP or UDP");
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
        let text = format!("connections with this local port: {others}");
        item("", &format!("{text}. They share it: names show four-tuple"));
    }
}
