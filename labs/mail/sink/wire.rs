//! Both directions of a session: a command line comes, a reply goes, and the
//! console shows both. commands.rs knows what they mean.

use socketlab::line::Received;
use socketlab::stream::Stream;
use socketlab::{Result, console, say};

use super::session::{Answer, Next, Session};
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// Refused commands. A mail client does not make more mistakes.
const MOST_ERRORS: u32 = 20;

/// Bytes of a line that the console shows.
const SHOWN: usize = 120;

impl Session<'_> {
    /// The client's next line, or the reply that it gets instead: 421 where
    /// nothing can follow.
    pub(super) fn read_line(&mut self) -> Result<Answer<String>> {
        // ---- 5 recv() ----------------------------------------------------
        // A segment may hold half a command or ten of them. They are read one
        // by one, and each gets its own reply, in order. (PIPELINING)
        let received = match self.reader.read() {
            Err(error) if error.is_timeout() => {
                return Ok(Err(too_slow()));
            }
            received => received?,
        };
        let line = match received {
            Received::Line(line) => line,
            Received::TooLong => return Ok(Err(reply!(500, "5.5.2 too long"))),
            // It left without QUIT, or Ctrl-C was pressed here.
            Received::End | Received::Unterminated(_) => {
                return Ok(Err(reply!(421, "4.4.2 end of input: good bye")));
            }
        };
        if !self.reader.ended_with_crlf() {
            return Ok(Err(reply!(
                500,
                "5.5.2 only CRLF ends a line (nc -C sends it, and so does \
                 telnet)"
            )));
        }
        let line = String::from_utf8(line).ok();
        let line = line.filter(|line| !line.contains(char::is_control));
        Ok(line.ok_or(reply!(500, "5.5.2 text only: no control characters")))
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
            (_, 421) | (Verb::Quit, _) => Next::Close,
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
        if self.errors < MOST_ERRORS && reply.code != 421 {
            return Ok(Next::Command);
        }
        if reply.code != 421 {
            self.send_reply(None, &reply!(421, "4.7.0 too many errors"))?;
        }
        Ok(Next::Close)
    }

    /// Is this where `--drop-after` cuts the connection?
    pub(super) fn cut(&self, verb: Verb) -> bool {
        let cut = self.settings.faults.drops(verb);
        if cut {
            say!("[{}] cut on request: --drop-after {verb}", self.peer);
        }
        cut
    }

    /// Shows a command, but nothing that is secret.
    pub(super) fn show_command(&self, verb: Option<Verb>, line: &str) {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let shown = match (verb, words.as_slice()) {
            (Some(Verb::Auth), [auth, mechanism, _]) => {
                let mechanism =
                    console::escape_short(mechanism.as_bytes(), SHOWN);
                format!("{auth} {mechanism} ***")
            }
            _ => console::escape_short(line.as_bytes(), SHOWN),
        };
        self.show(&format!("C: {shown}"));
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
