//! DATA: the sink replies 354, writes the message line by line to a file, and
//! then sends the reply that says whether it is responsible for the message.
//!
//! ```text
//! C: Subject: hi<CRLF>          stored
//! C: ..and more<CRLF>           stored as ".and more"        (viva 3)
//! C: .<CRLF>                    the end, and the only possible end
//! ```
//!
//! A lone LF or CR does not end a line here, and the sink refuses a message
//! that has one: mail/smtp/dot_stuffing.rs says why.                (viva 2)

use std::time::Duration;

use socketlab::line::Received;
use socketlab::{Result, clients, say};

use super::maildir::{Draft, cannot_store};
use super::session::{Answer, CUT, Envelope, Next, REFUSED, Session};
use super::wire::too_slow;
use crate::smtp::dot_stuffing::{BadLine, bad_line, unstuffed};
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// The complete message must arrive within this time.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(600);

/// How the data ended.
enum DataEnd {
    /// With the dot, after this many lines and bytes.
    Dot(u64, u64),
    /// With the dot, but the message is refused with this reply.
    Refused(Reply),
    /// The message is far too large, and the client is still sending.
    Endless(Reply),
    /// The connection ended before the dot, so no message was accepted.
    Cut,
}

impl Session<'_> {
    /// Carries out DATA, from its 354 to the reply after the dot.
    pub(super) fn data(&mut self, rest: &str) -> Result<Next> {
        let mail = match self.complete_envelope(rest) {
            Ok(mail) => mail,
            Err(reply) => return self.refuse(Some(Verb::Data), reply),
        };
        let settings = self.settings;
        // If the disk is full, the sink finds out here, before the client
        // sends megabytes.
        let begun = settings.maildir.draft().and_then(|mut draft| {
            let mut lines = self.trace(&mail).into_iter();
            lines.try_for_each(|line| draft.line(line.as_bytes()))?;
            Ok(draft)
        });
        let mut draft = match begun {
            Ok(draft) => draft,
            Err(error) => return self.done(Verb::Data, &cannot_store(&error)),
        };
        let go = reply!(354, "the message, and a dot on a line of its own");
        // When the sink is stopped, it waits a moment for this message.
        let _in_flight = clients::request();
        self.send_reply(Some(Verb::Data), &go)?;
        match self.receive(&mut draft) {
            Ok(DataEnd::Dot(lines, bytes)) => {
                let what = format!("C: … {lines} lines, {bytes} bytes");
                self.show(&format!("{what}, and the dot"));
                self.store(&mail, draft)
            }
            Ok(DataEnd::Refused(reply)) => {
                self.show("C: … and the dot");
                self.refuse(Some(Verb::Dot), reply)
            }
            Ok(DataEnd::Endless(reply)) => {
                self.send_reply(Some(Verb::Dot), &reply)?;
                Ok(Next::Close(REFUSED))
            }
            Ok(DataEnd::Cut) => {
                self.show("C: … but no dot, so the message is dropped");
                self.stream_ended()
            }
            Err(error) if error.is_timeout() => {
                self.refuse(Some(Verb::Dot), too_slow())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the envelope out of the session, if it has a recipient.
    fn complete_envelope(&mut self, rest: &str) -> Answer<Envelope> {
        if !rest.is_empty() {
            return Err(reply!(501, "5.5.4 DATA has no argument"));
        }
        let complete = |mail: &mut Envelope| !mail.recipients.is_empty();
        self.mail.take_if(complete).ok_or(match self.mail {
            None => reply!(503, "5.5.1 MAIL first"),
            Some(_) => reply!(554, "5.5.1 no valid recipients"),
        })
    }

    /// Stores the message and sends the 250. The sink is responsible for the
    /// message only now, when it is on the disk.                    (viva 1)
    fn store(&mut self, mail: &Envelope, draft: Draft<'_>) -> Result<Next> {
        if let Some(fault) = self.settings.faults.reply(Verb::Dot, None) {
            return self.done(Verb::Dot, &fault); // deletes the draft
        }
        let name = match draft.keep() {
            Ok(name) => name,
            Err(error) => return self.done(Verb::Dot, &cannot_store(&error)),
        };
        say!("[{}] stored {name}: {}", self.peer, mail.summary());
        if self.cut(Verb::Dot) {
            return Ok(Next::Close(CUT));
        }
        self.done(Verb::Dot, &reply!(250, "2.0.0 stored as {name}"))
    }

    /// Reads the message up to the dot and writes it to the draft.
    fn receive(&mut self, draft: &mut Draft<'_>) -> Result<DataEnd> {
        self.reader.only_crlf();
        self.reader.finish_within(Some(MESSAGE_DEADLINE));
        let end = self.receive_lines(draft);
        self.reader.finish_within(None);
        self.reader.any_line_end();
        end
    }

    /// Reads line by line. The reply to a bad line is sent after the dot,
    /// because the client reads no reply before that.
    fn receive_lines(&mut self, draft: &mut Draft<'_>) -> Result<DataEnd> {
        let limit = self.settings.max_size;
        let (mut lines, mut bytes) = (0, 0);
        let mut problem = None;
        loop {
            let received = self.reader.read()?;
            if !self.reader.ended_with_crlf() {
                return Ok(DataEnd::Cut); // the last line is incomplete
            }
            let line = match received {
                Received::Line(line) if line == b"." => break,
                Received::Line(line) => line,
                Received::TooLong => {
                    problem.get_or_insert(refusal(BadLine::TooLong));
                    continue;
                }
                Received::Unterminated(_) | Received::End => {
                    return Ok(DataEnd::Cut);
                }
            };
            let line = unstuffed(&line);
            lines += 1;
            if lines == 1 && matches!(line.first(), Some(b' ' | b'\t')) {
                // A line that begins with a blank would continue the sink's
                // own header line above it. So the sink adds an empty line,
                // and the body begins here.
                let _ = draft.line(b"");
            }
            bytes += line.len() as u64 + 2;
            if bytes > limit.saturating_mul(2).saturating_add(1_000_000) {
                return Ok(DataEnd::Endless(too_big(limit)));
            }
            if problem.is_none() {
                problem = match bad_line(line) {
                    Some(bad) => Some(refusal(bad)),
                    None if bytes > limit => Some(too_big(limit)),
                    None => draft.line(line).err().map(|e| cannot_store(&e)),
                };
                if problem.is_some() {
                    draft.give_up();
                }
            }
        }
        Ok(match problem {
            Some(problem) => DataEnd::Refused(problem),
            None => DataEnd::Dot(lines, bytes),
        })
    }
}

fn refusal(bad: BadLine) -> Reply {
    let lone = "the message has a lone CR or LF: only CRLF ends a line";
    match bad {
        BadLine::TooLong => {
            reply!(500, "5.6.0 the message has a line of more than 998 bytes")
        }
        BadLine::LoneCrOrLf => reply!(554, "5.6.0 {lone}"),
        BadLine::Nul => reply!(554, "5.6.0 the message has a NUL byte"),
    }
}

fn too_big(limit: u64) -> Reply {
    reply!(552, "5.3.4 the message is too big: {limit} bytes at most")
}
