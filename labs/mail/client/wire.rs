//! The client's connection: it sends one command, reads one reply, and prints
//! both. client.rs decides which command comes when.
//!
//! ```text
//! command(Verb::Data, "")      ->  C: DATA
//!                              <-  S: 354 go ahead     within a deadline
//! ```
//!
//! An unexpected reply ends the dialogue with QUIT. If the server sends bytes
//! that are not SMTP, sends nothing, or closes, the client closes without
//! QUIT.                                               (viva 18) [W-T4a]

use std::time::Duration;

use socketlab::dialogue::{Dialogue, Incoming, Limits, Printer};
use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{program, say};
use tls::Channel;

use super::outcome::{Failure, Step};
use crate::smtp::reply::{self, Reply};
use crate::smtp::verb::Verb;

/// How many bytes of a line, and of a message, are printed.
const SHOWN: usize = 4096;

/// How long to wait for a complete reply: a tenth of the times in RFC 5321,
/// 4.5.3.2, because a person is waiting. `--timeout` replaces all of them,
/// but the client never waits more than 5 s for the reply to QUIT.
fn deadline(verb: Verb, timeout: Option<Duration>) -> Duration {
    let usual = Duration::from_secs(match verb {
        Verb::Data => 12,
        Verb::Dot => 60, // the server checks the message for spam
        Verb::Quit => 5, // nothing depends on this reply
        _ => 30,
    });
    match verb {
        Verb::Quit => timeout.unwrap_or(usual).min(usual),
        _ => timeout.unwrap_or(usual),
    }
}

/// What a reply belongs to, for error messages.
fn words(verb: Verb) -> String {
    match verb {
        Verb::Greeting => "the greeting".into(),
        Verb::Dot => "the dot".into(),
        verb => verb.to_string().to_uppercase(),
    }
}

/// The client's end of a dialogue with a mail server.
pub struct Wire {
    dialogue: Dialogue<Channel>,
    timeout: Option<Duration>,
}

impl Wire {
    /// A dialogue over a connected socket, in the clear.
    pub fn new(
        socket: TcpSocket,
        timeout: Option<Duration>,
        quiet: bool,
    ) -> Wire {
        let print: fn(&str) = |line| say!("{line}");
        let printer = Printer::new((!quiet).then_some(print), SHOWN);
        let limits = Limits {
            line: reply::LONGEST_LINE,
            lines: reply::MOST_LINES,
            silence: None,
        };
        let dialogue = Dialogue::new(Channel::Clear(socket), limits, printer);
        Wire { dialogue, timeout }
    }

    /// Prints the numbered line above what one step sends and reads.
    pub fn banner(&self, step: Verb, about: &str) {
        let step = step.to_string();
        let number = program::current().and_then(|program| program.step(&step));
        let (number, name) = (number.unwrap_or_default(), step.to_uppercase());
        self.dialogue.printer.note(&format!("-- {number} {name}: {about}"));
    }

    /// Prints a remark of the client between the lines of the dialogue.
    pub fn note(&self, text: &str) {
        if !text.is_empty() {
            self.dialogue.printer.note(&format!("   ({text})"));
        }
    }

    /// From now on these texts are not printed, not even if the server
    /// repeats them.
    pub fn hide(&mut self, secrets: impl IntoIterator<Item = String>) {
        self.dialogue.printer.hide(secrets);
    }

    /// Prints a line of the client, without secrets and escape codes.
    pub fn show(&self, line: &[u8]) {
        self.dialogue.printer.show("C: ", line);
    }

    /// Sends a line, but prints `shown` instead of it.
    pub fn send_masked(&mut self, line: &str, shown: &str) -> Step<()> {
        unless_closed(self.dialogue.send_masked(line, shown))
    }

    /// Sends bytes without printing them.
    pub fn send(&mut self, bytes: &[u8]) -> Step<()> {
        unless_closed(self.dialogue.send_bytes(bytes))
    }

    /// Sends a command and reads its reply.
    pub fn command(&mut self, verb: Verb, argument: &str) -> Step<Reply> {
        let line = format!("{} {argument}", words(verb));
        self.send_masked(line.trim_end(), line.trim_end())?;
        self.read_reply(verb)
    }

    /// Reads the complete reply to this command. The deadline is for the
    /// complete reply, so a server that sends one byte a second meets it, too.
    pub fn read_reply(&mut self, verb: Verb) -> Step<Reply> {
        self.read_lines(verb).map_err(|why| self.lost(why))
    }

    fn read_lines(&mut self, verb: Verb) -> Result<Reply, String> {
        let wait = deadline(verb, self.timeout);
        self.dialogue.begin_reply(wait);
        let mut lines: Vec<String> = Vec::new();
        let mut code = None;
        loop {
            let line = match self.dialogue.reply_line() {
                Ok(Incoming::Line(line)) => line,
                other => {
                    let why = no_reply(verb, wait, &other);
                    let begun = lines.iter().zip(code.iter().cycle());
                    let begun =
                        begun.map(|(line, code)| format!("{code}-{line}"));
                    return Err(why + &self.arrived(begun.collect(), other));
                }
            };
            let printer = &self.dialogue.printer;
            let name = words(verb);
            let Some(line) = reply::parse_line(&line) else {
                let what = match line.trim_ascii().is_empty() {
                    true => "an empty line".to_string(),
                    false => printer.shown(&line, 200),
                };
                return Err(format!("the reply to {name} is not SMTP: {what}"));
            };
            if code.is_some_and(|code| code != line.code) {
                let what = "has lines with different codes";
                return Err(format!("the reply to {name} {what}"));
            }
            code = Some(line.code);
            lines.push(printer.masked(&line.text));
            if !line.has_more {
                return Ok(Reply { code: line.code, lines });
            }
        }
    }

    /// For the error message: the part of an incomplete reply that arrived.
    fn arrived(
        &mut self,
        mut parts: Vec<String>,
        end: socketlab::Result<Incoming>,
    ) -> String {
        let last = match end {
            Ok(Incoming::Partial(bytes)) => bytes,
            Err(error) if error.is_timeout() && self.dialogue.has_unread() => {
                self.dialogue.data_bytes(SHOWN).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        if !last.is_empty() {
            parts.push(self.dialogue.printer.shown(&last, 200));
        }
        match parts.is_empty() {
            true => String::new(),
            false => format!(". Received before: {}", parts.join(" / ")),
        }
    }

    /// Sends the message with its final dot, and prints its beginning. After
    /// an error the server has not received the dot, so it delivers nothing.
    pub fn send_message(&mut self, stuffed: &[u8]) -> Step<()> {
        // These bytes would be a reply to a command that the client has not
        // sent yet. Later it would take them for the reply to the dot.
        if self.dialogue.has_unread() {
            let what = "the server sent a second reply after the 354 of DATA, \
                        so its replies no longer match the commands";
            return Err(self.lost(what.to_string()));
        }
        let mut shown = 0;
        for line in stuffed.split_inclusive(|&byte| byte == b'\n') {
            if shown + line.len() > SHOWN {
                let more = stuffed.len() - shown;
                self.show(format!("… and {more} more bytes").as_bytes());
                break;
            }
            shown += line.len();
            self.show(line.strip_suffix(b"\r\n").unwrap_or(line));
        }
        let Err(error) = self.dialogue.send_bytes(stuffed) else {
            return Ok(());
        };
        // The server may have sent the reason before it closed, for example
        // "too large".
        match self.read_reply(Verb::Data) {
            Ok(reply) => Err(Failure::refused("the message", &reply)),
            Err(_) => Err(self.lost(format!(
                "the connection ended while the message was sent: {error}"
            ))),
        }
    }

    /// Closes a connection that cannot be used any more.
    fn lost(&mut self, why: String) -> Failure {
        self.close();
        Failure::Broken(why)
    }

    /// Starts TLS. `host` is the name that the certificate must have. Bytes
    /// that came in the clear after the 220 end the dialogue, because an
    /// attacker on the way may have added them.       (viva 10) (try 2)
    pub fn start_tls(&mut self, host: &str) -> Step<()> {
        let wait = deadline(Verb::StartTls, self.timeout);
        tls::start_tls(&mut self.dialogue, host, wait)?;
        let how = self.dialogue.stream()?.description();
        self.note(&format!("{how}: encrypted from here on"));
        Ok(())
    }

    /// Is the dialogue encrypted?
    pub fn is_secure(&mut self) -> bool {
        self.dialogue.stream().is_ok_and(|stream| stream.is_secure())
    }

    /// Is the server on this machine? Then no packet leaves it, and no other
    /// machine can read or change one.
    pub fn is_loopback(&mut self) -> bool {
        let peer = self.dialogue.stream().and_then(|s| s.peer_addr());
        peer.is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
    }

    /// Closes the connection with FIN, if it is still open.
    pub fn close(&mut self) {
        self.dialogue.close();
    }
}

/// If the server has closed, it may have sent the reason before. So a failed
/// send() is not an error yet: `read_reply` comes next and reads the reason.
fn unless_closed(sent: socketlab::Result<()>) -> Step<()> {
    match sent {
        Err(error) if !error.is_peer_gone() => Err(error.into()),
        _ => Ok(()),
    }
}

/// The error text if a line of the reply did not arrive.
fn no_reply(
    verb: Verb,
    wait: Duration,
    received: &socketlab::Result<Incoming>,
) -> String {
    let name = words(verb);
    match received {
        Ok(Incoming::Line(_) | Incoming::Partial(_)) => {
            format!("the server closed in the middle of its reply to {name}")
        }
        Ok(Incoming::TooLong) => {
            format!("the reply to {name} has a line that is too long")
        }
        Ok(Incoming::TooMany) => {
            format!("the reply to {name} has too many lines")
        }
        Ok(Incoming::End) => {
            format!(
                "the server closed the connection without replying to {name}"
            )
        }
        Err(error) if error.is_timeout() => {
            let hint = match verb {
                Verb::Greeting => {
                    ". If this port begins with TLS, use --tls implicit"
                }
                _ => "",
            };
            let wait = wait.as_secs_f64();
            let over = format!("timed out after {wait} s (EAGAIN; --timeout)");
            format!("no reply to {name}: {over}{hint}")
        }
        Err(error) => format!("no reply to {name}: {error}"),
    }
}
