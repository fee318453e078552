//! IMAP's lists, a line for each mailbox or message. The parts of the server's
//! lines come in any order, as quoted strings or as literals:
//!
//! ```text
//! * LIST (\HasNoChildren) "/" "Entw&APw-rfe"          Entwürfe
//! * 1 FETCH (UID 7 RFC822.SIZE 123                     7   123  Lunch
//!   BODY[HEADER.FIELDS (SUBJECT)] {18} …)
//! ```
//!
//! A list may be long, so each line is printed at once and not stored.

use socketlab::{Result, console};

use crate::connection::MOST_LINES;
use crate::imap::session::{Response, Session, after, unquote};
use crate::imap::{encoded_word, mailbox};
use crate::output::Output;

/// Sends a command and prints the list that the server returns.
pub fn list(
    session: &mut Session<'_>,
    command: &str,
    out: &mut Output,
) -> Result<()> {
    let tag = session.send(command)?;
    let mut others = 0; // lines that are not printed
    while let Some(response) = session.next(&tag, None)? {
        match line(&response) {
            Some(line) => out.write(format!("{line}\n").as_bytes())?,
            None => others += 1,
        }
        if others > MOST_LINES {
            let what = "over 1000 lines that are not a list, and no end";
            return Err(session.connection.refused(what));
        }
    }
    Ok(())
}

/// A line of our list: the name of a mailbox, or UID, size and subject of a
/// message.
fn line(response: &Response) -> Option<String> {
    let text = &response.text;
    if text.get(..7)?.eq_ignore_ascii_case("* LIST ") {
        let name = mailbox::decode(&name_of(response)?);
        // One name, one line: a newline in a name would make it two.
        return Some(match name.contains(char::is_control) {
            true => console::escape(name.as_bytes()),
            false => name,
        });
    }
    let uid = number(text, "UID ")?;
    let size = number(text, "RFC822.SIZE ")?;
    // A literal, or a quoted string.
    let quoted = after(text, "(SUBJECT)] ").and_then(unquote);
    let subject = match response.literals.first() {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => quoted.unwrap_or_default(),
    };
    Some(format!("{uid:>7} {size:>9}  {}", subject_of(&subject)))
}

/// The subject in a head. A field's body is everything after the colon, with or
/// without a blank or a tab (RFC 5322, 2.2). A line that begins with a blank or
/// a tab continues the line before.
fn subject_of(head: &str) -> String {
    let mut subject: Option<String> = None;
    for line in head.lines() {
        match &mut subject {
            Some(begun) if line.starts_with([' ', '\t']) => *begun += line,
            Some(_) => break,
            None => {
                let field = line.split_once(':');
                let named = |name: &str| name.trim().eq_ignore_ascii_case(NAME);
                let field = field.filter(|(name, _)| named(name));
                subject = field.map(|(_, body)| body.to_string());
            }
        }
    }
    let subject = subject.unwrap_or_default();
    let words: Vec<&str> = subject.split_whitespace().collect();
    encoded_word::decode(&words.join(" "))
}

const NAME: &str = "Subject";

/// The name in `* LIST (\HasNoChildren) "/" INBOX`.
fn name_of(response: &Response) -> Option<String> {
    if let Some(name) = response.literals.last() {
        return Some(String::from_utf8_lossy(name).into());
    }
    let (_, rest) = response.text.split_once(") ")?;
    // The separator: a quoted character, or NIL.
    let rest = match rest.strip_prefix("NIL ") {
        Some(name) => name,
        None => rest.split_once("\" ")?.1,
    };
    unquote(rest).or(Some(rest.to_string()))
}

/// A number among the items of a FETCH.
pub fn number(text: &str, name: &str) -> Option<u64> {
    let rest = after(after(text, " FETCH (")?, name)?;
    rest.split([' ', ')']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::subject_of;

    #[test]
    fn a_subject_is_what_stands_after_the_colon() {
        for (head, subject) in [
            ("Subject: Lunch\r\n\r\n", "Lunch"),
            ("Subject:Lunch at noon\r\n\r\n", "Lunch at noon"),
            ("Subject:=?utf-8?B?R3LDvMOfZQ==?=\r\n\r\n", "Grüße"),
            ("SUBJECT:\tLunch\r\n", "Lunch"),
            ("subject : Lunch\r\n", "Lunch"),
            ("Subject: Re: a: b\r\n", "Re: a: b"),
            ("Subject: Lunch\r\n at\r\n\tnoon\r\n\r\n", "Lunch at noon"),
            ("Subject:\r\n Lunch\r\n", "Lunch"),
            ("Subject: =?utf-8?q?Gr=C3=BC?=\r\n =?utf-8?q?=C3=9Fe?=", "Grüße"),
            ("Subject:\r\n\r\n", ""),
            ("Subject: one\r\nSubject: two\r\n", "one"),
            ("\r\n", ""),
            ("", ""),
        ] {
            assert_eq!(subject_of(head), subject, "{head:?}");
        }
    }
}
