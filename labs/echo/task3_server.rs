//! Task 3 of handout E (ELEN4017): many messages; the server closes the
//! connection only upon `stop` or `exit`. The other half is task3_client.rs.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept
//!   |------- "hello" ------>|  5 recv      } for each message
//!   |<------ "hello" -------|  6 send      }
//!   |------- "stop" ------->|                                 [E-T3]
//!   |<------- FIN ----------|  7 close     then accept the next client
//! ```

use std::net::SocketAddr;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?;

    // ---- 1 socket() ------------------------------------------------------
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Claims the port, also while old connections wait in TIME_WAIT.
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // About 5 clients can wait in the kernel's queue while one is served.
    listener.set_send_timeout(Some(net::SEND_TIMEOUT))?; // 30 s
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // In a loop, because a command ends a connection, not the server.
        // Limit: while one client is silent, others wait. (try 2) (viva 6)
        let (client, peer) = listener.accept()?;
        say!("[{peer}] connected");
        let reason = converse(&client, peer)
            .unwrap_or_else(|error| format!("lost: {error}"));
        say!("[{peer}] {reason}");

        // ---- 7 close() ---------------------------------------------------
        // Sends FIN. finish() then discards what the client still sends,
        // because close() with unread bytes would send RST.
        client.finish();
        if args.stop_ends_server && reason == "left: stop" {
            say!("bye");
            return Ok(());
        }
    }
}

/// Echoes to one client, and returns why it left.
fn converse(client: &TcpSocket, peer: SocketAddr) -> Result<String> {
    let mut line = Vec::new(); // the bytes since the last newline
    let mut buffer = [0; 1024];
    loop {
        // ---- 5 recv() ----------------------------------------------------
        // What has arrived: one message, a part of it, or several, because
        // TCP has no messages. 0 is end of stream.      (viva 7) (viva 8)
        let count = client.recv(&mut buffer)?;
        if count == 0 {
            return Ok("left: end of stream".into());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let s = if count == 1 { "" } else { "s" };
        say!("[{peer}] {count} byte{s}: {}", console::escape(bytes));

        // ---- 6 send() ----------------------------------------------------
        // The same bytes, also those of a command.
        client.send_all(bytes)?;

        // A command is all that recv() returned, or a complete line. [E-T3]
        // Limit: without a newline, `st`, `op` in two segments is not a
        // command, but `stop`, `watch` is. (viva 9) (viva 17)
        let mut found = command(bytes);
        for &byte in bytes {
            line.push(byte);
            if byte == b'\n' {
                found = found.or(command(&line));
                line.clear();
            }
            line.truncate(8); // a longer line is not a command
        }
        if let Some(word) = found {
            return Ok(format!("left: {word}"));
        }
    }
}

/// `stop` and `exit`, with a newline or without it, and nothing else.
fn command(message: &[u8]) -> Option<&'static str> {
    let word = message.strip_suffix(b"\n").unwrap_or(message);
    let word = word.strip_suffix(b"\r").unwrap_or(word);
    ["stop", "exit"].into_iter().find(|command| command.as_bytes() == word)
}

/// Task 3: echoes to one client at a time, until it sends `stop` or `exit`.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12001; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// let `stop` end the server, too
    #[argh(switch, hidden_help)]
    stop_ends_server: bool,
    /// allow a port below 1024
    #[argh(switch, hidden_help)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "echo",
    role: Role::Server,
    port: 12001,
    steps: "socket bind listen accept recv send close",
    example: "echo-task3-server 127.0.0.1 12001",
};
