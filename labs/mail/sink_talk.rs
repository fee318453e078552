//! Both directions of a dialogue: a line comes, a reply goes, and the console
//! shows both. What they mean is sink_session.rs's business.

use socketlab::line::Received;
use socketlab::stream::Stream;
use socketlab::{Result, console, say};

use crate::sink_command::{Reply, Verb, reply};
use crate::sink_session::Session;

/// Commands between two messages: with more it is no mail client.
const COMMANDS: u32 = 10_000;

/// Bytes of a line that the console shows.
const SHOWN: usize = 120;

impl Session<'_> {
    /// The next line of the client, or what to answer instead: 421 where
    /// nothing can follow.
    pub fn hear(&mut self) -> Result<std::result::Result<String, Reply>> {
        // ---- 5 recv() ----------------------------------------------------
        // A segment may hold half a command or ten of them: they are taken
        // one by one, and each gets its own reply, in order. (PIPELINING)
        let received = match self.reader.read() {
            Err(error) if error.is_timeout() => {
                let why = "4.4.2 you are too slow: good bye";
                return Ok(Err(Reply(421, why.into())));
            }
            received => received?,
        };
        self.commands += 1;
        if self.commands > COMMANDS {
            return Ok(Err(reply!(421, "4.7.0 too many commands")));
        }
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

    /// Sends a reply; `verb` is what it answers.
    pub fn answer(&mut self, verb: Option<Verb>, reply: &Reply) -> Result<()> {
        if let Some(delay) = self.sink.faults.delay(verb) {
            self.socket.hangs_up_within(delay)?;
        }
        let lines = reply.lines();
        let sent: String =
            lines.iter().map(|line| format!("{line}\r\n")).collect();
        let shown: Vec<String> =
            lines.iter().map(|line| format!("S: {line}")).collect();
        self.show(&shown.join("\n"));

        // ---- 6 send() ----------------------------------------------------
        // All lines of a reply in one segment. The client goes by the code;
        // the text is for people.                              (viva 8)
        self.reader.stream().send_all(sent.as_bytes())
    }

    /// Is this where `--drop-after` cuts?
    pub fn cut(&self, verb: Verb) -> bool {
        let cut = self.sink.faults.drops(verb);
        if cut {
            say!("[{}] cut on request: --drop-after {verb}", self.peer);
        }
        cut
    }

    /// Shows a command, but nothing that is secret.
    pub fn show_command(&self, verb: Option<Verb>, line: &str) {
        let mut words = line.split(' ');
        let (first, second) = (words.next(), words.next());
        match (verb, first, second, words.next()) {
            (Some(Verb::Auth), Some(auth), Some(mechanism), Some(_)) => {
                let mechanism =
                    console::escape_short(mechanism.as_bytes(), SHOWN);
                self.show(&format!("C: {auth} {mechanism} ***"));
            }
            _ => self.show_client(line.as_bytes()),
        }
    }

    /// Shows what the client sent, escaped and cut to a line.
    pub fn show_client(&self, bytes: &[u8]) {
        let shown = console::escape_short(bytes, SHOWN);
        self.show(&format!("C: {shown}"));
    }

    /// Shows lines of the dialogue, each with the peer before it.
    pub fn show(&self, lines: &str) {
        if !self.sink.quiet {
            let mark = |line| format!("[{}] {line}", self.peer);
            let lines: Vec<String> = lines.lines().map(mark).collect();
            say!("{}", lines.join("\n"));
        }
    }
}
