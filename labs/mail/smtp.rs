//! The mechanics of the dialogue: one command out, one reply back, both
//! printed as they pass. Which command comes when stands in client.rs.
//!
//! ```text
//! tell("RCPT TO:<b@x>")   ->  C: RCPT TO:<b@x>
//! hear("RCPT")            <-  S: 250 2.1.5 Ok     within a deadline
//! ```
//!
//! A reply that is not the expected one ends the dialogue with QUIT; what is
//! no SMTP at all, silence or a close end it without.  (viva 18) [W-T4a]

use std::time::Duration;

use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{console, say};
use tls::Channel;

use crate::options::Waits;
use crate::reply::{self, Reply};
use crate::report::Stop;

/// What is printed of one line.
const SHOWN: usize = 200;

/// Lines of a message that are printed.
const MESSAGE_SHOWN: usize = 60;

/// One end of a dialogue with a mail server.
pub struct Smtp {
    reader: Option<LineReader<Channel>>, // None: nothing more can be said
    waits: Waits,
    quiet: bool,
    hidden: Vec<String>, // never printed
}

impl Smtp {
    /// A dialogue over a connected socket, in the clear.
    pub fn new(socket: TcpSocket, waits: Waits, quiet: bool) -> Smtp {
        let reader = Some(new_reader(Channel::Clear(socket)));
        Smtp { reader, waits, quiet, hidden: Vec::new() }
    }

    /// The numbered line above what one step says and hears.
    pub fn banner(&self, step: &str, about: &str) {
        let program = socketlab::program::current();
        let number = program.and_then(|program| program.step(step));
        if !self.quiet {
            let name = step.to_uppercase();
            say!("-- {} {name}: {about}", number.unwrap_or_default());
        }
    }

    /// Something that neither of the two said.
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

    /// Masked first and cut then: half a secret would be shown otherwise.
    fn shown(&self, line: &[u8], most: usize) -> String {
        if self.hidden.is_empty() {
            return console::escape_short(line, most);
        }
        let text = self.masked(&String::from_utf8_lossy(line));
        console::escape_short(text.as_bytes(), most)
    }

    /// Sends a command.
    pub fn tell(&mut self, command: &str) -> Result<(), Stop> {
        self.tell_masked(command, command)
    }

    /// Sends a command, and prints something else.
    pub fn tell_masked(&mut self, line: &str, shown: &str) -> Result<(), Stop> {
        self.show("C", shown.as_bytes());
        self.send(format!("{line}\r\n").as_bytes())
    }

    /// Sends bytes. A server that closed may have said why before: then its
    /// words are what comes back from `hear`.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match self.reader()?.stream().send_all(bytes) {
            Err(error) if !error.is_peer_gone() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Sends the message with its final dot, and prints its beginning. An
    /// error here means that the dot is not out, so nothing is delivered.
    pub fn send_message(&mut self, wire: &[u8]) -> Result<(), Stop> {
        // A reply to what was not asked yet: read later, it would pass for
        // the answer to the dot.
        if self.reader()?.has_unread() {
            let what = "a second reply came behind the 354 of DATA: the \
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
        match self.hear("DATA") {
            Ok(reply) => Err(Stop::refused("the message", &reply)),
            Err(_) => Err(self.lost(format!(
                "the connection broke while the message was sent: {error}"
            ))),
        }
    }

    /// The reply to a command; `verb` is for the words of a failure.
    pub fn hear(&mut self, verb: &str) -> Result<Reply, Stop> {
        let wait = self.waits.behind(verb);
        // For the whole reply, however the server spreads it.
        self.reader()?.finish_within(Some(wait));
        let mut lines: Vec<String> = Vec::new();
        let mut code = None;
        loop {
            let line = self.line(verb, wait)?;
            self.show("S", &line);
            let Some(line) = reply::parse_line(&line) else {
                let line = self.shown(&line, 100);
                let what = format!("the reply to {verb} is not SMTP: {line}");
                return Err(self.lost(what));
            };
            if code.is_some_and(|code| code != line.code) {
                let what = "the lines of one reply have different codes";
                return Err(self.lost(format!("{what} behind {verb}")));
            }
            code = Some(line.code);
            lines.push(self.masked(&line.text));
            if !line.goes_on {
                return Ok(Reply { code: line.code, lines });
            }
            if lines.len() >= reply::MOST_LINES {
                let what = "a reply without an end behind";
                return Err(self.lost(format!("{what} {verb}")));
            }
        }
    }

    /// Sends a command and hears its reply.
    pub fn ask(&mut self, command: &str) -> Result<Reply, Stop> {
        self.tell(command)?;
        self.hear(command.split([' ', ':']).next().unwrap_or(command))
    }

    fn line(&mut self, verb: &str, wait: Duration) -> Result<Vec<u8>, Stop> {
        let received = self.reader()?.read();
        // Half a line and FIN: `250` may have been the half of `2500 no`.
        let whole = self.reader()?.ended_with_line_end();
        let why = match received {
            Ok(Received::Line(line)) if whole => return Ok(line),
            Ok(Received::Line(_) | Received::Unterminated(_)) => format!(
                "the server closed in the middle of its reply to {verb}"
            ),
            Ok(Received::TooLong) => {
                format!("the reply to {verb} has a line without an end")
            }
            Ok(Received::End) => format!(
                "the server closed the connection instead of answering {verb}"
            ),
            Err(error) if error.is_timeout() => {
                let wait = wait.as_secs_f64();
                let hint = match verb {
                    "the greeting" => {
                        "; a server that begins with TLS is silent, too: \
                         --tls implicit"
                    }
                    _ => "",
                };
                format!("no reply to {verb} within {wait} s (--timeout){hint}")
            }
            Err(error) => format!("no reply to {verb}: {error}"),
        };
        Err(self.lost(why))
    }

    /// The connection cannot be used any more.
    fn lost(&mut self, why: String) -> Stop {
        self.close();
        Stop::Broken(why)
    }

    fn reader(&mut self) -> Result<&mut LineReader<Channel>, Stop> {
        let gone = || Stop::Broken("the connection is over".to_string());
        self.reader.as_mut().ok_or_else(gone)
    }

    /// TLS from here on. `host` is what the certificate must be for.
    pub fn start_tls(&mut self, host: &str) -> Result<(), Stop> {
        let gone = || Stop::Broken("the connection is over".to_string());
        let reader = self.reader.take().ok_or_else(gone)?;
        // What came behind the 220 came in the clear: anybody on the way can
        // have written it. Read later, it would pass for an encrypted reply.
        //                                            (viva 10) (try 8)
        let (channel, unread) = reader.into_parts();
        if !unread.is_empty() {
            channel.finish();
            return Err(Stop::Broken(format!(
                "{} bytes came in the clear behind the 220 of STARTTLS: {}. \
                 No honest server sends them; they are thrown away, and the \
                 dialogue with them",
                unread.len(),
                console::escape_short(&unread, 100)
            )));
        }
        let Channel::Clear(socket) = channel else {
            return Err(Stop::Broken("TLS inside TLS".to_string()));
        };
        let config = tls::client_config()?;
        let wait = self.waits.command;
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

/// One that has no deadline but those that `hear` sets.
fn new_reader(channel: Channel) -> LineReader<Channel> {
    let idle = Duration::from_secs(60);
    let mut reader = LineReader::new(channel, reply::LONGEST_LINE, idle);
    reader.wait_for_ever();
    reader
}
