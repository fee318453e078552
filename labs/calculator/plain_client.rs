//! The calculator's client, question 6 of handout G, literally. The other
//! half is plain_server.rs; client.rs is the next stage.
//!
//! ```text
//! client (this file)          server
//!   |  1 socket                 |
//!   |  2 connect  handshake --->|
//!   |  3 send ------ "Ada" ---->|  its name; no answer         [G-6a]
//!   |  3 send ---- "12 + 42" -->|  } for each line that is
//!   |  4 recv <----- "54" ------|  } well formed       [G-6b] [G-6c]
//!   |  3 send ------- "q" ----->|                              [G-6d]
//!   |  5 close ------ FIN ----->|
//! ```

use std::thread;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let addresses = net::resolve(&args.host, args.port.0)?;
    let server = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // Python: socket.socket(AF_INET, SOCK_STREAM). SOCK_STREAM means TCP.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // SYN, SYN-ACK, ACK. If no server listens: ECONNREFUSED. (viva 2) The
        // next line limits connect() and, on Linux, each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;

    // The client first sends its name.                              [G-6a]
    server.send_all(format!("{}\n", args.name).as_bytes())?;
    // The name gets no reply, so the client does not know when the server has
    // read it. A server that treats one recv() as one message could read the
    // name and the first calculation together. So the client waits. (try 5)
    thread::sleep(Duration::from_millis(500));
    let mut buffer = [0; 1024];
    loop {
        console::prompt_person("number operator number (q: leave): ");
        let Some(line) = console::read_stdin_line()? else { break };
        let line = line.trim_ascii();
        if line != b"q" && !is_well_formed(line) {
            warn!("warning: write number + - * or / number, as in 12 + 42");
            continue; // nothing is sent                             [G-6b]
        }

        // ---- 3 send() ----------------------------------------------------
        // Python: client.sendall(). Message and newline in one call: TCP is a
        // stream of bytes, and the newline is its only mark.       (viva 4)
        server.send_all(&[line, b"\n"].concat())?;
        if line == b"q" {
            break; // it was forwarded, and gets no reply            [G-6d]
        }

        // ---- 4 recv() ----------------------------------------------------
        // Python: client.recv(1024). Returns what has arrived; 0: the server
        // has closed. The limit is long, because a sequential server may be
        // serving another client.                                   [G-6c]
        // Limit: a reply in two pieces would count as two. client.rs reads
        // until the newline.
        server.set_recv_timeout(Some(Duration::from_secs(600)))?;
        let count = server.recv(&mut buffer)?;
        let answer = buffer.get(..count).unwrap_or_default();
        if answer.is_empty() {
            return Err(Error::other("the server closed the connection"));
        }
        say!("{}", console::escape(answer.trim_ascii_end()));
    }

    // ---- 5 close() -------------------------------------------------------
    // Sends FIN. The server prints whether `q` came before it.
    server.close();
    Ok(())
}

/// The simple operations.
const SIGNS: [&str; 4] = ["+", "-", "*", "/"];

/// Two numbers and an operator, separated by spaces.                [G-6b]
fn is_well_formed(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split_whitespace().collect();
    let [left, operator, right] = words[..] else { return false };
    let is_number =
        |word: &str| word.parse().is_ok_and(|number: f64| number.is_finite());
    is_number(left) && is_number(right) && SIGNS.contains(&operator)
}

/// Sends calculations to the calculator and prints its answers.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12004)
    #[argh(positional)]
    port: Port,
    /// the name that the client sends first (default Ada)
    #[argh(option, default = "\"Ada\".into()")]
    name: String,
}

const PROGRAM: Program = Program {
    lab: "calculator",
    role: Role::Client { server: Some("calculator-plain-server") },
    port: 12004,
    steps: "socket connect send recv close",
    example: "calculator-plain-client 127.0.0.1 12004 --name Ada",
};
