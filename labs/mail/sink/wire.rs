//! Both directions of a session: a command line comes, a reply goes, and the
//! console shows both. commands.rs knows what they mean.

use socketlab::line::Received;
use socketlab::stream::Stream;
use socketlab::{Error, Result, clients, console, say};

use super::session::{Answer, Next, REFUSED, Session};
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// Refused commands. A mail client does not make more mistakes.
const MOST_ERRORS: u32 = 20;

impl Session<'_> {
    /// The client's next line, or the reply that it gets instead: 421 where
    /// nothing can follow. Half of a command is shown, half of a password is
    /// not.
    pub(super) fn read_line(
        &mut self,
        is_command: bool,
    ) -> Result<Answer<String>> {
        // ---- 5 recv() ----------------------------------------------------
        // A segment may hold half a command or ten of them. They are read one
        // by one, and each gets its own reply, in order. (PIPELINING)
        let received = match self.reader.read() {
            Err(error) if error.is_timeout() => {
                if self.reader.has_unread() {
                    let half = self.reader.read_bytes(usize::MAX)?;
                    self.show_odd(is_command, &half, "no line end");
                }
                return Ok(Err(too_slow()));
            }
            received => received?,
        };
        let line = match received {
            Received::Line(line) if self.reader.ended_with_line_end() => line,
            Received::TooLong => return Ok(Err(reply!(500, "5.5.2 too long"))),
            // It left without QUIT, or Ctrl-C was pressed here.
            Received::End => return Ok(Err(end_of_input())),
            Received::Line(half) | Received::Unterminated(half) => {
                self.show_odd(is_command, &half, "no line end");
                return Ok(Err(end_of_input()));
            }
        };
        if !self.reader.ended_with_crlf() {
            self.show_odd(is_command, &line, "LF alone ends it");
            return Ok(Err(reply!(
                500,
                "5.5.2 only CRLF ends a line (nc -C sends it, and so does \
                 telnet)"
            )));
        }
        let line = String::from_utf8(line).map_err(|odd| odd.into_bytes());
        Ok(match line {
            Ok(line) if !line.contains(char::is_control) => Ok(line),
            odd => {
                let bytes = odd.map_or_else(|bytes| bytes, String::into_bytes);
                self.show_odd(is_command, &bytes, "not text");
                Err(reply!(500, "5.5.2 text only: no control characters"))
            }
        })
    }

    /// Sends a reply; `verb` is the command that it answers.
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
        // All lines of a reply in one segment. The client acts on the code;
        // the text is for people.                               (viva 8)
        let sent: String =
            lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.reader.stream().send_all(sent.as_bytes())
    }

    /// Sends the reply to a command, and says what comes next.
    pub(super) fn done(&mut self, verb: Verb, reply: &Reply) -> Result<Next> {
        self.send_reply(Some(verb), reply)?;
        Ok(match (verb, reply.code) {
            (Verb::Quit, _) => Next::Close("left after QUIT"),
            (_, 421) => Next::Close(REFUSED),
            (Verb::StartTls, 220) => Next::Tls,
            _ => Next::Command,
        })
    }

    /// Sends a refusal. It counts as the client's error, and a client that
    /// makes many of them is disconnected.
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

    /// Is this where `--drop-after` cuts the connection?
    pub(super) fn cut(&self, verb: Verb) -> bool {
        let cut = self.settings.faults.drops(verb);
        if cut {
            say!("[{}] cut on request: --drop-after {verb}", self.peer);
        }
        cut
    }

    /// A 421 ends the session: the log says which side has ended it.
    pub(super) fn end(&self, reply: &Reply) -> Result<Next> {
        match () {
            () if *reply == end_of_input() => self.stream_ended(),
            () if *reply == too_slow() => {
                Ok(Next::Close("disconnected: silent for too long"))
            }
            () => Ok(Next::Close(REFUSED)),
        }
    }

    /// The stream has ended: was it the client, or does the sink stop?
    pub(super) fn stream_ended(&self) -> Result<Next> {
        match clients::is_stopping() {
            true => Err(Error::other("cut by the stop")), // Clients says so
            false => Ok(Next::Close("left without QUIT")),
        }
    }

    /// Shows a command, but nothing that is secret. `note` says what is odd
    /// about it.
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

    /// Shows bytes that were to be a command and are none.
    fn show_odd(&self, is_command: bool, line: &[u8], what: &str) {
        if is_command {
            self.show_command(line, &format!(" ({what})"));
        }
    }

    /// Shows lines of the dialogue, each with the peer before it.
    pub(super) fn show(&self, lines: &str) {
        if !self.settings.quiet {
            let mark = |line| format!("[{}] {line}", self.peer);
            let lines: Vec<String> = lines.lines().map(mark).collect();
            say!("{}", lines.join("\n"));
        }
    }
}

/// The reply to silence.
pub(super) fn too_slow() -> Reply {
    reply!(421, "4.4.2 you are too slow: good bye")
}

/// The reply to the end of the stream.
fn end_of_input() -> Reply {
    reply!(421, "4.4.2 end of input: good bye")
}
