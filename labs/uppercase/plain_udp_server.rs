//! Handout W's UDPServer, line by line [W-K2] [W-E2]: answers each datagram
//! in upper case. The other half is plain_udp_client.rs; udp_server.rs is the
//! next stage.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind
//!   |------ "hello" ------->|  3 recvfrom   who sent it, and what
//!   |<----- "HELLO" --------|  4 sendto     back to that address
//! ```

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    // HOST and PORT come from the command line; the skeleton has them in its
    // code. [W-T1.3]
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?; // Ctrl-C prints "bye" and ends

    // ---- 1 socket() ------------------------------------------------------
    // Python: serverSocket = socket(AF_INET, SOCK_DGRAM). C: socket().
    // The kernel makes an endpoint with a queue for datagrams. SOCK_DGRAM
    // means UDP, so listen() and accept() will not follow.       [W-T1.2]
    let socket = UdpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Python: serverSocket.bind(('', serverPort)). Without it the kernel would
    // choose a port that no client knows.
    socket.bind(address)?;
    net::announce(socket.local_addr()?);
    say!("The server is ready to receive");

    let mut buffer = [0; 2048];
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // Python: message, clientAddress = serverSocket.recvfrom(2048).
        // Waits for one datagram: its bytes, and the address of its sender.
        // The next one may come from another client.
        // Limit: the kernel cuts a datagram of more than 2048 bytes. (try 7)
        let (count, client) = socket.recvfrom(&mut buffer)?;
        let message = buffer.get_mut(..count).unwrap_or_default();
        say!("[{client}] {}", console::escape(message));

        // ---- 4 sendto() --------------------------------------------------
        // Python: serverSocket.sendto(message.upper(), clientAddress). Only the
        // bytes a to z change. [W-T1.1a] [W-T1.1b] The call does not say
        // whether the reply arrives. If it fails, this concerns only this
        // client, so the loop continues. Limit: the address may be forged; two
        // servers that are made to answer each other never stop. udp_server.rs
        // ends that.
        message.make_ascii_uppercase();
        if let Err(error) = socket.sendto(message, client) {
            warn!("{error}");
        }
    }
}

/// Answers every datagram in upper case, as the handout's UDPServer does.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12000; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Server,
    port: 12000,
    steps: "socket bind recvfrom sendto",
    example: "uppercase-plain-udp-server 127.0.0.1 12000",
};
