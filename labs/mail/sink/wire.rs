//! The connection of a session: the sink reads command lines, sends replies,
//! and shows both on the console. commands.rs carries the commands out.

use socketlab::line::Received;
use socketlab::stream::Stream;
use socketlab::{Error, Result, clients, console, say};

use super::session::{Answer, Next, REFUSED, Session};
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// Refused commands after which a client is disconnected. A real mail client
/// does not make as many mistakes.
const MOST_ERRORS: u32 = 20;

impl Session<'_> {
    /// Reads the client's next line, or returns the reply that refuses it. A
    /// 421 means that the session must end. The console shows an incomplete
    /// command, but not an incomplete password.
    pub(super) fn read_line(
        &mut self,
        is_command: bool,
    ) -> Result<Answer<String>> {
        // ---- 5 recv() ----------------------------------------------------
        // One recv() may return half a command or ten of them (PIPELINING).
        // The reader returns complete lines one by one, and each gets its own
        // reply, in order. Python: s.recv()  C: recv()
        let received = match self.reader.read() {
            Err(error) if error.is_timeout() => {
                if self.reader.has_unread() {
                    let half = self.reader.read_bytes(usize::MAX)?;
                    self.show_odd(is_command, &half, "no newline");
                }
                return Ok(Err(too_slow()));
            }
            received => received?,
        };
        let line = match received {
            Received::Line(line) if self.reader.ended_with_line_end() => line,
            Received::TooLong => return Ok(Err(reply!(500, "5.5.2 too long"))),
            // The client closed without QUIT, or the sink is being stopped.
            Received::End => return Ok(Err(end_of_input())),
            Received::Line(half) | Received::Unterminated(half) => {
                self.show_odd(is_command, &half, "no newline");
                return Ok(Err(end_of_input()));
            }
        };
        if !self.reader.ended_with_crlf() {
            self.show_odd(is_command, &line, "LF without CR");
            return Ok(Err(reply!(
                500,
                "5.5.2 only CRLF ends a line (nc -C and telnet send it)"
            )));
        }
        let line = String::from_utf8(line).map_err(|odd| odd.into_bytes());
        Ok(match line {
            Ok(line) if !line.contains(char::is_control) => Ok(line),
            odd => {
                let bytes = odd.map_or_else(|bytes| bytes, String::into_bytes);
                self.show_odd(is_command, &bytes, "not text");
                Err(reply!(500, "5.5.2 the line has control characters"))
            }
        })
    }

    /// Sends a reply. `verb` is the command that it belongs to.
    pub(super) fn send_reply(
        &mut self,
        verb: Option<Verb>,
        reply: &Reply,
    ) -> Result<()> {
        if let Some(delay) = self.settings.faults.delay(verb) {
            self.socket.hangs_up_within(delay)?;
        }
        let lines = reply.sent_lines();
        let shown = lines.iter().map(|line| format!("S: {line}"));
        self.show(&shown.collect::<Vec<_>>().join("\n"));

        // ---- 6 send() ----------------------------------------------------
        // All lines of a reply in one call. The client decides by the code;
        // the text is for people.                               (viva 8)
        // Python: s.sendall()  C: send() in a loop
        let sent: String =
            lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.reader.stream().send_all(sent.as_bytes())
    }

    /// Sends the reply to a command, and returns what comes next.
    pub(super) fn done(&mut self, verb: Verb, reply: &Reply) -> Result<Next> {
        self.send_reply(Some(verb), reply)?;
        Ok(match (verb, reply.code) {
            (Verb::Quit, _) => Next::Close("left after QUIT"),
            (_, 421) => Next::Close(REFUSED),
            (Verb::StartTls, 220) => Next::Tls,
            _ => Next::Command,
        })
    }

    /// Sends a refusal and counts it as an error of the client. A client with
    /// [`MOST_ERRORS`] errors is disconnected.
    pub(super) fn refuse(
        &mut self,
        verb: Option<Verb>,
        reply: Reply,
    ) -> Result<Next> {
        self.send_reply(verb, &reply)?;
        self.errors += 1;
        match reply.code {
            421 => return self.end(&reply),
            _ if self.errors < MOST_ERRORS => return Ok(Next::Command),
            _ => {}
        }
        self.send_reply(None, &reply!(421, "4.7.0 too many errors"))?;
        Ok(Next::Close("disconnected: too many errors"))
    }

    /// Must the sink close here because of `--drop-after`?
    pub(super) fn cut(&self, verb: Verb) -> bool {
        let cut = self.settings.faults.drops(verb);
        if cut {
            say!("[{}] closed on request: --drop-after {verb}", self.peer);
        }
        cut
    }

    /// Ends the session after a 421. The log says which side has ended it.
    pub(super) fn end(&self, reply: &Reply) -> Result<Next> {
        match () {
            () if *reply == end_of_input() => self.stream_ended(),
            () if *reply == too_slow() => {
                Ok(Next::Close("disconnected: silent for too long"))
            }
            () => Ok(Next::Close(REFUSED)),
        }
    }

    /// The stream has ended, because the client closed or the sink stops.
    pub(super) fn stream_ended(&self) -> Result<Next> {
        match clients::is_stopping() {
            // `Clients` logs this text.
            true => Err(Error::other("cut by the stop")),
            false => Ok(Next::Close("left without QUIT")),
        }
    }

    /// Shows a command without its secrets. `note` says what is wrong with it.
    pub(super) fn show_command(&self, line: &[u8], note: &str) {
        let line = String::from_utf8_lossy(line);
        let words: Vec<&str> = line.split_whitespace().collect();
        let known = |word: &&str| {
            let known = ["PLAIN", "LOGIN", "XOAUTH2", "CRAM-MD5"];
            known.iter().any(|one| one.eq_ignore_ascii_case(word))
        };
        let shown = match words.as_slice() {
            [auth, rest @ ..] if auth.eq_ignore_ascii_case("AUTH") => {
                match rest {
                    [] => auth.to_string(),
                    [one] if known(one) => format!("{auth} {one}"),
                    [one, ..] if known(one) => format!("{auth} {one} ***"),
                    _ => format!("{auth} ***"),
                }
            }
            _ => console::message(line.as_bytes()),
        };
        self.show(&format!("C: {shown}{note}"));
    }

    /// Shows bytes that are not a valid command.
    fn show_odd(&self, is_command: bool, line: &[u8], what: &str) {
        if is_command {
            self.show_command(line, &format!(" ({what})"));
        }
    }

    /// Shows lines of the dialogue. Each begins with the peer's address.
    pub(super) fn show(&self, lines: &str) {
        if !self.settings.quiet {
            let mark = |line| format!("[{}] {line}", self.peer);
            let lines: Vec<String> = lines.lines().map(mark).collect();
            say!("{}", lines.join("\n"));
        }
    }
}

/// The reply to a client that has been silent for too long.
pub(super) fn too_slow() -> Reply {
    reply!(421, "4.4.2 timed out: closing the connection")
}

/// The reply after the end of the client's stream.
fn end_of_input() -> Reply {
    if clients::is_stopping() {
        return reply!(421, "4.3.2 the server stops: closing the connection");
    }
    reply!(421, "4.4.2 end of input: closing the connection")
}
