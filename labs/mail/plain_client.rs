//! Sends a mail to any recipient. Handout W (Week 5), task 4: the companion's
//! client in its fewest lines. client.rs is the one to use.
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
    // Any server: HOST and PORT name it.        Python: socket.socket()
    let socket = TcpSocket::new(address)?;

    // ---- 2 connect() -----------------------------------------------------
    // The kernel's handshake, 10 s at most: SO_SNDTIMEO bounds it on Linux.
    socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
    socket.connect(address)?;
    // A line of a reply: 2,048 bytes and 10 s at most.
    let mut server = LineReader::new(socket, 2048, net::CONNECT_TIMEOUT);
    let sent = converse(&mut server, &args);

    // ---- 9 quit() --------------------------------------------------------
    // After a refusal, too: otherwise the server waits for more.
    let _ = command(&mut server, "QUIT", "221");

    // ---- 10 close() ------------------------------------------------------
    // ==== d) close the TCP connection: FIN.              Python: close()
    server.into_parts().0.finish();
    sent
}

/// The dialogue: one command, one reply.
fn converse(server: &mut Server, args: &Args) -> Result<()> {
    // ---- 3 greeting() ----------------------------------------------------
    // ==== b) dialogue with the mail server by SMTP: the server begins
    reply(server, "220")?;

    // ---- 4 helo() --------------------------------------------------------
    // Our name, a domain. Limit: without EHLO there is neither encryption nor
    // a log-in, so a Google server says 530 next.       (viva 14) (try 1)
    command(server, "HELO localhost", "250")?;

    // ---- 5 mail() --------------------------------------------------------
    // The envelope: from whom. Complaints go there.            (viva 9)
    command(server, &format!("MAIL FROM:<{}>", args.from.text()), "250")?;

    // ---- 6 rcpt() --------------------------------------------------------
    // To whom. 251: passed on; 550: nobody. Limit: one of them. (viva 13)
    command(server, &format!("RCPT TO:<{}>", args.to.text()), "25")?;

    // ---- 7 data() --------------------------------------------------------
    // ==== c) send an email message to the recipient
    // 354: the message may come now. Even a 250 would be a refusal here.
    command(server, "DATA", "354")?;

    // ---- 8 dot() ---------------------------------------------------------
    // A header, an empty line, a text, and a line with only a dot. The server
    // is responsible after its 250; without a reply nobody knows. (viva 4)
    // Limit: no text of yours, since a dot in it must be doubled. (viva 3)
    let header = format!("To: <{}>\r\nSubject: networks", args.to.text());
    let text = "I love computer networks!\r\n.";
    command(server, &format!("{header}\r\n\r\n{text}"), "250")
}

/// Sends a command, or the message, and reads the reply.
fn command(server: &mut Server, lines: &str, wanted: &str) -> Result<()> {
    say!("C: {}", lines.replace("\r\n", "\nC: ").replace("C: \n", "C:\n"));
    server.stream().send_all(format!("{lines}\r\n").as_bytes())?;
    reply(server, wanted)
}

/// Reads a reply. One recv() may bring half a line or several; the reader
/// gives out complete ones. `250-`: more follow. Limit: without a bound.
fn reply(server: &mut Server, wanted: &str) -> Result<()> {
    loop {
        let line = match server.read()? {
            Received::Line(line) if server.ended_with_line_end() => line,
            _ => return Err(Error::other("the server closed, no reply")),
        };
        say!("S: {}", console::escape(&line));
        match line.get(3) {
            Some(b'-') => {}
            _ if line.starts_with(wanted.as_bytes()) => return Ok(()),
            _ => return Err(Error::other(format!("not the {wanted} of SMTP"))),
        }
    }
}

type Server = LineReader<TcpSocket>;

/// Sends "I love computer networks!" to one recipient, by SMTP.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// address or name of the mail server
    #[argh(positional)]
    host: String,
    /// its port: 25, or 2525 for our mail-sink
    #[argh(positional)]
    port: Port,
    /// the sender's address: ada@example.com
    #[argh(positional)]
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
