//! Sends the date and the time over UDP: question 3 of handout G, literally.
//! The other half is plain_client.rs; server.rs is the next stage.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind
//!   |----- SEND_TIME ------>|  3 recvfrom
//!   |<---- 09:05:03 --------|  4 sendto     then again from 3  [G-3a]
//! ```

use argh::{ArgsInfo, FromArgs};
use jiff::Zoned;
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, UdpSocket};
use socketlab::{Result, console, say, signals, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?; // Ctrl-C prints "bye" and ends

    // ---- 1 socket() ------------------------------------------------------
    // Python: socket.socket(AF_INET, SOCK_DGRAM). C: socket(). The kernel makes
    // an endpoint with a queue for datagrams. One socket serves all clients,
    // and the kernel stores nothing about any of them, so UDP is stateless. TCP
    // keeps numbers and timers for each. [G-7c] [G-7d]
    let socket = UdpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Claims the port to which clients send. 127.0.0.1 is reached from this
    // machine only; for another one, bind 0.0.0.0.  [G-2] (viva 6) (try 8)
    socket.bind(address)?;
    net::announce(socket.local_addr()?);

    // "The server runs in an infinite loop where it keeps waiting".
    let mut buffer = [0; 1024];
    loop {
        // ---- 3 recvfrom() ------------------------------------------------
        // Waits for one datagram: its bytes, and the address of its sender.
        // A datagram comes complete or not at all, so a half request cannot
        // come, and no client can be gone.                 (viva 1) (viva 2)
        let (count, client) = socket.recvfrom(&mut buffer)?;
        let request = buffer.get(..count).unwrap_or_default();
        // Reads the clock for each request. The server remembers nothing, so
        // this protocol is stateless, too. [G-7a] (viva 3)
        let now = Zoned::now();
        let answer = match request {
            b"SEND_DATE" => now.strftime("%Y-%m-%d").to_string(),
            b"SEND_TIME" => now.strftime("%H:%M:%S").to_string(),
            // A datagram that begins with ERROR is another server's reply.
            // Without this line two servers could answer each other without
            // end.
            error if error.starts_with(b"ERROR") => continue,
            _ => "ERROR: SEND_DATE or SEND_TIME, exactly".into(),
        };
        say!("[{client}] {} -> {answer}", console::escape(request));

        // ---- 4 sendto() --------------------------------------------------
        // One datagram, to the address that recvfrom() returned. The call does
        // not say whether it arrives. A failure concerns only this client.
        // Limit: the sender's address may be forged, and then another host gets
        // replies that it never requested. server.rs bounds their number. (viva
        // 10)
        if let Err(error) = socket.sendto(answer.as_bytes(), client) {
            warn!("{error}");
        }
    }
}

/// Answers SEND_DATE with YYYY-MM-DD and SEND_TIME with HH:MM:SS.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12003; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "datetime",
    role: Role::Server,
    port: 12003,
    steps: "socket bind recvfrom sendto",
    example: "datetime-plain-server 127.0.0.1 12003",
};
