//! Sends MAIL and RCPT one by one. With `--pipeline` it sends them together
//! if the server offers that: ten recipients then cost one round trip, not
//! eleven.
//!
//! ```text
//! one by one                      together
//! C: MAIL FROM:<a@x>              C: MAIL FROM:<a@x>
//! S: 250                          C: RCPT TO:<b@y>
//! C: RCPT TO:<b@y>                C: RCPT TO:<c@y>
//! S: 250                          S: 250
//! C: RCPT TO:<c@y>                S: 250
//! S: 550                          S: 550
//! ```
//!
//! Replies do not name their command, so the third reply belongs to the third
//! command. DATA is never sent with the others, because a server may reply
//! 354 although it has refused every recipient.         (viva 16) [W-T4a]

use super::outcome::{Failure, Step};
use super::wire::Wire;
use crate::smtp::reply::Reply;
use crate::smtp::verb::Verb;

/// Largest number of commands sent together. With more of them all buffers
/// could be full; then client and server would each wait for the other to
/// read.
const MOST_AT_ONCE: usize = 50;

/// Commands whose replies belong together.
pub struct Group {
    most: usize, // commands to send together
    unsent: Vec<(Verb, String)>,
    replies: Vec<Reply>, // in the order of the commands
}

impl Group {
    /// `at_once`: the user asks for PIPELINING, and the server offers it.
    pub fn new(at_once: bool) -> Group {
        let most = if at_once { MOST_AT_ONCE } else { 1 };
        Group { most, unsent: Vec::new(), replies: Vec::new() }
    }

    /// Adds a command, and sends the group if it is full.
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

    /// Sends the rest and returns all replies. The first is MAIL's, a 250.
    pub fn end(mut self, wire: &mut Wire) -> Step<Vec<Reply>> {
        self.flush(wire)?;
        Ok(self.replies)
    }

    /// Sends the collected commands in one send() and reads their replies.
    fn flush(&mut self, wire: &mut Wire) -> Step<()> {
        let lines = self.unsent.iter().map(|(_, line)| format!("{line}\r\n"));
        wire.send(lines.collect::<String>().as_bytes())?;
        for (verb, line) in self.unsent.drain(..) {
            let reply = wire.read_reply(verb)?;
            if reply.code == 421 {
                let verb = line.split(' ').next().unwrap_or_default();
                return Err(Failure::refused(verb, &reply)); // server closes
            }
            self.replies.push(reply);
        }
        // If the server has refused MAIL, its replies to RCPT do not count.
        match self.replies.first() {
            Some(mail) if mail.code != 250 => {
                Err(Failure::refused("MAIL", mail))
            }
            _ => Ok(()),
        }
    }
}
