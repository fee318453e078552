//! The calculator's client, handout G, question 6: sends its name, then a
//! calculation for each line that the user types. The other half is server.rs,
//! sequential_server.rs, or another student's server (--foreign). STATEFUL:
//! after a restart of the server it must send its name again. [G-7b]
//!
//! ```text
//! client (this file)          server
//!   |  1 socket                 |
//!   |  2 connect   handshake -->|
//!   |  3 send ------ "Ada" ---->|   its name; no answer         [G-6a]
//!   |  3 send ---- "12 + 42" -->|   } for each line that is
//!   |  4 recv <----- "54" ------|   } well formed       [G-6b] [G-6c]
//!   |  3 send ------- "q" ----->|                               [G-6d]
//!   |  5 close ------ FIN ----->|
//! ```

use std::io::{self, IsTerminal};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use calculator::expr;
use calculator::protocol::{self, LONGEST_MESSAGE, check_name, is_farewell};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, PollFd, PollFlags, TcpSocket};
use socketlab::{Error, Result, console, say, warn};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let gap = args::in_range("--gap", args.gap, 0, 60_000);
    let retry = args::in_range("--retry", args.retry, 0, 3600);
    let Some(name) = choose_name(args.name, args.raw)? else {
        return Ok(()); // the input ended
    };
    let addresses = net::resolve(&args.host, args.port.0)?;
    let socket = net::try_each_for(retry, &addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // bind() is not needed, because connect() chooses a free port.
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The kernels exchange three segments without data: the handshake.
        // [G-5] (viva 2) (viva 3) The next line limits connect() and, on Linux,
        // each send() to 10 s.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        Ok(socket)
    })?;
    // Name and first calculation are two small sends without a reply between
    // them. Nagle's algorithm would delay the second until the first is
    // acknowledged. (viva 14)
    socket.set_no_delay()?;
    let mut server = Server::new(socket, args.foreign);
    server.introduce(&name, Duration::from_millis(gap))?;

    loop {
        console::prompt_person("number operator number (q: leave): ");
        // Ctrl-D: the client closes without q, and the server prints this.
        let Some(line) = console::read_stdin_line()? else { break };
        if is_farewell(&line) {
            server.say(b"q")?; // [G-6d]
            break;
        }
        let sum = match expr::parse(&line) {
            Ok(expression) => expression.to_string().into_bytes(),
            Err(_) if args.raw => line,
            Err(reason) => {
                warn!("warning: {reason}"); // nothing is sent     [G-6b]
                continue;
            }
        };
        let answer = server.ask(&sum)?;
        say!("{}", console::message(&answer));
    }

    // ---- 5 close() -------------------------------------------------------
    // Sends FIN. All replies have been read, so nothing is lost. (viva 11)
    let Server { socket, reader, .. } = server;
    drop(reader); // it holds a handle of the socket as well
    socket.close();
    Ok(())
}

/// The name from the command line or the user; `None` at end of input.
fn choose_name(given: Option<String>, raw: bool) -> Result<Option<Vec<u8>>> {
    if let Some(name) = given {
        return match check_name(name.as_bytes()) {
            Err(reason) if !raw => args::usage(&format!("--name: {reason}")),
            _ => Ok(Some(name.into_bytes())),
        };
    }
    loop {
        console::prompt_person("your name: ");
        let Some(line) = console::read_stdin_line()? else { return Ok(None) };
        match check_name(&line) {
            Err(reason) if !raw => warn!("warning: {reason}"),
            _ => return Ok(Some(line)),
        }
    }
}

/// The server, as this client sees it.
struct Server {
    socket: TcpSocket,
    reader: LineReader,
    newline: &'static [u8], // after each message; none for --foreign
}

impl Server {
    fn new(socket: TcpSocket, foreign: bool) -> Server {
        let mut reader =
            LineReader::new(socket.clone(), LONGEST_MESSAGE, PATIENCE);
        reader.accept_pause(PAUSE);
        Server { socket, reader, newline: if foreign { b"" } else { b"\n" } }
    }

    /// Sends the name, which gets no reply. [G-6a]
    ///
    /// A server that treats one recv() as one message reads name and first
    /// calculation as ONE message if both arrive before its call. No call shows
    /// when the server has read the name, so the gap is a guess. A greeting
    /// shows that the server has read the name; it is not a reply to a
    /// calculation. (try 5)
    fn introduce(&mut self, name: &[u8], gap: Duration) -> Result<()> {
        self.say(name)?;
        // A person who types is slow enough.
        let no_gap = gap.is_zero() || io::stdin().is_terminal();
        if no_gap || !self.answers_within(gap)? {
            return Ok(());
        }
        let mut greeting = [0; 1024];
        let count = self.socket.recv(&mut greeting)?;
        let greeting = greeting.get(..count).unwrap_or_default();
        match greeting.trim_ascii_end() {
            _ if count == 0 => Err(closed()),
            refusal if refusal.starts_with(b"error: ") => Err(refused(refusal)),
            greeting => {
                say!("{}", console::message(greeting));
                Ok(())
            }
        }
    }

    /// Has the server sent something, or closed, after this time at most?
    fn answers_within(&self, limit: Duration) -> Result<bool> {
        let watched = &mut [PollFd::new(&self.socket, PollFlags::IN)];
        Ok(net::poll(watched, Some(limit))? > 0)
    }

    /// Sends a message.
    fn say(&self, message: &[u8]) -> Result<()> {
        // ---- 3 send() ----------------------------------------------------
        // Message and newline in one write, so in one segment. Anybody on the
        // path can read the characters. [G-5] (viva 4) (viva 14)
        self.socket.send_all(&[message, self.newline].concat())
    }

    /// Sends a calculation and waits for the reply.
    fn ask(&mut self, sum: &[u8]) -> Result<Vec<u8>> {
        match self.say(sum) {
            // The server is gone, but may have sent the reason before: `error:
            // no room`.
            Err(error) if error.is_peer_gone() => {}
            sent => sent?,
        }

        if !self.reader.has_unread() && !self.answers_within(NOTICE)? {
            warn!("{NO_ANSWER}");
        }

        // ---- 4 recv() ----------------------------------------------------
        // The reader calls recv() until the line is complete. [G-6c]
        match self.reader.read()? {
            Received::Line(line) | Received::Unterminated(line) => {
                match protocol::is_refusal(&line) {
                    true => Err(refused(&line)),
                    false => Ok(line),
                }
            }
            Received::TooLong => Err(Error::other(format!(
                "the answer is longer than {LONGEST_MESSAGE} bytes"
            ))),
            Received::End => Err(closed()),
        }
    }
}

fn closed() -> Error {
    Error::other("the server closed the connection: start again")
}

/// The server's last line, which is not a reply to a calculation: `error: no
/// room, …`.
fn refused(line: &[u8]) -> Error {
    let reason = line.strip_prefix(b"error: ").unwrap_or(line);
    Error::other(format!("the server refused: {}", console::message(reason)))
}

/// How long a reply may take before the client prints what may have happened.
const NOTICE: Duration = Duration::from_secs(3);
const NO_ANSWER: &str = "no answer for 3 s. A server for one client at a time \
    may be serving another: wait. Or it took one recv() for one message, and \
    read the name and the sum as one: Ctrl-C, then again with a longer --gap, \
    or with --foreign if it expects no newlines";

/// Limit for a reply, because a sequential server may serve another client
/// first.
const PATIENCE: Duration = Duration::from_secs(600);

/// Silence that ends a reply without a newline, because other servers send
/// none.
const PAUSE: Duration = Duration::from_millis(200);

/// Sends calculations to a calculator and prints its replies.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 12004)
    #[argh(positional)]
    port: Port,
    /// your name, 1 to 64 bytes (default: the first line of the input)
    #[argh(option)]
    name: Option<String>,
    /// send badly formed lines, too, because the server also checks
    #[argh(switch)]
    raw: bool,
    /// for a server that expects no newlines: send none
    #[argh(switch)]
    foreign: bool,
    /// milliseconds between the name and the first calculation, for a server
    /// that treats one recv() as one message (default 500; 0: none; not used at
    /// a terminal)
    #[argh(option, default = "500")]
    gap: u64,
    /// seconds to try again while the connection is refused (default 0)
    #[argh(option, hidden_help, default = "0")]
    retry: u64,
}

const PROGRAM: Program = Program {
    lab: "calculator",
    role: Role::Client { server: Some("calculator-server") },
    port: 12004,
    steps: "socket connect send recv close",
    example: "calculator-client 127.0.0.1 12004 --name Ada",
};
