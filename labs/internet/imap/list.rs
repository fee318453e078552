//! IMAP's lists, a line for each mailbox or message. The server's lines have
//! their parts in whichever order and as quoted strings or literals:
//!
//! ```text
//! * LIST (\HasNoChildren) "/" "Entw&APw-rfe"          Entwürfe
//! * 1 FETCH (UID 7 RFC822.SIZE 123                     7   123  Lunch
//!   BODY[HEADER.FIELDS (SUBJECT)] {18} …)
//! ```
//!
//! A list may be long: it is printed as it comes, and never gathered.

use socketlab::{Result, console};

use crate::dialogue::MOST_LINES;
use crate::encoded_word;
use crate::imap_reply::{Response, Session, after};
use crate::mailbox;
use crate::output::Output;

/// Sends a command and prints the list that it gives.
pub fn list(
    session: &mut Session<'_>,
    command: &str,
    out: &mut Output,
) -> Result<()> {
    let tag = session.send(command)?;
    let mut others = 0; // nobody sees these
    while let Some(response) = session.next(&tag, None)? {
        match line(&response) {
            Some(line) => out.write(format!("{line}\n").as_bytes())?,
            None => others += 1,
        }
        if others > MOST_LINES {
            let what = "over 1000 lines that are no list, and no end";
            return Err(session.talk.refused(what));
        }
    }
    Ok(())
}

/// A line of our list: a mailbox's name, or a message's UID, size, subject.
fn line(response: &Response) -> Option<String> {
    let text = &response.text;
    if text.get(..7)?.eq_ignore_ascii_case("* LIST ") {
        let name = mailbox::decode(&mailbox::of_list(response)?);
        // One name, one line: a line end in it would make two of it.
        return Some(match name.contains(char::is_control) {
            true => console::escape(name.as_bytes()),
            false => name,
        });
    }
    let uid = number(text, "UID ")?;
    let size = number(text, "RFC822.SIZE ")?;
    // A literal, or a quoted string.
    let quoted = after(text, "(SUBJECT)] ").and_then(mailbox::unquote);
    let subject = match response.literals.first() {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => quoted.unwrap_or_default(),
    };
    let subject: Vec<&str> = subject.split_whitespace().skip(1).collect();
    let subject = encoded_word::decode(&subject.join(" "));
    Some(format!("{uid:>7} {size:>9}  {subject}"))
}

/// A number among the items of a FETCH.
pub fn number(text: &str, name: &str) -> Option<u64> {
    let rest = after(after(text, " FETCH (")?, name)?;
    rest.split([' ', ')']).next()?.parse().ok()
}
