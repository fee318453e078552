//! Fetches a message by POP3, the shortest dialogue in the table of handout
//! T. Read this one first. The other half is a mail server, here
//! python/pop3_server.py. In Python: `poplib`. RFC 1939.              [T-M]
//!
//! ```text
//! client (this file)                server
//!   |  1 socket                       |
//!   |  2 connect ---- handshake ----->|
//!   |  4 recv <------ +OK ready ------|   the server speaks first
//!   |  3 send ------- USER, PASS ---->|   4 recv: +OK, +OK or -ERR
//!   |  3 send ------- STAT ---------->|   4 recv: +OK 2 180
//!   |  3 send ------- RETR 1 -------->|   4 recv: +OK, lines, a single dot
//!   |  3 send ------- QUIT ---------->|   4 recv: +OK
//!   |  5 close ------ FIN ----------->|
//! ```

use std::env;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.0)?;
    // Limit: anybody on the path can read the password, so the server must be
    // on this machine. `fetch` has TLS. (try 3)
    if !address.ip().is_loopback() {
        return Err(Error::other("no TLS here: only to 127.0.0.1, or fetch"));
    }

    // ---- 1 socket() ------------------------------------------------------
    // An endpoint in the kernel; nothing is sent. Python: socket.socket()
    let socket = TcpSocket::new(address)?;

    // ---- 2 connect() -----------------------------------------------------
    // The kernel chooses a free port and makes the handshake with the server.
    socket.connect(address)?;
    converse(socket, &args)
}

/// The dialogue: one command, one reply.
fn converse(socket: TcpSocket, args: &Args) -> Result<()> {
    let password = env::var("FETCH_PASSWORD").unwrap_or_default();
    // recv() may return half a line, or two. The reader returns one line.
    let silence = Duration::from_secs(30);
    let mut server = LineReader::new(socket, 64 * 1024, silence);
    server.only_crlf();

    expect_ok(&mut server)?; // the greeting                       (viva 1)
    ask(&mut server, "USER", &args.user)?;
    ask(&mut server, "PASS", &password)?;
    ask(&mut server, "STAT", "")?;
    ask(&mut server, "RETR", &args.number.to_string())?;
    // Until a line with a single dot. A line that begins with a dot arrives
    // with one dot more, which is removed here. (viva 5)
    loop {
        let line = recv_line(&mut server)?;
        match line.strip_prefix(b".") {
            Some([]) => break,
            Some(rest) => say!("{}", console::escape(rest)),
            None => say!("{}", console::escape(&line)),
        }
    }
    ask(&mut server, "QUIT", "")?;

    // ---- 5 close() -------------------------------------------------------
    // Sends FIN. Nothing was deleted, because DELE was not sent. (viva 8)
    server.into_parts().0.close();
    Ok(())
}

/// Sends one command and reads its reply.
fn ask(server: &mut LineReader, verb: &str, word: &str) -> Result<()> {
    // ---- 3 send() --------------------------------------------------------
    // A line ends with CR LF. If a word contained CR LF, its rest would be a
    // second command. (viva 3)
    let word = word.replace(char::is_control, "?");
    let command = format!("{verb} {word}").trim_end().to_string();
    say!("C: {}", if verb == "PASS" { "PASS ****" } else { &command });
    server.stream().send_all(format!("{command}\r\n").as_bytes())?;
    expect_ok(server)
}

/// Every reply begins with +OK or -ERR.
fn expect_ok(server: &mut LineReader) -> Result<()> {
    let reply = console::escape(&recv_line(server)?);
    say!("S: {reply}");
    match reply == "+OK" || reply.starts_with("+OK ") {
        true => Ok(()),
        false => Err(Error::other(format!("the server refused: {reply}"))),
    }
}

fn recv_line(server: &mut LineReader) -> Result<Vec<u8>> {
    // ---- 4 recv() --------------------------------------------------------
    // Blocks until a line is complete. FIN before that: the server has closed.
    match server.read()? {
        Received::Line(line) if server.ended_with_line_end() => Ok(line),
        _ => Err(Error::other("the server closed, or the line has no end")),
    }
}

/// Fetches a message by POP3. The password comes from $FETCH_PASSWORD.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// the server's address or name (default 127.0.0.1)
    #[argh(positional)]
    host: String,
    /// the server's port (default 11000)
    #[argh(positional)]
    port: Port,
    /// which message (default 1)
    #[argh(positional, default = "1")]
    number: u32,
    /// whose mailbox (default ann)
    #[argh(option, default = "\"ann\".into()")]
    user: String,
}

const PROGRAM: Program = Program {
    lab: "internet",
    role: Role::Client { server: None },
    port: 11000,
    steps: "socket connect send recv close",
    example: "FETCH_PASSWORD=lunch internet-plain-pop3 127.0.0.1 11000 1",
};
