//! UDP, as short as possible: one datagram out, one back. Handout G (IIT Goa),
//! question 1 [G-1]; the other half is template_server.rs.
//!
//! ```text
//! client (this file)      server
//!   |  1 socket             |
//!   |  2 sendto  datagram ->|       no handshake before it
//!   |  3 recvfrom <---------|
//!   |  4 close              |       nothing is sent
//! ```
//!
//! Nothing is encrypted, so Wireshark shows both texts. UDP has no handshake,
//! where TCP has SYN, SYN-ACK, ACK. [G-5] (try 9)

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let addresses = net::resolve(&args.host, args.port.0)?;
    // Only a reply shows which address of a name is the server's, so the client
    // tries all steps with one address after the other.
    net::try_each(&addresses, |server| {
        // ---- 1 socket() --------------------------------------------------
        // bind() is not needed, because the kernel chooses a free port at the
        // first sendto().
        let socket = UdpSocket::new(server)?;
        socket.set_recv_timeout(Some(Duration::from_secs(2)))?;

        // ---- 2 sendto() --------------------------------------------------
        // Each datagram carries its destination. No connection is made before,
        // and the call does not say whether the datagram arrives. (viva 1)
        socket.sendto(b"Hello from the client", server)?;

        // ---- 3 recvfrom() ------------------------------------------------
        // Without the time limit above, the client would wait for a lost
        // datagram until Ctrl-C.
        let mut buffer = [0; 2048];
        let (count, sender) = socket.recvfrom(&mut buffer)?;
        let answer = buffer.get(..count).unwrap_or_default();
        say!("[{sender}] {}", console::escape(answer));

        // ---- 4 close() ---------------------------------------------------
        // Releases the port; nothing is sent.
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
