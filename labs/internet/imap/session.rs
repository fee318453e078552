//! Commands with tags, and what an IMAP server replies: lines, and LITERALS in
//! them. A literal is a count in braces at the end of a line, then exactly
//! this many bytes of any kind, and then the rest of the line:
//!
//! ```text
//! * 2 FETCH (UID 7 BODY[] {320} CR LF
//! … 320 bytes …) CR LF
//! ```
//!
//! So a message needs no stuffed dots and no last line. A reader that only
//! reads lines would mistake a message's lines for the server's replies.

use socketlab::{Error, Result, warn};

use crate::connection::{Connection, SHOWN};
use crate::output::Output;

/// The longest line that is kept in memory, with its literals: a subject, for
/// example. The text of a message goes to the output, however long it is.
const SMALL: usize = 64 * 1024; // bytes

/// A line of data, `* …`, and its literals.
pub struct Response {
    /// The line. Of a literal it has only the count in braces.
    pub text: String,
    /// The literals, in order.
    pub literals: Vec<Vec<u8>>,
    /// Did it contain the text of a message?
    pub is_message: bool,
    /// `BODY[] NIL`: the message exists, but the server has no text of it.
    pub is_without_text: bool,
}

/// A dialogue whose commands have tags.
pub struct Session<'a> {
    /// The connection.
    pub connection: Connection<'a>,
    count: u32,                   // commands so far
    leaving: bool,                // LOGOUT was sent
    capabilities: Option<String>, // in capitals; None: not known yet
}

impl<'a> Session<'a> {
    /// After the greeting.
    pub fn new(connection: Connection<'a>) -> Session<'a> {
        let (count, leaving, capabilities) = (0, false, None);
        Session { connection, count, leaving, capabilities }
    }

    /// Sends a command; returns its tag.
    pub fn send(&mut self, command: &str) -> Result<String> {
        let tag = self.next_tag();
        self.connection.send(&format!("{tag} {command}"))?;
        Ok(tag)
    }

    /// Sends a command and reads its reply, which is printed completely.
    pub fn command(&mut self, command: &str) -> Result<()> {
        let tag = self.send(command)?;
        self.end_of(&tag)
    }

    /// STARTTLS. The server's known capabilities are forgotten.
    pub fn start_tls(&mut self) -> Result<()> {
        self.command("STARTTLS")?;
        self.connection.start_tls()?;
        self.capabilities = None;
        Ok(())
    }

    /// May a name and a password be sent? The greeting often says what the
    /// server can do. If it does not, CAPABILITY asks for it.
    pub fn check_login(&mut self) -> Result<()> {
        if self.capabilities.is_none() {
            self.command("CAPABILITY")?;
        }
        let words = self.capabilities.as_deref().unwrap_or_default();
        if !words.split(' ').any(|word| word == "LOGINDISABLED") {
            return Ok(());
        }
        Err(Error::other(match self.connection.is_secure() {
            false => "the server wants TLS first: --starttls",
            true => "the server takes no password by LOGIN (LOGINDISABLED)",
        }))
    }

    /// Codes in a line: the server's capabilities, and `[ALERT]`, whose text
    /// must be shown to the user in any case (RFC 9051, 7.1).
    pub fn note(&mut self, line: &str) {
        let (begin, rest) = line.split_once(' ').unwrap_or_default();
        let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let word = word.to_ascii_uppercase();
        if begin == "*" && word == "CAPABILITY" {
            self.capabilities = Some(rest.to_ascii_uppercase());
        }
        let words = ["OK", "NO", "BAD", "BYE", "PREAUTH"];
        let code = rest.strip_prefix('[').and_then(|r| r.split_once(']'));
        let Some((code, text)) = code.filter(|_| words.contains(&&*word))
        else {
            return;
        };
        let code = code.to_ascii_uppercase();
        if let Some(words) = code.strip_prefix("CAPABILITY ") {
            self.capabilities = Some(words.to_string());
        }
        if code == "ALERT" {
            let printer = &self.connection.job.printer;
            let text = printer.shown(text.trim().as_bytes(), SHOWN);
            warn!("the server's alert: {text}");
        }
    }

    /// LOGIN, with literals if user or password cannot be quoted.
    pub fn login(&mut self, user: &str, password: &str) -> Result<()> {
        let tag = self.next_tag();
        if user.is_ascii() && password.is_ascii() {
            let quoted = quote(password);
            self.connection.job.printer.clone().hide([quoted.clone()]);
            let begin = format!("{tag} LOGIN {}", quote(user));
            let command = format!("{begin} {quoted}");
            let shown = format!("{begin} ****");
            self.connection.send_masked(&command, &shown)?;
        } else {
            self.connection.send(&format!("{tag} LOGIN {{{}}}", user.len()))?;
            self.go_on()?;
            // The length of a password is secret, too.
            let command = format!("{user} {{{}}}", password.len());
            let shown = format!("{user} {{**}}");
            self.connection.send_masked(&command, &shown)?;
            self.go_on()?;
            self.connection.send_masked(password, "****")?;
        }
        self.end_of(&tag)
    }

    /// Ends the session. The server sends BYE, which is not an error here.
    pub fn logout(&mut self) -> Result<()> {
        self.leaving = true;
        self.command("LOGOUT")
    }

    fn next_tag(&mut self) -> String {
        self.count += 1;
        format!("a{}", self.count)
    }

    /// The server's `+`: it waits for the literal now.
    fn go_on(&mut self) -> Result<()> {
        let mut reply = self.connection.reply()?;
        loop {
            self.note(&reply);
            if reply.starts_with('+') {
                return Ok(());
            }
            if !reply.starts_with("* ") || self.is_bye(&reply) {
                return Err(self.connection.refused(&reply));
            }
            reply = self.connection.next_reply_line()?;
        }
    }

    /// Reads the reply up to the line with the tag, which must be OK.
    fn end_of(&mut self, tag: &str) -> Result<()> {
        let mut reply = self.connection.reply()?;
        loop {
            self.note(&reply);
            if let Some(rest) = reply.strip_prefix(&format!("{tag} ")) {
                return self.check(rest, &reply);
            }
            if !reply.starts_with("* ") || self.is_bye(&reply) {
                return Err(self.connection.refused(&reply));
            }
            reply = self.connection.next_reply_line()?;
        }
    }

    /// `* BYE too many clients`: the server closes after it.
    fn is_bye(&self, text: &str) -> bool {
        let word = text.get(..5).unwrap_or_default();
        word.eq_ignore_ascii_case("* BYE") && !self.leaving
    }

    /// Only OK is good; NO and BAD are not.
    fn check(&self, rest: &str, reply: &str) -> Result<()> {
        let ok = rest.split(' ').next().unwrap_or_default();
        match ok.eq_ignore_ascii_case("OK") {
            true => Ok(()),
            false => Err(self.connection.refused(reply)),
        }
    }

    /// The next line of data, or `None` after the line with the tag and OK. If
    /// a message was asked for, its text goes to `out`.
    pub fn next(
        &mut self,
        tag: &str,
        mut out: Option<&mut Output>,
    ) -> Result<Option<Response>> {
        let (mut literals, mut is_message) = (Vec::new(), false);
        let mut text = String::new();
        let mut size = 0;
        loop {
            let line = self.connection.line()?;
            let line = String::from_utf8_lossy(&line);
            if text.is_empty() {
                self.note(&line);
            } else if !line.is_empty() && !line.starts_with([' ', ')']) {
                // The literal was longer than its count.
                return Err(self.connection.refused(&line));
            }
            text += &line;
            if let Some(rest) = text.strip_prefix(&format!("{tag} ")) {
                self.connection.job.printer.show("S: ", text.as_bytes());
                return self.check(rest, &text).map(|()| None);
            }
            size += line.len();
            if !text.starts_with("* ") || size > SMALL || self.is_bye(&text) {
                return Err(self.connection.refused(&text));
            }
            let Some(count) = literal(&line) else { break };
            let upper = line.to_ascii_uppercase();
            let body = upper.contains("BODY[] {") && !is_message;
            if let Some(out) = out.as_mut().filter(|_| body) {
                self.connection.job.printer.show("S: ", text.as_bytes());
                out.announce(Some(count));
                self.connection.exactly(count, |piece| out.write(piece))?;
                is_message = true;
                continue;
            }
            size = size.saturating_add(count.try_into().unwrap_or(SMALL));
            if size > SMALL {
                let what =
                    format!("a literal of {count} bytes where no message is");
                return Err(self.connection.refused(&what));
            }
            let mut bytes = Vec::new();
            self.connection.exactly(count, |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            literals.push(bytes);
        }
        // A short message may come as a quoted string. NIL means no message.
        let quoted = after(&text, "BODY[] ");
        let is_nil = |t: &str| t.to_ascii_uppercase().starts_with("NIL");
        let is_without_text = quoted.is_some_and(is_nil);
        if let Some(text) = quoted.and_then(unquote)
            && let Some(out) = out.filter(|_| !is_message)
        {
            out.write(text.as_bytes())?;
            is_message = true;
        }
        Ok(Some(Response { text, literals, is_message, is_without_text }))
    }
}

/// The text after a word, which the server may write in small letters.
pub fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let at = text.to_ascii_uppercase().find(word)?;
    text.get(at + word.len()..)
}

/// A string in quotes. It must be ASCII without control characters.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The content of the quoted string at the beginning of `text`.
pub fn unquote(text: &str) -> Option<String> {
    let mut inner = String::new();
    let mut rest = text.strip_prefix('"')?.chars();
    loop {
        match rest.next()? {
            '"' => return Some(inner),
            '\\' => inner.push(rest.next()?),
            other => inner.push(other),
        }
    }
}

/// The count of a literal at the end of a line: `… {320}`.
fn literal(line: &str) -> Option<u64> {
    let (_, count) = line.strip_suffix('}')?.rsplit_once('{')?;
    count.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_can_be_read_again() {
        assert_eq!(unquote(&quote("a\\\"b")).as_deref(), Some("a\\\"b"));
        assert_eq!(unquote("\"not closed"), None);
        assert_eq!(literal("* 2 FETCH (BODY[] {320}"), Some(320));
    }
}
