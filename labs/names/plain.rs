//! The five words of the handout's vocabulary, each beside its value. Handout T
//! (Terna): domain, type, protocol, hostname, port. names.rs says much more.
//!
//! ```text
//! names-plain --host localhost --port 80
//!
//! 1 gethostname()            this machine's own name
//! 2 getaddrinfo() ---------> hostname and port become an address
//! 3 socket(domain, type, protocol)  the other three words
//! 4 getsockname()            which address has it got?
//! 5 close()
//! ```
//!
//! Nothing is connected, and nothing is sent but the resolver's own question.

use argh::{ArgsInfo, FromArgs};
use names::constants::{family, kind};
use socket2::{Domain, Socket, Type};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, step};
use socketlab::{Error, Result, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);

    // ---- 1 gethostname() -------------------------------------------------
    // The kernel keeps the name; no file is read and nobody is asked. The
    // name need not have an address.    Python: socket.gethostname() [T-F11]
    let own = net::hostname();
    say!("this machine's own name is '{own}'");

    // ---- 2 getaddrinfo() -------------------------------------------------
    // HOSTNAME: a name, or an address in digits. The resolver, a part of the
    // C library, looks it up; the kernel knows no names.    [T-V4] (viva 9)
    // PORT: a number from 0 to 65535 that stands for a program on that
    // machine. It goes into the address beside the number of the host. [T-V5]
    let host = args.host.as_deref().unwrap_or(&own);
    let addresses = net::resolve(host, args.port.0)?;
    for address in &addresses {
        say!("hostname  '{host}' stands for {}", address.ip());
    }
    say!("port      {}", args.port);
    let Some(address) = addresses.first() else { return Ok(()) };

    // ---- 3 socket() ------------------------------------------------------
    // DOMAIN: which kind of addresses. AF_INET is IPv4, AF_INET6 IPv6, and
    // AF_UNIX has names of files instead.                           [T-V1]
    let domain = Domain::for_address(*address);
    // TYPE: SOCK_STREAM carries bytes in order, SOCK_DGRAM single messages
    // that may be lost.                                             [T-V2]
    // PROTOCOL: 0 asks for the usual one of these two: TCP for a stream, UDP
    // for datagrams.                                     [T-V3] (viva 13)
    for (type_, means) in [(Type::STREAM, "TCP"), (Type::DGRAM, "UDP")] {
        let words = format!("{}, {}, 0", family(domain), kind(type_));
        let socket =
            step("socket", None, &words, || Socket::new(domain, type_, None))?;
        say!("domain    {}", family(domain));
        say!("type      {}", kind(type_));
        say!("protocol  0, which means {means} here");

        // ---- 4 getsockname() ---------------------------------------------
        // A new socket has no address yet: 0.0.0.0 and port 0. bind() gives
        // it one, or connect() does.
        let local = socket.local_addr();
        let local = local.map_err(|e| Error::new("getsockname", "", e))?;
        if let Some(local) = local.as_socket() {
            say!("socket({words}) has the address {local}");
        }

        // ---- 5 close() ---------------------------------------------------
        // The descriptor's number is free for the next socket.
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
    /// port to go with it (default 80)
    #[argh(option, default = "Port(80)")]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "names",
    role: Role::Other("names"),
    port: 0, // it connects to nobody
    steps: "gethostname getaddrinfo socket getsockname close",
    example: "names-plain --host localhost --port 80",
};
