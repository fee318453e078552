//! DATA: 354, the message line by line, straight to the disk, and the one
//! reply that counts.
//!
//! ```text
//! C: Subject: hi<CRLF>          stored
//! C: ..and more<CRLF>           stored as ".and more"        (viva 3)
//! C: .<CRLF>                    the end; nothing else ends it
//! ```
//!
//! A lone LF or CR is an ordinary byte to the reader, and a message that has
//! one is refused: mail/smtp/dot_stuffing.rs says why.              (viva 2)

use std::time::Duration;

use socketlab::line::Received;
use socketlab::{Result, clients, say};

use super::maildir::{Draft, cannot_store};
use super::session::{Answer, CUT, Envelope, Next, REFUSED, Session};
use super::wire::too_slow;
use crate::smtp::dot_stuffing::{BadLine, bad_line, unstuffed};
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// The client has this long for the complete message.
const MESSAGE_DEADLINE: Duration = Duration::from_secs(600);

/// How the data ended.
enum DataEnd {
    /// With the dot, after this many lines and bytes.
    Dot(u64, u64),
    /// With the dot; the message is not kept, for this reason.
    Refused(Reply),
    /// The message is far larger than allowed and goes on.
    Endless(Reply),
    /// The client left before the dot, so it has not sent a message.
    Cut,
}

impl Session<'_> {
    /// DATA from its 354 to the reply after the dot.
    pub(super) fn data(&mut self, rest: &str) -> Result<Next> {
        let mail = match self.complete_envelope(rest) {
            Ok(mail) => mail,
            Err(reply) => return self.refuse(Some(Verb::Data), reply),
        };
        let settings = self.settings;
        // A full disk is noticed here, before the client sends megabytes.
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
        // A stop of the sink waits a moment for the rest of the message.
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
                self.show("C: … and no dot: nothing was sent");
                self.stream_ended()
            }
            Err(error) if error.is_timeout() => {
                self.refuse(Some(Verb::Dot), too_slow())
            }
            Err(error) => Err(error),
        }
    }

    /// The envelope, if it has a sender and a recipient. It is used up.
    fn complete_envelope(&mut self, rest: &str) -> Answer<Envelope> {
        if !rest.is_empty() {
            return Err(reply!(501, "5.5.4 DATA alone"));
        }
        let complete = |mail: &mut Envelope| !mail.recipients.is_empty();
        self.mail.take_if(complete).ok_or(match self.mail {
            None => reply!(503, "5.5.1 MAIL first"),
            Some(_) => reply!(554, "5.5.1 no valid recipients"),
        })
    }

    /// The message is the sink's only now, when it is on the disk.  (viva 1)
    fn store(&mut self, mail: &Envelope, draft: Draft<'_>) -> Result<Next> {
        if let Some(fault) = self.settings.faults.reply(Verb::Dot, None) {
            return self.done(Verb::Dot, &fault); // the draft is dropped
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

    /// Reads the message into the draft, until the dot.
    fn receive(&mut self, draft: &mut Draft<'_>) -> Result<DataEnd> {
        self.reader.only_crlf();
        self.reader.finish_within(Some(MESSAGE_DEADLINE));
        let end = self.receive_lines(draft);
        self.reader.finish_within(None);
        self.reader.any_line_end();
        end
    }

    /// A mistake in the message is told after the dot: before it the client
    /// does not read.
    fn receive_lines(&mut self, draft: &mut Draft<'_>) -> Result<DataEnd> {
        let limit = self.settings.max_size;
        let (mut lines, mut bytes) = (0, 0);
        let mut problem = None;
        loop {
            let received = self.reader.read()?;
            if !self.reader.ended_with_crlf() {
                return Ok(DataEnd::Cut); // the stream ended inside a line
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
                // It would continue the last of our own lines above it. So
                // it is not a header: the body begins here.
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
    let lone = "a lone CR or LF in the data: only CRLF ends a line";
    match bad {
        BadLine::TooLong => reply!(500, "5.6.0 a line of more than 998 octets"),
        BadLine::LoneCrOrLf => reply!(554, "5.6.0 {lone}"),
        BadLine::Nul => reply!(554, "5.6.0 a NUL in the data"),
    }
}

fn too_big(limit: u64) -> Reply {
    reply!(552, "5.3.4 message too big: {limit} bytes at most")
}
