//! The smallest TCP client: sends one message, prints the reply. Handout G,
//! question 4; the other half is template_server.rs. [G-4]
//!
//! ```text
//! client (this file)          server
//!   |  1 socket                 |
//!   |  2 connect  handshake --->|
//!   |  3 send --- message ----->|
//!   |  4 recv <-- answer -------|
//!   |  5 close ----- FIN ------>|
//! ```

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // SOCK_STREAM means TCP. The UDP template has SOCK_DGRAM here. Python:
        // socket.socket(AF_INET, SOCK_STREAM) C: socket()
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // Only TCP: SYN, SYN-ACK, ACK. It fails at once if no server listens; a
        // UDP client learns this late or never. (viva 1) On Linux this limit of
        // 10 s holds for connect() and each send().
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;

    // ---- 3 send() --------------------------------------------------------
    // No address: connect() has set it. Anybody on the path can read these
    // characters. [G-5] No newline follows, so only the pause shows the server
    // that the message is complete.
    server.send_all(b"Hello, I am a client")?;

    // ---- 4 recv() --------------------------------------------------------
    // One call, as in the handout. A short reply usually comes in one piece,
    // but this is not guaranteed. Without a time limit, recv() would never
    // return if the server's machine is gone.
    server.set_recv_timeout(Some(Duration::from_secs(10)))?;
    let mut buffer = [0; 1024];
    let count = server.recv(&mut buffer)?;
    let answer = buffer.get(..count).unwrap_or_default();
    say!("From the server: {}", console::escape(answer));

    // ---- 5 close() -------------------------------------------------------
    // Sends FIN. The server usually closes first, after its reply; then its
    // side has TIME_WAIT.
    server.close();
    Ok(())
}

/// Sends one message and prints the answer.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12004)
    #[argh(positional)]
    port: Port,
}

const PROGRAM: Program = Program {
    lab: "calculator",
    role: Role::Client { server: Some("calculator-template-server") },
    port: 12004,
    steps: "socket connect send recv close",
    example: "calculator-template-client 127.0.0.1 12004",
};
