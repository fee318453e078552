//! Sends a mail to any recipient: the client of the handout's companion, in
//! as few lines as possible. Handout W (Week 5), task 4. For real servers,
//! use client.rs.
//!
//! ```text
//! client (this file)               mail server
//!   |  1 socket  2 connect --------->|  a) a TCP connection
//!   |  3 greeting <---- 220 ---------|  b) the dialogue
//!   |  4 helo   5 mail   6 rcpt ---->|     250, 250, 250
//!   |  7 data ------- DATA --------->|  c) the message: 354
//!   |  8 dot -------- lines, . ----->|     250: now the server has it
//!   |  9 quit  10 close ------------>|  d) 221, then FIN
//! ```

use argh::{ArgsInfo, FromArgs};
use mail::smtp::address::Address;
use socketlab::args::{self, Port, Program, Role};
use socketlab::line::{LineReader, Received};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, say};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let address = net::resolve_one(&args.host, args.port.0)?;
    // ---- 1 socket() ------------------------------------------------------
    // ==== a) a TCP connection with a mail server          [W-T4a] [W-T4b]
    // HOST and PORT can name any mail server. Python: socket.socket()
    let socket = TcpSocket::new(address)?;
    // ---- 2 connect() -----------------------------------------------------
    // The kernel does the TCP handshake. connect() fails after 10 s without
    // an answer, because on Linux SO_SNDTIMEO limits it, too.
    socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    socket.connect(address)?;
    let mut server = LineReader::new(socket, 2048, net::CONNECT_TIMEOUT);
    let sent = converse(&mut server, &args);
    // ---- 9 quit() --------------------------------------------------------
    // Also after a refusal. `let _ =`: the result does not matter.
    let _ = command(&mut server, "QUIT", "221");
    // ---- 10 close() ------------------------------------------------------
    // ==== d) close the TCP connection: the kernel sends FIN
    server.into_parts().0.finish();
    sent
}

/// The dialogue: one command, one reply. `?` returns after a refusal.
fn converse(server: &mut Server, args: &Args) -> Result<()> {
    // ---- 3 greeting() ----------------------------------------------------
    // ==== b) dialogue with the mail server by SMTP
    // The server speaks first: 220 means that it is ready.
    reply(server, "220")?;
    // ---- 4 helo() --------------------------------------------------------
    // The client's name, a domain. Limit: encryption and log-in need EHLO, so
    // a Google server refuses the next command with 530. (viva 14) (try 1)
    command(server, "HELO localhost", "250")?;
    // ---- 5 mail() --------------------------------------------------------
    // The envelope's sender, to whom servers report a failure.   (viva 9)
    command(server, &format!("MAIL FROM:<{}>", args.from.text()), "250")?;
    // ---- 6 rcpt() --------------------------------------------------------
    // The envelope's recipient. 250: accepted; 251: the server forwards it;
    // 550: no such mailbox. Limit: one recipient only.          (viva 13)
    command(server, &format!("RCPT TO:<{}>", args.to.text()), "25")?;
    // ---- 7 data() --------------------------------------------------------
    // ==== c) send an email message to the recipient
    // 354 means "send the message now". No other code allows it.
    command(server, "DATA", "354")?;
    // ---- 8 dot() ---------------------------------------------------------
    // Header, empty line, text, and a line with only a dot, which ends the
    // message. With 250 the server is responsible for it. Without a reply the
    // client cannot know whether the server has it.              (viva 4)
    // Limit: a fixed text, without From and Date; a dot needs care. (viva 3)
    let header = format!("To: <{}>\r\nSubject: networks", args.to.text());
    let text = "I love computer networks!\r\n.";
    command(server, &format!("{header}\r\n\r\n{text}"), "250")
}

/// Sends a command, or the message, and reads the reply. send_all() copies
/// the bytes to the kernel. Python: s.sendall()  C: send() in a loop
fn command(server: &mut Server, lines: &str, wanted: &str) -> Result<()> {
    say!("C: {}", lines.replace("\r\n", "\nC: ").replace("C: \n", "C:\n"));
    server.stream().send_all(format!("{lines}\r\n").as_bytes())?;
    reply(server, wanted)
}

/// Reads a reply. One recv() may return half a line or two, so `LineReader`
/// calls it until a line is complete. After `250-` more lines follow.
fn reply(server: &mut Server, wanted: &str) -> Result<()> {
    loop {
        let line = match server.read()? {
            Received::Line(line) if server.ended_with_line_end() => line,
            _ => return Err(Error::other("the server closed without a reply")),
        };
        say!("S: {}", console::escape(&line));
        match line.get(3) {
            Some(b'-') => {}
            _ if line.starts_with(wanted.as_bytes()) => return Ok(()),
            _ => {
                return Err(Error::other(format!(
                    "the reply is not {wanted:x<3}"
                )));
            }
        }
    }
}

type Server = LineReader<TcpSocket>;

/// Sends "I love computer networks!" to one recipient, by SMTP.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    #[argh(positional, description = "address or name of the mail server")]
    host: String,
    #[argh(
        positional,
        description = "its port: 25, or 2525 for our mail-sink"
    )]
    port: Port,
    #[argh(positional, description = "the sender's address: ada@example.com")]
    from: Address, // checked: a newline would begin a command    (viva 15)
    /// the recipient's address: bob@example.org
    #[argh(positional)]
    to: Address,
}

const PROGRAM: Program = Program {
    lab: "mail",
    role: Role::Client { server: Some("mail-sink") },
    port: 2525,
    steps: "socket connect greeting helo mail rcpt data dot quit close",
    example: "mail-plain-client 127.0.0.1 2525 a@example.com b@example.org",
};
