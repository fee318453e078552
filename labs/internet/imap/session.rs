//! What an IMAP server says: lines, and LITERALS in them. A literal is a
//! count in braces at the end of a line, then exactly so many bytes,
//! whatever they are, and then the line goes on:
//!
//! ```text
//! * 2 FETCH (UID 7 BODY[] {320} CR LF
//! … 320 bytes …) CR LF
//! ```
//!
//! So a message needs no dots stuffed and no last line searched for; and a
//! reader that looks at lines only would take mail for the server's words.

use socketlab::{Error, Result};

use crate::dialogue::{Dialogue, MOST_LINES};
use crate::mailbox::{quote, unquote};
use crate::output::Output;

/// All literals of a line that is kept in memory, a subject say. The text of
/// a message is not kept: it goes on to the output, however long it is.
const SMALL: usize = 64 * 1024; // bytes

/// A line of data, `* …`, as text without its literals, and these.
pub struct Response {
    /// The line; of a literal, its count in braces.
    pub text: String,
    /// The literals, in order.
    pub literals: Vec<Vec<u8>>,
    /// Did the text of a message come in it?
    pub is_message: bool,
}

/// A dialogue whose commands have tags.
pub struct Session<'a> {
    /// The connection.
    pub talk: Dialogue<'a>,
    count: u32,    // commands so far
    leaving: bool, // LOGOUT was said
}

impl<'a> Session<'a> {
    /// After the greeting.
    pub fn new(talk: Dialogue<'a>) -> Session<'a> {
        Session { talk, count: 0, leaving: false }
    }

    /// Sends a command; gives its tag.
    pub fn send(&mut self, command: &str) -> Result<String> {
        self.count += 1;
        self.leaving = command == "LOGOUT";
        let tag = format!("a{}", self.count);
        self.talk.send(&format!("{tag} {command}"))?;
        Ok(tag)
    }

    /// Sends a command and reads its reply, all of it shown.
    pub fn command(&mut self, command: &str) -> Result<()> {
        let tag = self.send(command)?;
        self.end_of(&tag)
    }

    /// LOGIN, with literals if a quoted string cannot hold it.
    pub fn login(&mut self, user: &str, password: &str) -> Result<()> {
        self.count += 1;
        let tag = format!("a{}", self.count);
        if user.is_ascii() && password.is_ascii() {
            let begin = format!("{tag} LOGIN {}", quote(user));
            let whole = format!("{begin} {}", quote(password));
            self.talk.send_as(&format!("{begin} ****"), &whole)?;
        } else {
            self.talk.send(&format!("{tag} LOGIN {{{}}}", user.len()))?;
            self.go_on()?;
            self.talk.send(&format!("{user} {{{}}}", password.len()))?;
            self.go_on()?;
            self.talk.send_as("****", password)?;
        }
        self.end_of(&tag)
    }

    fn go_on(&mut self) -> Result<()> {
        let reply = self.talk.reply()?;
        match reply.starts_with('+') {
            true => Ok(()),
            false => Err(self.talk.refused(&reply)),
        }
    }

    /// Reads until the tag comes, which must be with OK.
    fn end_of(&mut self, tag: &str) -> Result<()> {
        for _ in 0..MOST_LINES {
            let reply = self.talk.reply()?;
            if let Some(rest) = reply.strip_prefix(&format!("{tag} ")) {
                return self.judge(rest, &reply);
            }
            if !reply.starts_with("* ") || self.is_bye(&reply) {
                return Err(self.talk.refused(&reply));
            }
        }
        Err(Error::other("a reply of over 1000 lines"))
    }

    /// `* BYE too many clients`: the reason, and then the end.
    fn is_bye(&self, text: &str) -> bool {
        let word = text.get(..5).unwrap_or_default();
        word.eq_ignore_ascii_case("* BYE") && !self.leaving
    }

    fn judge(&self, rest: &str, reply: &str) -> Result<()> {
        let ok = rest.split(' ').next().unwrap_or_default();
        match ok.eq_ignore_ascii_case("OK") {
            true => Ok(()),
            false => Err(self.talk.refused(reply)),
        }
    }

    /// The next line of data, or `None` when the command has ended well. If a
    /// message was asked for, its text goes to `out`.
    pub fn next(
        &mut self,
        tag: &str,
        mut out: Option<&mut Output>,
    ) -> Result<Option<Response>> {
        let (mut literals, mut is_message) = (Vec::new(), false);
        let mut text = String::new();
        let mut size = 0;
        loop {
            let line = self.talk.line()?;
            let line = String::from_utf8_lossy(&line);
            text += &line;
            if let Some(rest) = text.strip_prefix(&format!("{tag} ")) {
                self.talk.job.show("S: ", text.as_bytes());
                return self.judge(rest, &text).map(|()| None);
            }
            size += line.len();
            if !text.starts_with("* ") || size > SMALL || self.is_bye(&text) {
                return Err(self.talk.refused(&text));
            }
            let Some(count) = literal(&line) else { break };
            let upper = line.to_ascii_uppercase();
            let body = upper.contains("BODY[] {") && !is_message;
            if let Some(out) = out.as_mut().filter(|_| body) {
                self.talk.job.show("S: ", text.as_bytes());
                out.announce(Some(count));
                self.talk.exactly(count, |piece| out.write(piece))?;
                is_message = true;
                continue;
            }
            size = size.saturating_add(count.try_into().unwrap_or(SMALL));
            if size > SMALL {
                let what = format!("a literal of {count} bytes where no");
                return Err(self.talk.refused(&format!("{what} message is")));
            }
            let mut bytes = Vec::new();
            self.talk.exactly(count, |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            literals.push(bytes);
        }
        // A short message may come as a quoted string. NIL is none.
        if let Some(text) = after(&text, "BODY[] ").and_then(unquote)
            && let Some(out) = out.filter(|_| !is_message)
        {
            out.write(text.as_bytes())?;
            is_message = true;
        }
        Ok(Some(Response { text, literals, is_message }))
    }
}

/// What stands behind a word of the server's, in whichever letters.
pub fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let at = text.to_ascii_uppercase().find(word)?;
    text.get(at + word.len()..)
}

/// The count of a literal at the end of a line: `… {320}`.
fn literal(line: &str) -> Option<u64> {
    let (_, count) = line.strip_suffix('}')?.rsplit_once('{')?;
    count.parse().ok()
}
