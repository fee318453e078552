//! IMAP: mailboxes that stay on the server. RFC 9051 (and 3501, which servers
//! speak); URLs: RFC 5092. `imap://user@host/` lists the mailboxes,
//! `imap://user@host/INBOX` the messages of one, `…/INBOX/;UID=7` is one.
//!
//!     fetch                                server
//!       |<------ 1 * OK ready ----------------|
//!       |------- 2 a1 STARTTLS -------------->|   a1 OK, then TLS
//!       |------- 3 a2 LOGIN "ann" "…" ------->|   a2 OK, or a2 NO
//!       |------- 4 a3 SELECT "INBOX" -------->|   * 3 EXISTS, a3 OK
//!       |------- 5 a3 LIST "" "*" ----------->|   or this: * LIST … INBOX
//!       |------- 6 a4 UID FETCH 7 (BODY[]) -->|   * 2 FETCH (… {320}, and
//!       |                                     |   320 bytes; ) ; a4 OK
//!       |------- 7 a5 LOGOUT ---------------->|   * BYE, a5 OK
//!
//! Every command has a tag, and its end carries it; lines with `*` are data,
//! which may come at any time.                        (viva 11) [T-M]

use socketlab::{Error, Result, args, console};

use crate::Job;
use crate::dialogue::{Dialogue, MOST_LINES};
use crate::imap_reply::{Response, Session, after};
use crate::login::login;
use crate::mailbox;
use crate::output::Output;

/// Lists mailboxes or messages, or fetches a message.
pub fn fetch(job: &Job) -> Result<()> {
    let (mailbox, uid) = path(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut talk = Dialogue::open(job)?;
    talk.only_crlf();

    // ---- 1 greeting ------------------------------------------------------
    // OK: log in now. PREAUTH: the server knows us already; then STARTTLS is
    // over before it began, and somebody on the way may have said so.
    let greeting = talk.reply()?;
    let known = greeting.starts_with("* PREAUTH") && !job.starttls;
    if !known && !greeting.starts_with("* OK") {
        return Err(talk.refused(&greeting));
    }

    // ---- 2 STARTTLS ------------------------------------------------------
    let mut session = Session::new(talk);
    if job.starttls {
        session.command("STARTTLS")?;
        session = Session::new(session.talk.start_tls()?);
        session.talk.only_crlf();
    }

    // ---- 3 LOGIN ---------------------------------------------------------
    // Two strings: quoted, or as literals {4} for what cannot be quoted,
    // for each of which the server has to say go on (+).
    if !known {
        let login = login(&mut session.talk)?;
        session.login(&login.user, &login.password)?;
    }

    if let Some(name) = &mailbox {
        // ---- 4 SELECT ----------------------------------------------------
        // Opens the mailbox for what follows. Its brother EXAMINE is for
        // reading only; we change nothing all the same.      (viva 12)
        let name = mailbox::quote(&mailbox::encode(name));
        session.command(&format!("SELECT {name}"))?;
    }

    // ---- 5 LIST ----------------------------------------------------------
    // "*": at any depth (RFC 9051, 6.3.9). Names are in a kind of UTF-7.
    let tag = match (&mailbox, uid) {
        (None, _) => session.send("LIST \"\" \"*\"")?,
        // ---- 6 FETCH -----------------------------------------------------
        // By UID, which never changes; the number in front of FETCH is the
        // message's place today. PEEK: it is not marked as read.  (viva 12)
        (Some(_), None) => session.send(
            "UID FETCH 1:* (RFC822.SIZE \
             BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
        )?,
        (Some(_), Some(uid)) => {
            session.send(&format!("UID FETCH {uid} (BODY.PEEK[])"))?
        }
    };
    let (mut messages, mut others) = (0, 0);
    loop {
        let wanted = uid.map(|_| &mut out);
        let Some(response) = session.next(&tag, wanted)? else { break };
        messages += usize::from(response.is_message);
        let its = number(&response.text, "UID ").filter(|_| uid.is_some());
        if let (Some(its), true) = (its, response.is_message)
            && uid.map(u64::from) != Some(its)
        {
            let what = format!("a message with the UID {its} came instead");
            return Err(session.talk.refused(&what));
        }
        if uid.is_none() {
            match listed(&response) {
                Some(line) => {
                    out.write(&[line.as_bytes(), b"\n"].concat())?;
                }
                None => others += 1, // nobody sees these
            }
        }
        if others > MOST_LINES {
            let what = "over 1000 lines that are no list, and no end";
            return Err(session.talk.refused(what));
        }
    }
    if let (Some(uid), 0) | (Some(uid), 2..) = (uid, messages) {
        let what = if messages == 0 { "no message has" } else { "two have" };
        return Err(Error::other(format!("{what} the UID {uid}")));
    }
    out.finish()?;

    // ---- 7 LOGOUT --------------------------------------------------------
    let _ = session.command("LOGOUT");
    session.talk.close();
    Ok(())
}

/// A line of our list: a mailbox's name, or a message's UID, size, subject.
fn listed(response: &Response) -> Option<String> {
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
    Some(format!("{uid:>7} {size:>9}  {}", subject.join(" ")))
}

/// A number among the items of a FETCH.
fn number(text: &str, name: &str) -> Option<u64> {
    let rest = after(after(text, " FETCH (")?, name)?;
    rest.split([' ', ')']).next()?.parse().ok()
}

/// Mailbox and UID: `INBOX`, `INBOX/;UID=7`, also `INBOX;UID=7`.
fn path(job: &Job) -> (Option<String>, Option<u32>) {
    let means = "imap://USER@HOST/MAILBOX/;UID=7";
    let bad = |what: &str| -> ! { args::usage(&format!("{what}: {means}")) };
    let path = job.url.path.strip_prefix('/').unwrap_or(&job.url.path);
    let (name, rest) = path.split_once(';').unwrap_or((path, ""));
    let name = name.strip_suffix('/').unwrap_or(name);
    let name = crate::url::decode(name).unwrap_or_else(|what| bad(&what));
    if name.contains('?') {
        bad("a search (?) is not done here");
    }
    let uid = match rest.split_once('=') {
        None if rest.is_empty() => None,
        Some((word, uid)) if word.eq_ignore_ascii_case("UID") => {
            match uid.parse() {
                Ok(uid @ 1..) => Some(uid),
                _ => bad(&format!("'{uid}' is no UID")),
            }
        }
        _ => bad(&format!("';{rest}' is not understood")),
    };
    if name.is_empty() && uid.is_some() {
        bad("a UID without a mailbox");
    }
    ((!name.is_empty()).then_some(name), uid)
}
