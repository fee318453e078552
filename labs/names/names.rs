//! Shows how a program uses names: as addresses, ports and sockets. Handout T
//! (Terna): its vocabulary and most of the questions at its end.
//!
//! ```text
//! names HOST [SERVICE]               names show
//! --------------------------------   --------------------------------
//! 1 gethostname()  this machine      4 socket()       the three words
//! 2 getaddrinfo()  name -> answers   5 bind()         address, port
//!    |  family, type, protocol       6 listen()       now a server
//!    |  sockaddr: bytes              7 connect()      now a client
//!    v                               8 accept()       a new socket
//! 3 getnameinfo()  address -> name   9 getsockname()  its address
//!                                   10 close()
//! names port NUMBER: its range, its service, who may bind it, who
//! listens on it now
//! ```
//!
//! One program: lookup.rs, port.rs and show.rs are its three commands, and
//! live_sockets.rs has steps 4 to 10. Only the resolver sends packets to other
//! machines.
//! Run: make names ARGS='localhost http'

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use names::{lookup, port, show};
use socketlab::args::{self, Program, Role};
use socketlab::{Result, net};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);

    // ---- 1 gethostname() -------------------------------------------------
    // The kernel returns the name that this machine was given at its start.
    // No other machine is asked. The name need not have an address.
    // Python: socket.gethostname()  C: gethostname()    [T-F11] (viva 9)
    let own = net::hostname();

    let wait = args::in_range("--wait", args.wait, 0.1, 600.0);
    let wait = Duration::from_secs_f64(wait);
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    // If a host is called port or show, --host asks for it.  (try 8)
    if !args.host {
        match words.as_slice() {
            ["port", which] => return port::tell(which, wait),
            ["show", topics @ ..] if topics.len() < 2 => {
                return show::tell(topics.first().copied());
            }
            ["port", ..] | ["show", ..] => args::usage(
                "port and show need one word: names port 443, names show \
                 four-tuple. For a host of that name: names --host port, \
                 names --host show",
            ),
            _ => {}
        }
    }
    let (host, service) = match words.as_slice() {
        [] => (own.as_str(), None),
        [host] => (*host, None),
        [host, service] => (*host, Some(*service)),
        _ => args::usage(
            "there are too many words: names accepts only HOST and SERVICE. \
             A host name cannot have a blank",
        ),
    };
    lookup::tell(host, service, &own, wait, !args.no_reverse)
}

/// Explains names, addresses, ports and sockets on this machine.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// HOST, or HOST and SERVICE, shows the resolver's answers (default: this
    /// machine's own name) · port NUMBER, or port NAME, shows its range, its
    /// service, who may bind it, and who listens · show, or show TOPIC, shows
    /// the vocabulary with real sockets; the topics are sockets, words,
    /// four-tuple, same-port, ephemeral, kinds, lost
    #[argh(positional)]
    words: Vec<String>,
    /// use the first word as a host, even if it is port or show
    #[argh(switch)]
    host: bool,
    /// do not look up the names of addresses
    #[argh(switch)]
    no_reverse: bool,
    /// seconds to wait for the resolver (default 10)
    #[argh(option, default = "10.0")]
    wait: f64,
}

const PROGRAM: Program = Program {
    lab: "names",
    role: Role::Other("names"),
    port: 0, // this program connects to no server
    steps: "gethostname getaddrinfo getnameinfo socket bind listen connect \
            accept getsockname close",
    example: "names localhost http",
};
