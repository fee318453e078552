//! The figure that is missing in the handout, and its table of words. The
//! values are those of real sockets, open while they are printed.
//!
//! ```text
//! server                            client             [T-X1] (viva 18)
//! listener  accepted <===========>  socket    a socket is one END of a
//! ----|--------|-----  kernel  --------|---   connection; TCP carries the
//!     TCP ports, sequence numbers, buffers    bytes between the two ends
//! ```
//!
//! This program has both ends, because client and server are only roles.

use std::fs;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use socketlab::{Result, console, say, trace};

use crate::constants;
use crate::live_sockets::{
    accept, became, client, close, expect, listener, name, peer, socket,
};
use crate::page::text;

/// Draws two connected sockets and a listener, with the addresses that the
/// kernel reports: getsockname() for this end, getpeername() for the other.
pub fn sockets() -> Result<()> {
    // Three sockets: a listener, the client's, and the accepted one.
    let (waiting, server) = listener()?;
    let near = client(server)?;
    let far = accept(&waiting)?;
    // The descriptor is a small number. It is valid only in this process.
    let fd = |socket: &Socket| format!("fd {}", trace::fd(socket));
    let (left, right) = (name(&far)?, name(&near)?);
    // The address of this end is the peer address of the other end.
    expect(peer(&far)? == right && peer(&near)? == left, "two ends")?;
    let line = |one: &str, mid: &str, two: &str| {
        say!("{}", format!("  |{one:<25}|{mid:^17}|{two:<25}|").trim_end());
    };
    let edge = "-".repeat(25);
    say!("   {:<43} CLIENT begins", "SERVER waits");
    say!("  +{edge}+{:17}+{edge}+", "");
    line(&format!(" listener, {}", fd(&waiting)), "", "");
    line(&format!("   {server}"), "", "");
    line("   accept() only", "", "");
    line("", "", "");
    line(
        &format!(" accepted, {}", fd(&far)),
        "bytes, both ways",
        &format!(" socket, {}", fd(&near)),
    );
    line(&format!("   {left}"), "<=============>", &format!("   {right}"));
    line("   recv()  send()", "", "   send()  recv()");
    say!("  +{edge}+{:17}+{edge}+", "");
    let below = "kernel: buffers, ACKs";
    say!("   {below:<25} {:^17} {below}", "TCP over IP");
    text(
        "The kernel finds the listener by address and port, and the two \
         other sockets by the 4-tuple of both ends. Only packets travel \
         between them.",
    );
    close([near, far, waiting]);
    Ok(())
}

/// Prints the handout's five words with the values of a real listener. Then
/// it prints the kernel's values for other domains, types and protocols.
pub fn words() -> Result<()> {
    let (waiting, server) = listener()?;
    // The program asked for protocol 0 and port 0; these are the values that
    // the kernel has chosen.
    let [domain, kind, protocol] = became(&waiting);
    let (ip, port) = (server.ip().to_string(), server.port().to_string());
    say!("socket( AF_INET,   SOCK_STREAM,   0 )       bind( ({ip}, 0) )");
    say!("        |          |              |               |          |");
    say!("        domain     type           protocol        hostname   port");
    say!("        {domain:<10} {kind:<14} {protocol:<15} {ip:<10} {port}");
    say!("");
    say!("word       asked          the kernel says   what it is");
    for (word, asked, says, what) in [
        ("domain", "AF_INET", domain, "the family of addresses"), // [T-V1]
        ("type", "SOCK_STREAM", kind, "how bytes travel"),        // [T-V2]
        ("protocol", "0", protocol, "0: the usual one of the two"), // [T-V3]
        ("hostname", "127.0.0.1", ip, "an address, looked up before"), // [T-V4]
        ("port", "0", port, "0: any free port"),                  // [T-V5]
    ] {
        say!("{word:<10} {asked:<14} {says:<17} {what}");
    }
    close([waiting]);
    say!("");
    say!("socket() was asked for              SO_DOMAIN, SO_TYPE, SO_PROTOCOL");
    for (family, kind, protocol) in [
        (Domain::IPV4, Type::STREAM, None),
        (Domain::IPV4, Type::DGRAM, None),
        (Domain::IPV6, Type::STREAM, None),
        (Domain::UNIX, Type::STREAM, None),
        (Domain::UNIX, Type::DGRAM, None),
        // UDP cannot carry a stream, so this call fails.
        (Domain::IPV4, Type::STREAM, Some(Protocol::UDP)),
    ] {
        row(&constants::family(family), family, kind, protocol);
    }
    #[cfg(target_os = "linux")]
    row("AF_X25", Domain::from(libc::AF_X25), Type::SEQPACKET, None);
    say!("");
    unix_address()
}

/// Prints one line: the arguments of socket(), and the kernel's values. A
/// combination that the kernel does not know fails.
fn row(family: &str, domain: Domain, kind: Type, protocol: Option<Protocol>) {
    let asked = constants::protocol(protocol.map_or(0, Protocol::into));
    let asked = format!("{family}, {}, {asked}", constants::kind(kind));
    match Socket::new(domain, kind, protocol) {
        Ok(socket) => say!("{asked:<36}{}", became(&socket).join(", ")),
        Err(error) => say!("{asked:<36}refused, {}", constants::errno(&error)),
    }
}

/// Binds an AF_UNIX socket. Its address is a path, without host and port.
fn unix_address() -> Result<()> {
    let name = format!("socketlab-names-{}.sock", std::process::id());
    let path = std::env::temp_dir().join(name);
    let socket = socket(Domain::UNIX, Type::STREAM)?;
    // bind() makes a file of this name. Another process connects to the name.
    let bound = SockAddr::unix(&path).and_then(|to| socket.bind(&to));
    let _ = fs::remove_file(&path); // close() does not remove the name
    match bound {
        Ok(()) => {
            let path = path.to_string_lossy();
            say!("AF_UNIX stays on this machine. Its address is a path:");
            say!("  {}", console::escape(path.as_bytes()));
        }
        Err(error) => text(&format!("bind() of an AF_UNIX path: {error}")),
    }
    close([socket]);
    Ok(())
}
