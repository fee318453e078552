//! The calculator of question 6, handout G, literally. The other half is
//! plain_client.rs; sequential_server.rs is the next stage.
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
    // Claims the port. SO_REUSEADDR: also if a run just ended.  (viva 12)
    listener.set_reuse_address()?;
    listener.bind(address)?;
    // ---- 3 listen() ------------------------------------------------------
    // The kernel now completes handshakes and queues 5. (viva 2)
    listener.listen(5)?;
    net::announce(listener.local_addr()?);
    loop {
        // ---- 4 accept() --------------------------------------------------
        // Returns a socket for this client. Limit: the next client waits until
        // this one has left; see server.rs.               (viva 9) (try 1)
        let (client, peer) = listener.accept()?;
        if let Err(error) = converse(client) {
            say!("[{peer}] lost: {error}"); // serve the next client
        }
    }
}

fn converse(client: TcpSocket) -> Result<()> {
    // ---- 5 recv() --------------------------------------------------------
    // Python: client.recv(1024). It may return half a message or two, so
    // LineReader calls it until a newline. The handout's Python programs
    // send no newline; for them 200 ms of silence end a message.  (try 4)
    let idle = Duration::from_secs(600);
    let mut messages = LineReader::new(client.clone(), 1024, idle);
    messages.accept_pause(Duration::from_millis(200));
    let mut user: Option<String> = None;
    loop {
        let message = match messages.read()? {
            Received::Line(text) | Received::Unterminated(text) => text,
            Received::TooLong => b"(too long)".to_vec(),
            Received::End => {
                say!("{}: left without q", user.unwrap_or_default());
                break;
            }
        };
        let text = console::escape(message.trim_ascii());
        let Some(name) = &user else {
            user = Some(text); // the session's state        [G-6a] [G-7b]
            continue;
        };
        say!("{name}: {text}"); // "prints the received message"  [G-6c]
        if text == "q" {
            say!("Session ended"); // [G-6d]
            break;
        }
        // ---- 6 send() ----------------------------------------------------
        // Python: client.sendall(). The newline ends the reply.     [G-6c]
        client.send_all(format!("{}\n", answer(&text)).as_bytes())?;
    }
    // ---- 7 close() -------------------------------------------------------
    // Sends FIN: the client's next recv() returns 0.             (viva 11)
    drop(messages); // it holds a handle of the socket, too
    client.finish();
    Ok(())
}

/// The result of `12 + 42`, or an error. Limit: it rounds above 2^53.
fn answer(text: &str) -> String {
    let usage = "error: number + - * or / number, as in 12 + 42".to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    let [left, sign, right] = words[..] else { return usage };
    let Some((a, b)) = number(left).zip(number(right)) else { return usage };
    let result = match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" if b == 0.0 => return "error: division by zero".to_string(),
        "/" => a / b,
        _ => return usage,
    };
    if result.is_infinite() {
        return "error: too large".to_string();
    }
    result.to_string()
}

/// The number that a word names. Rust also reads `inf` and `nan`: not numbers.
fn number(word: &str) -> Option<f64> {
    word.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Computes for one client after the other.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    #[argh(positional, description = "address to bind (default 127.0.0.1)")]
    host: String,
    #[argh(positional, description = "port to bind (default 12004)")]
    port: Port,
    #[argh(switch, hidden_help, description = "allow a port below 1024")]
    allow_privileged: bool,
}

const PROGRAM: Program = Program {
    lab: "calculator",
    role: Role::Server,
    port: 12004,
    steps: "socket bind listen accept recv send close",
    example: "calculator-plain-server 127.0.0.1 12004",
};
