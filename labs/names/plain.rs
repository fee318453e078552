//! The five words of the handout's vocabulary, each with its value. Handout T
//! (Terna): domain, type, protocol, hostname, port. names.rs shows much more.
//!
//! ```text
//! names-plain --host localhost --port 80
//!
//! 1 gethostname()            this machine's own name
//! 2 getaddrinfo() ---------> hostname and port become an address
//! 3 socket(domain, type, protocol)  the other three words
//! 4 getsockname()            the address of the new socket
//! 5 close()
//! ```
//!
//! The program connects to no server. Only the resolver may send packets.

use argh::{ArgsInfo, FromArgs};
use names::constants::{family, kind};
use socket2::{Domain, Socket, Type};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, step};
use socketlab::{Error, Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);

    // ---- 1 gethostname() -------------------------------------------------
    // The kernel returns the name that this machine was given at its start.
    // No other machine is asked. The name need not have an address.
    // Python: socket.gethostname()  C: gethostname()             [T-F11]
    let own = net::hostname();
    say!("this machine's own name is '{own}'");

    // ---- 2 getaddrinfo() -------------------------------------------------
    // HOSTNAME: a name, or an address such as 127.0.0.1. The resolver, a
    // part of the C library, turns it into addresses, because the kernel
    // uses only addresses.                                  [T-V4] (viva 9)
    // PORT: a number from 0 to 65535. The kernel of that machine finds the
    // right socket by it. A socket address is an IP address and a port.
    // Python: socket.getaddrinfo()  C: getaddrinfo()                [T-V5]
    let host = args.host.as_deref().unwrap_or(&own);
    let addresses = net::resolve(host, args.port.0)?;
    for address in &addresses {
        say!("hostname  '{host}' has the address {}", address.ip());
    }
    say!("port      {}", args.port);
    let Some(address) = addresses.first() else { return Ok(()) };

    // ---- 3 socket() ------------------------------------------------------
    // Python: socket.socket()  C: socket()
    // DOMAIN: the family of addresses. AF_INET has IPv4 addresses, AF_INET6
    // has IPv6 addresses, and AF_UNIX has names of files.           [T-V1]
    let domain = Domain::for_address(*address);
    // TYPE: SOCK_STREAM carries a stream of bytes, in order and without
    // loss. SOCK_DGRAM carries single messages, which may be lost.  [T-V2]
    // PROTOCOL: 0 asks for the usual protocol of this domain and type: TCP
    // for a stream, UDP for datagrams.                   [T-V3] (viva 13)
    for (type_, means) in [(Type::STREAM, "TCP"), (Type::DGRAM, "UDP")] {
        let words = format!("{}, {}, 0", family(domain), kind(type_));
        let socket =
            step("socket", None, &words, || Socket::new(domain, type_, None))?;
        say!("domain    {}", family(domain));
        say!("type      {}", kind(type_));
        say!("protocol  0, which means {means} here");

        // ---- 4 getsockname() ---------------------------------------------
        // A new socket has no address yet, so the kernel returns 0.0.0.0 and
        // port 0. bind() or connect() gives it an address.
        // Python: s.getsockname()  C: getsockname()
        let local = socket.local_addr();
        let local = local.map_err(|e| Error::new("getsockname", "", e))?;
        if let Some(local) = local.as_socket() {
            say!("socket({words}) has the address {local}");
        }

        // ---- 5 close() ---------------------------------------------------
        // Without close() the kernel keeps the socket until the program
        // ends. Python: s.close()  C: close()
        net::close(socket);
    }
    Ok(())
}

/// Shows domain, type, protocol, hostname and port as values.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// hostname to look up (default: this machine's own name)
    #[argh(option)]
    host: Option<String>,
    /// port of the address (default 80)
    #[argh(option, default = "Port(80)")]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "names",
    role: Role::Other("names"),
    port: 0, // it connects to no server
    steps: "gethostname getaddrinfo socket getsockname close",
    example: "names-plain --host localhost --port 80",
};
