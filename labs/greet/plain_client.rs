//! Prints what the server sends. Handout T (Terna), simple client, literally:
//! connect, receive, print, close. The other half is server.rs.
//!
//! ```text
//! client (this file)           server
//!   |  1 socket                  |
//!   |  2 connect  - handshake -->|
//!   |  3 recv  <----- bytes -----|  until end of stream           [T-C]
//!   |  4 close ------ FIN ------>|
//! ```
//!
//! The calls are the system's own, as in server.rs.
//!
//! Limit: it waits as long as the server keeps the connection open. client.rs
//! has time limits, and so it can read the greeting of a mail server.

use argh::{ArgsInfo, FromArgs};
use rustix::net::{RecvFlags, SocketType, connect, recv, socket};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, call, call_close, call_connect, call_recv};
use socketlab::{Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let host = if args.hostname { net::hostname() } else { args.host };
    let address = net::resolve_one(&host, args.port.0)?; // [T-V4]

    // ---- 1 socket() ------------------------------------------------------
    // Makes an endpoint in the kernel. The server uses the same call; only
    // connect() makes the socket a client's. Python: socket.socket().
    //                                                     [T-F1] (viva 1)
    let arguments = net::socket_arguments(address, "SOCK_STREAM");
    let server = call("socket", None, arguments, || {
        socket(net::family(address), SocketType::STREAM, None)
    })?;

    // ---- 2 connect() -----------------------------------------------------
    // The handshake: SYN, SYN-ACK, ACK. The kernel chooses the client's port,
    // so a client does not need bind(). If no server listens there, the other
    // kernel answers with RST, and connect() fails with ECONNREFUSED.
    //                                            [T-F5] (viva 9) (try 6)
    call_connect(&server, address, || connect(&server, &address))?;

    // ---- 3 recv() --------------------------------------------------------
    // Blocks until bytes arrive, and returns what is there: a part of the
    // sentence, or all of it, because TCP has no messages. 0 means that the
    // server has closed and nothing more will come. The handout calls
    // recv(1024) once, so it may print a part.  [T-F6] (viva 17) (try 2)
    let mut greeting = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let count = call_recv(&server, address, &mut buffer, |buffer| {
            recv(&server, buffer, RecvFlags::empty())
        })?;
        if count == 0 {
            break;
        }
        greeting.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
    // escape() shows control characters, which a terminal would obey.
    say!("{}", console::escape(&greeting));

    // ---- 4 close() -------------------------------------------------------
    // Answers the server's FIN with ours and frees the descriptor.  [T-F10]
    call_close(server, drop);
    Ok(())
}

/// Prints what the server sends until it closes.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12345)
    #[argh(positional)]
    port: Port,
    /// connect to the address of gethostname(), as the handout does
    #[argh(switch)]
    hostname: bool,
}

const PROGRAM: Program = Program {
    lab: "greet",
    role: Role::Client { server: Some("greet-server") },
    port: 12345,
    steps: "socket connect recv close",
    example: "greet-plain-client 127.0.0.1 12345",
};
