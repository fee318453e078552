//! MAIL and RCPT, one after the other, or in one go where the server offers
//! PIPELINING: ten recipients then cost one round trip instead of eleven.
//!
//! ```text
//! one by one                      in one go
//! C: MAIL FROM:<a@x>              C: MAIL FROM:<a@x>
//! S: 250                          C: RCPT TO:<b@y>
//! C: RCPT TO:<b@y>                C: RCPT TO:<c@y>
//! S: 250                          S: 250
//! C: RCPT TO:<c@y>                S: 250
//! S: 550                          S: 550
//! ```
//!
//! Replies have no names: the third reply belongs to the third command.
//! DATA waits: sent with the others, it may be answered with 354 although
//! every recipient was refused.                         (viva 16) [W-T4a]

use crate::reply::Reply;
use crate::report::Stop;
use crate::smtp::Smtp;

/// Commands that are out without a reply. More, and both sides might wait
/// for the other to read, with all buffers full.
const MOST_AT_ONCE: usize = 50;

/// Commands whose replies belong together.
pub struct Group {
    at_once: bool,
    waiting: Vec<String>, // not sent yet
    replies: Vec<Reply>,  // in the order of the commands
}

impl Group {
    /// `at_once`: the server offers PIPELINING.
    pub fn new(at_once: bool) -> Group {
        Group { at_once, waiting: Vec::new(), replies: Vec::new() }
    }

    /// One more command.
    pub fn tell(&mut self, smtp: &mut Smtp, line: String) -> Result<(), Stop> {
        smtp.show("C", line.as_bytes());
        self.waiting.push(line);
        let most = if self.at_once { MOST_AT_ONCE } else { 1 };
        match self.waiting.len() >= most {
            true => self.flush(smtp),
            false => Ok(()),
        }
    }

    /// All replies. The first is MAIL's, and was not a refusal.
    pub fn end(mut self, smtp: &mut Smtp) -> Result<Vec<Reply>, Stop> {
        self.flush(smtp)?;
        Ok(self.replies)
    }

    fn flush(&mut self, smtp: &mut Smtp) -> Result<(), Stop> {
        let lines: String =
            self.waiting.iter().map(|line| format!("{line}\r\n")).collect();
        smtp.send(lines.as_bytes())?;
        for line in self.waiting.drain(..) {
            let verb = line.split(' ').next().unwrap_or_default();
            let reply = smtp.hear(verb)?;
            if reply.code == 421 {
                return Err(Stop::refused(verb, &reply)); // it closes now
            }
            self.replies.push(reply);
        }
        // Without a sender the recipients do not count, whatever was said.
        match self.replies.first() {
            Some(mail) if mail.code != 250 => Err(Stop::refused("MAIL", mail)),
            _ => Ok(()),
        }
    }
}
