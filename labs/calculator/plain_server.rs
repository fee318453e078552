//! The calculator of question 6, handout G, literally and in one file. The
//! other half is plain_client.rs; sequential_server.rs is the next stage.
//!
//! ```text
//! client                  server (this file)
//!   |                       |  1 socket   2 bind   3 listen
//!   |------ handshake ----->|  4 accept
//!   |-------- "Ada" ------->|  5 recv   its name, remembered    [G-6a]
//!   |------ "12 + 42" ----->|  5 recv   } printed, computed,
//!   |<------- "54" ---------|  6 send   } answered              [G-6c]
//!   |--------- "q" -------->|  7 close  "Session ended"         [G-6d]
//! ```

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Result, console, say, signals};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let port = args.port.for_server(args.allow_privileged);
    let address = net::resolve_one(&args.host, port)?;
    signals::at_once_on_signal()?; // Ctrl-C prints "bye" and ends

    // ---- 1 socket() ------------------------------------------------------
    // Python: socket.socket(AF_INET, SOCK_STREAM). It will only listen.
    let listener = TcpSocket::new(address)?;

    // ---- 2 bind() --------------------------------------------------------
    // Claims the port at which clients aim. SO_REUSEADDR: also if the last
    // run has ended a moment ago.                                 (viva 12)
    listener.set_reuse_address()?;
    listener.bind(address)?;

    // ---- 3 listen() ------------------------------------------------------
    // The kernel now completes handshakes and keeps 5 connections. (viva 2)
    listener.listen(5)?;
    net::announce(listener.local_addr()?);

    loop {
        // ---- 4 accept() --------------------------------------------------
        // Returns a second socket, for this client alone.
        // Limit: the next client waits until this one has left. server.rs
        // has a thread for each.                          (viva 9) (try 1)
        let (client, peer) = listener.accept()?;
        if let Err(error) = converse(client) {
            say!("[{peer}] lost: {error}"); // it is gone: the next one
        }
    }
}

fn converse(client: TcpSocket) -> Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // Python: client.recv(1024). It returns what has arrived: half a message,
    // or two. So LineReader calls it until a newline. The handout's Python
    // programs send none: for them 200 ms of silence end a message. (try 4)
    let silence = Duration::from_secs(600);
    let mut messages = LineReader::new(client.clone(), 1024, silence);
    messages.accept_pause(Duration::from_millis(200));
    let mut name: Option<String> = None;
    loop {
        let message = match messages.read()? {
            Received::Line(text) | Received::Unterminated(text) => text,
            Received::TooLong => b"(too long)".to_vec(),
            Received::End => {
                say!("{}: left without q", name.unwrap_or_default());
                break;
            }
        };
        let text = console::escape(message.trim_ascii());
        let Some(name) = &name else {
            name = Some(text); // the session's state        [G-6a] [G-7b]
            continue;
        };
        say!("{name}: {text}"); // "prints the received message"  [G-6c]
        if text == "q" {
            say!("Session ended"); // [G-6d]
            break;
        }

        // ---- 6 send() ----------------------------------------------------
        // Python: client.sendall(). A line, so that its end is seen. [G-6c]
        client.send_all(format!("{}\n", answer(&text)).as_bytes())?;
    }

    // ---- 7 close() -------------------------------------------------------
    // Sends FIN: the client's next recv() returns 0.             (viva 11)
    drop(messages); // it holds a handle of the socket as well
    client.finish();
    Ok(())
}

/// `12 + 42` is 54. Limit: every number is a 64-bit float.
fn answer(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |at: usize| words.get(at)?.parse::<f64>().ok();
    match (number(0), words.get(1).copied(), number(2), words.len()) {
        (Some(a), Some("+"), Some(b), 3) => (a + b).to_string(),
        (Some(a), Some("-"), Some(b), 3) => (a - b).to_string(),
        (Some(a), Some("*"), Some(b), 3) => (a * b).to_string(),
        (Some(_), Some("/"), Some(0.0), 3) => "error: division by zero".into(),
        (Some(a), Some("/"), Some(b), 3) => (a / b).to_string(),
        _ => "error: number + - * or / number, as in 12 + 42".into(),
    }
}

/// Computes for one client after the other.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name to bind (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// port to bind (default 12004; 0: the kernel chooses)
    #[argh(positional)]
    port: Port,
    /// allow a port below 1024
    #[argh(switch)]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "calculator",
    role: Role::Server,
    port: 12004,
    steps: "socket bind listen accept recv send close",
    example: "calculator-plain-server 127.0.0.1 12004",
};
