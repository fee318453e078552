//! UDP in the fewest lines: one datagram there, one back. Handout G (IIT
//! Goa), question 1 [G-1]; the other half is template_server.rs.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 sendto  datagram ->|       no handshake before it
//!   |  3 recvfrom <---------|
//!   |  4 close              |       nothing is sent
//! ```
//!
//! Nothing here is encrypted: Wireshark shows the two texts as they are,
//! and where TCP has SYN, SYN-ACK, ACK there is nothing.     [G-5] (try 9)

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let addresses = net::resolve(&args.host, args.port.0)?;
    // Only an answer shows which address of a name is the server's, so the
    // client tries all steps with one address after the other.
    net::try_each(&addresses, |server| {
        // ---- 1 socket() --------------------------------------------------
        // No bind(): the kernel finds a free port at the first sendto().
        let socket = UdpSocket::new(server)?;
        socket.set_recv_timeout(Some(Duration::from_secs(2)))?;

        // ---- 2 sendto() --------------------------------------------------
        // Each datagram carries its destination. Nothing is set up before,
        // and we are not told whether it arrives.                 (viva 1)
        socket.sendto(b"Hello from the client", server)?;

        // ---- 3 recvfrom() ------------------------------------------------
        // Without the time limit above, a lost datagram would make us wait
        // until somebody presses Ctrl-C.
        let mut buffer = [0; 2048];
        let (count, sender) = socket.recvfrom(&mut buffer)?;
        let answer = buffer.get(..count).unwrap_or_default();
        say!("[{sender}] {}", console::escape(answer));

        // ---- 4 close() ---------------------------------------------------
        // Gives the port back; no packet tells the server.
        socket.close();
        Ok(())
    })
}

/// Sends one datagram and prints the answer.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12003)
    #[argh(positional)]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "datetime",
    role: Role::Client { server: Some("datetime-template-server") },
    port: 12003,
    steps: "socket sendto recvfrom close",
    example: "datetime-template-client 127.0.0.1 12003",
};
