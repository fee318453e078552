//! Handout W's UDPClient, line by line [W-K1] [W-E1]: sends one sentence and
//! prints the answer. The other half is plain_udp_server.rs; udp_client.rs is
//! the next stage.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |       Input lowercase sentence:
//!   |  2 sendto - "hello" ->|
//!   |  3 recvfrom "HELLO" <-|
//!   |  4 close              |       no packet
//! ```

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say};

fn main() -> Result<()> {
    // HOST and PORT come from the command line; the skeleton has them in its
    // code. [W-T1.3]
    let args: Args = args::parse(&PROGRAM);
    let mut addresses = net::resolve(&args.host, args.port.0)?;
    addresses.sort_by_key(|address| address.is_ipv6()); // IPv4: AF_INET
    let Some(&server) = addresses.first() else { return Ok(()) };

    // ---- 1 socket() ------------------------------------------------------
    // Python: clientSocket = socket(AF_INET, SOCK_DGRAM). C: socket().
    // An endpoint in the kernel. Without bind(): the first sendto() gives it
    // a free port, to which the server answers.                  [W-T1.2]
    let socket = UdpSocket::new(server)?;
    console::prompt("Input lowercase sentence:");
    let Some(sentence) = console::read_stdin_line()? else { return Ok(()) };

    // ---- 2 sendto() ------------------------------------------------------
    // Python: clientSocket.sendto(message.encode(), (serverName, 12000)). One
    // datagram with the server's address. It also succeeds if no server runs
    // there, because UDP has no handshake. [W-P2] [W-P3] (viva 3)
    socket.sendto(&sentence, server)?;

    // ---- 3 recvfrom() ----------------------------------------------------
    // Python: modifiedMessage, address = clientSocket.recvfrom(2048). Waits for
    // a datagram from any sender. Limit: if sentence or answer is lost, it
    // waits until Ctrl-C (try 2). udp_client.rs asks again, and compares the
    // sender.
    let mut buffer = [0; 2048];
    let (count, _sender) = socket.recvfrom(&mut buffer)?;
    let answer = buffer.get(..count).unwrap_or_default();
    say!("{}", console::escape(answer));

    // ---- 4 close() -------------------------------------------------------
    // Python: clientSocket.close(). Gives the port back. Nothing is sent, and
    // the server has nothing to end.
    socket.close();
    Ok(())
}

/// Sends one sentence and prints the answer, as the handout's UDPClient does.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12000)
    #[argh(positional)]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "uppercase",
    role: Role::Client { server: Some("uppercase-plain-udp-server") },
    port: 12000,
    steps: "socket sendto recvfrom close",
    example: "uppercase-plain-udp-client 127.0.0.1 12000",
};
