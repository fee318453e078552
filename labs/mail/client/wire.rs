//! The client's side of the wire: one command out, one reply back, both
//! printed as they pass. The program decides which command comes when.
//!
//! ```text
//! send_line("RCPT TO:<b@x>")   ->  C: RCPT TO:<b@x>
//! read_reply(Verb::Rcpt)       <-  S: 250 2.1.5 Ok     within a deadline
//! ```
//!
//! An unexpected reply ends the dialogue with QUIT. Bytes that are not SMTP,
//! silence or a close end it without.                  (viva 18) [W-T4a]

use std::time::Duration;

use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{console, say};
use tls::Channel;

use super::outcome::Failure;
use crate::smtp::reply::{self, Reply};
use crate::smtp::verb::Verb;

/// What is printed of one line.
const SHOWN: usize = 200;

/// Lines of a message that are printed.
const MESSAGE_SHOWN: usize = 60;

/// The deadline for the reply to QUIT, on which nothing depends.
const GOODBYE: Duration = Duration::from_secs(5);

/// How long to wait for a complete reply. The default is a tenth of what RFC
/// 5321, 4.5.3.2 asks of servers among themselves, because a person looks on
/// here; `--timeout 600` is for a server that takes its time.
#[derive(Clone, Copy)]
pub struct Deadlines {
    /// For the greeting, and for each command.
    pub command: Duration,
    /// For the 354 after DATA.
    pub data: Duration,
    /// For the reply to the dot, because filters read the message then.
    pub dot: Duration,
}

impl Deadlines {
    /// A tenth of the RFC's 5, 2 and 10 minutes.
    pub const LAB: Deadlines = Deadlines {
        command: Duration::from_secs(30),
        data: Duration::from_secs(12),
        dot: Duration::from_secs(60),
    };

    /// The same for all.
    pub fn all(wait: Duration) -> Deadlines {
        Deadlines { command: wait, data: wait, dot: wait }
    }

    fn after(&self, verb: Verb) -> Duration {
        match verb {
            Verb::Data => self.data,
            Verb::Dot => self.dot,
            Verb::Quit => self.command.min(GOODBYE),
            _ => self.command,
        }
    }
}

/// What a reply belongs to, in the words of an error.
fn words(verb: Verb) -> String {
    match verb {
        Verb::Greeting => "the greeting".into(),
        Verb::Dot => "the dot".into(),
        verb => verb.to_string().to_uppercase(),
    }
}

/// The client's end of a dialogue with a mail server.
pub struct Wire {
    reader: Option<LineReader<Channel>>, // None: nothing more can be said
    deadlines: Deadlines,
    quiet: bool,
    hidden: Vec<String>, // never printed
}

impl Wire {
    /// A dialogue over a connected socket, in the clear.
    pub fn new(socket: TcpSocket, deadlines: Deadlines, quiet: bool) -> Wire {
        let reader = Some(new_reader(Channel::Clear(socket)));
        Wire { reader, deadlines, quiet, hidden: Vec::new() }
    }

    /// The numbered line above what one step sends and reads.
    pub fn banner(&self, step: Verb, about: &str) {
        let program = socketlab::args::program();
        let step = step.to_string();
        let number = program.and_then(|program| program.step(&step));
        if !self.quiet {
            let name = step.to_uppercase();
            say!("-- {} {name}: {about}", number.unwrap_or_default());
        }
    }

    /// A remark of our own, between the lines of the dialogue.
    pub fn note(&self, text: &str) {
        if !self.quiet && !text.is_empty() {
            say!("   ({})", self.masked(text));
        }
    }

    /// These texts are secrets, also when the server repeats them.
    pub fn hide(&mut self, secrets: impl IntoIterator<Item = String>) {
        let secrets = secrets.into_iter().filter(|text| text.len() > 3);
        self.hidden.extend(secrets);
    }

    /// Prints a line of either side, without secrets and escape codes.
    pub fn show(&self, side: &str, line: &[u8]) {
        if self.quiet {
            return;
        }
        let text = self.shown(line, SHOWN);
        say!("{}", format!("{side}: {text}").trim_end());
    }

    fn masked(&self, text: &str) -> String {
        let mut text = text.to_string();
        for secret in &self.hidden {
            text = text.replace(secret.as_str(), "********");
        }
        text
    }

    /// Masked before it is cut, because otherwise half a secret would show.
    fn shown(&self, line: &[u8], most: usize) -> String {
        if self.hidden.is_empty() {
            return console::escape_short(line, most);
        }
        let text = self.masked(&String::from_utf8_lossy(line));
        console::escape_short(text.as_bytes(), most)
    }

    /// Sends a line.
    pub fn send_line(&mut self, line: &str) -> Result<(), Failure> {
        self.send_masked(line, line)
    }

    /// Sends a line, and prints something else.
    pub fn send_masked(
        &mut self,
        line: &str,
        shown: &str,
    ) -> Result<(), Failure> {
        self.show("C", shown.as_bytes());
        self.send(format!("{line}\r\n").as_bytes())
    }

    /// Sends bytes. If the server has closed, it may have said why before;
    /// then `read_reply` returns its words.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.reader()?.stream().send_all(bytes) {
            Err(error) if !error.is_peer_gone() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Sends the message with its final dot, and prints its beginning. An
    /// error here means that the dot is not out, so nothing is delivered.
    pub fn send_message(&mut self, wire: &[u8]) -> Result<(), Failure> {
        // A reply to a command that was not sent yet. Read later, it would
        // pass for the reply to the dot.
        if self.reader()?.has_unread() {
            let what = "a second reply came after the 354 of DATA: the \
                        server is out of step, and nothing it says counts";
            return Err(self.lost(what.to_string()));
        }
        let mut lines = wire.split_inclusive(|&byte| byte == b'\n');
        for line in lines.by_ref().take(MESSAGE_SHOWN) {
            self.show("C", line.strip_suffix(b"\r\n").unwrap_or(line));
        }
        let rest = lines.count();
        if rest > 0 {
            self.show("C", format!("… {rest} lines more, then .").as_bytes());
        }
        let Err(error) = self.reader()?.stream().send_all(wire) else {
            return Ok(());
        };
        // It may have said why before it closed: too large, say.
        match self.read_reply(Verb::Data) {
            Ok(reply) => Err(Failure::refused("the message", &reply)),
            Err(_) => Err(self.lost(format!(
                "the connection broke while the message was sent: {error}"
            ))),
        }
    }

    /// Reads the complete reply to this command.
    pub fn read_reply(&mut self, verb: Verb) -> Result<Reply, Failure> {
        let wait = self.deadlines.after(verb);
        // For the whole reply, however the server spreads it.
        self.reader()?.finish_within(Some(wait));
        let mut lines: Vec<String> = Vec::new();
        let mut code = None;
        loop {
            let line = self.line(verb, wait)?;
            self.show("S", &line);
            let Some(line) = reply::parse_line(&line) else {
                let line = self.shown(&line, 100);
                let verb = words(verb);
                let what = format!("the reply to {verb} is not SMTP: {line}");
                return Err(self.lost(what));
            };
            if code.is_some_and(|code| code != line.code) {
                let what = "the lines of one reply have different codes";
                return Err(self.lost(format!("{what} after {}", words(verb))));
            }
            code = Some(line.code);
            lines.push(self.masked(&line.text));
            if !line.goes_on {
                return Ok(Reply { code: line.code, lines });
            }
            if lines.len() >= reply::MOST_LINES {
                let what = "a reply without an end after";
                return Err(self.lost(format!("{what} {}", words(verb))));
            }
        }
    }

    /// Sends a command and reads its reply.
    pub fn command(
        &mut self,
        verb: Verb,
        argument: &str,
    ) -> Result<Reply, Failure> {
        let line = format!("{} {argument}", words(verb));
        self.send_line(line.trim_end())?;
        self.read_reply(verb)
    }

    fn line(&mut self, verb: Verb, wait: Duration) -> Result<Vec<u8>, Failure> {
        let received = self.reader()?.read();
        // Half a line and FIN: `250` may have been the half of `2500 no`.
        let whole = self.reader()?.ended_with_line_end();
        let name = words(verb);
        let why = match received {
            Ok(Received::Line(line)) if whole => return Ok(line),
            Ok(Received::Line(_) | Received::Unterminated(_)) => format!(
                "the server closed in the middle of its reply to {name}"
            ),
            Ok(Received::TooLong) => {
                format!("the reply to {name} has a line without an end")
            }
            Ok(Received::End) => format!(
                "the server closed the connection instead of answering {name}"
            ),
            Err(error) if error.is_timeout() => {
                let wait = wait.as_secs_f64();
                let hint = match verb {
                    Verb::Greeting => {
                        "; a server that begins with TLS is silent, too: \
                         --tls implicit"
                    }
                    _ => "",
                };
                format!("no reply to {name} within {wait} s (--timeout){hint}")
            }
            Err(error) => format!("no reply to {name}: {error}"),
        };
        Err(self.lost(why))
    }

    /// The connection cannot be used any more.
    fn lost(&mut self, why: String) -> Failure {
        self.close();
        Failure::Broken(why)
    }

    fn reader(&mut self) -> Result<&mut LineReader<Channel>, Failure> {
        let gone = || Failure::Broken("the connection is over".to_string());
        self.reader.as_mut().ok_or_else(gone)
    }

    /// TLS from here on. `host` is what the certificate must be for.
    pub fn start_tls(&mut self, host: &str) -> Result<(), Failure> {
        let gone = || Failure::Broken("the connection is over".to_string());
        let reader = self.reader.take().ok_or_else(gone)?;
        // What came after the 220 came in the clear: anybody on the way may
        // have written it. Read later, it would pass for an encrypted reply.
        //                                            (viva 10) (try 8)
        let (channel, unread) = reader.into_parts();
        if !unread.is_empty() {
            channel.finish();
            return Err(Failure::Broken(format!(
                "{} bytes came in the clear after the 220 of STARTTLS: {}. \
                 No honest server sends them; they are thrown away, and the \
                 dialogue with them",
                unread.len(),
                console::escape_short(&unread, 100)
            )));
        }
        let Channel::Clear(socket) = channel else {
            return Err(Failure::Broken("TLS inside TLS".to_string()));
        };
        let config = tls::client_config()?;
        let wait = self.deadlines.command;
        let channel = Channel::connect_tls(socket, config, host, wait)?;
        self.note(&format!("{}: from here on encrypted", {
            channel.description()
        }));
        self.reader = Some(new_reader(channel));
        Ok(())
    }

    /// Is the dialogue encrypted?
    pub fn is_secure(&mut self) -> bool {
        let reader = self.reader.as_mut();
        reader.is_some_and(|reader| reader.stream().is_secure())
    }

    /// Is the server on this machine? Nobody is on the way then.
    pub fn is_loopback(&mut self) -> bool {
        let reader = self.reader.as_mut();
        let peer = reader.and_then(|r| r.stream().peer_addr().ok());
        peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// FIN, if it is not over yet.
    pub fn close(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.into_parts().0.finish();
        }
    }
}

/// A reader whose only deadlines are those that `read_reply` sets.
fn new_reader(channel: Channel) -> LineReader<Channel> {
    let idle = Duration::from_secs(60);
    let mut reader = LineReader::new(channel, reply::LONGEST_LINE, idle);
    reader.wait_for_ever();
    reader
}
