//! MAIL and RCPT, one after the other; with `--pipeline` in one go, where the
//! server offers it: ten recipients then cost one round trip, not eleven.
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
//! DATA waits, because a server may answer it with 354 although it has
//! refused every recipient.                             (viva 16) [W-T4a]

use super::outcome::{Failure, Step};
use super::wire::Wire;
use crate::smtp::reply::Reply;
use crate::smtp::verb::Verb;

/// Commands without a reply. With more of them, client and server might each
/// wait for the other to read, with all buffers full.
const MOST_AT_ONCE: usize = 50;

/// Commands whose replies belong together.
pub struct Group {
    most: usize, // commands in one go
    unsent: Vec<(Verb, String)>,
    replies: Vec<Reply>, // in the order of the commands
}

impl Group {
    /// `at_once`: the user asks for PIPELINING, and the server offers it.
    pub fn new(at_once: bool) -> Group {
        let most = if at_once { MOST_AT_ONCE } else { 1 };
        Group { most, unsent: Vec::new(), replies: Vec::new() }
    }

    /// One more command.
    pub fn add(
        &mut self,
        wire: &mut Wire,
        verb: Verb,
        line: String,
    ) -> Step<()> {
        wire.show(line.as_bytes());
        self.unsent.push((verb, line));
        match self.unsent.len() >= self.most {
            true => self.flush(wire),
            false => Ok(()),
        }
    }

    /// All replies. The first is MAIL's, and was not a refusal.
    pub fn end(mut self, wire: &mut Wire) -> Step<Vec<Reply>> {
        self.flush(wire)?;
        Ok(self.replies)
    }

    fn flush(&mut self, wire: &mut Wire) -> Step<()> {
        let lines = self.unsent.iter().map(|(_, line)| format!("{line}\r\n"));
        wire.send(lines.collect::<String>().as_bytes())?;
        for (verb, line) in self.unsent.drain(..) {
            let reply = wire.read_reply(verb)?;
            if reply.code == 421 {
                let verb = line.split(' ').next().unwrap_or_default();
                return Err(Failure::refused(verb, &reply)); // it closes now
            }
            self.replies.push(reply);
        }
        // Without a sender the recipients do not count, whatever the server
        // has replied to them.
        match self.replies.first() {
            Some(mail) if mail.code != 250 => {
                Err(Failure::refused("MAIL", mail))
            }
            _ => Ok(()),
        }
    }
}
