//! What a name is to a program: an address, a port, a socket. Handout T
//! (Terna), its vocabulary and most questions at its end.
//!
//! ```text
//! names HOST [SERVICE]               names show
//! --------------------------------   --------------------------------
//! 1 gethostname()  this machine      4 socket()       what was asked
//! 2 getaddrinfo()  name -> answers   5 bind()         address, port
//!    |  family, type, protocol       6 listen()       now a server
//!    |  sockaddr: bytes              7 connect()      now a client
//!    v                               8 accept()       one socket more
//! 3 getnameinfo()  address -> name   9 getsockname()  what it became
//!                                   10 close()
//! names port NUMBER: its range, its service, who may bind it, who
//! listens on it now
//! ```
//!
//! One program: lookup.rs, port.rs and show.rs are its three commands, and
//! live_sockets.rs has steps 4 to 10. Nothing leaves this machine but the
//! resolver's own questions.
//! Run: make names ARGS='localhost http'

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use names::{lookup, port, show};
use socketlab::args::{self, Program, Role};
use socketlab::{Result, net};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);

    // ---- 1 gethostname() -------------------------------------------------
    // The name that this machine was given, from the kernel's memory: no file
    // is read and nobody is asked. The name need not have an address. (Linux
    // keeps it where uname() finds it, as nodename.)    [T-F11] (viva 9)
    let own = net::hostname();

    let wait = args::in_range("--wait", args.wait, 0.1, 600.0);
    let wait = Duration::from_secs_f64(wait);
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    // A host may be called port or show: then --host asks for it.  (try 8)
    if !args.host {
        match words.as_slice() {
            ["port", which] => return port::tell(which, wait),
            ["show", topics @ ..] if topics.len() < 2 => {
                return show::tell(topics.first().copied());
            }
            ["port", ..] | ["show", ..] => args::usage(
                "one word goes with port or show: names port 443, names show \
                 four-tuple. A host called so: names --host port, names \
                 --host show",
            ),
            _ => {}
        }
    }
    let (host, service) = match words.as_slice() {
        [] => (own.as_str(), None),
        [host] => (*host, None),
        [host, service] => (*host, Some(*service)),
        _ => args::usage(
            "HOST and SERVICE are all it takes. A name with a blank in it \
             needs quotes, and is no host name",
        ),
    };
    lookup::tell(host, service, &own, wait, !args.no_reverse)
}

/// Explains names, addresses, ports and sockets on this machine.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// HOST, or HOST and SERVICE: what the resolver answers (default: this
    /// machine's own name) · port NUMBER, or its name: range, service, who
    /// may bind it, who listens · show, or show TOPIC: the vocabulary beside
    /// live sockets; topics are sockets, words, four-tuple, same-port,
    /// ephemeral, kinds, lost
    #[argh(positional)]
    words: Vec<String>,
    /// take the first word for a host, even if it is port or show
    #[argh(switch)]
    host: bool,
    /// do not ask for the names of addresses
    #[argh(switch)]
    no_reverse: bool,
    /// seconds that the resolver may take (default 10)
    #[argh(option, default = "10.0")]
    wait: f64,
}

const PROGRAM: Program = Program {
    lab: "names",
    role: Role::Other("names"),
    port: 0, // HOST and PORT mean something else here
    steps: "gethostname getaddrinfo getnameinfo socket bind listen connect \
            accept getsockname close",
    example: "names localhost http",
};
