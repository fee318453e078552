//! IMAP: mailboxes that stay on the server. RFC 9051 (and 3501, which servers
//! speak); URLs: RFC 5092. `imap://user@host/` lists the mailboxes,
//! `imap://user@host/INBOX` the messages of one, `…/INBOX/;UID=7` is one.
//!
//! ```text
//! fetch                                server
//!   |<------ 1 * OK ready ----------------|
//!   |------- 2 a1 STARTTLS -------------->|   a1 OK, then TLS
//!   |------- 3 a2 LOGIN "ann" "…" ------->|   a2 OK, or a2 NO
//!   |------- 4 a3 SELECT "INBOX" -------->|   * 3 EXISTS, a3 OK
//!   |------- 5 a3 LIST "" "*" ----------->|   or this: * LIST … INBOX
//!   |------- 6 a4 UID FETCH 7 (BODY[]) -->|   * 2 FETCH (… {320}, and
//!   |                                     |   320 bytes; ) ; a4 OK
//!   |------- 7 a5 LOGOUT ---------------->|   * BYE, a5 OK
//! ```
//!
//! Every command has a tag, and the last line of its reply repeats the tag.
//! Lines with `*` are data, which may come at any time.    (viva 11) [T-M]

pub mod encoded_word;
pub mod list;
pub mod mailbox;
pub mod session;

use socketlab::{Error, Result, args};

use crate::connection::{Connection, MOST_LINES};
use crate::imap::list::{list, number};
use crate::imap::mailbox::encode;
use crate::imap::session::{Session, quote};
use crate::job::Job;
use crate::login::login;
use crate::output::Output;

/// For the list of a mailbox: size and subject of every message.
const ALL: &str = "UID FETCH 1:* (RFC822.SIZE \
                   BODY.PEEK[HEADER.FIELDS (SUBJECT)])";

/// Lists mailboxes or messages, or fetches a message.
pub fn fetch(job: &Job) -> Result<()> {
    let (mailbox, uid) = path(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;
    connection.only_crlf();

    // ---- 1 greeting ------------------------------------------------------
    // OK: log in now. PREAUTH: the server knows us already. After PREAUTH no
    // STARTTLS is possible, and somebody on the way may have written it, so
    // with --starttls it is refused.
    job.step("1 greeting");
    let greeting = connection.reply()?;
    let known = greeting.starts_with("* PREAUTH") && !job.starttls;
    if !known && !greeting.starts_with("* OK") {
        return Err(connection.refused(&greeting));
    }

    // ---- 2 STARTTLS ------------------------------------------------------
    let mut session = Session::new(connection);
    if job.starttls {
        job.step("2 STARTTLS");
        session.command("STARTTLS")?;
        session.connection.start_tls()?;
    }

    // ---- 3 LOGIN ---------------------------------------------------------
    // Two strings in quotes. What cannot be quoted is sent as a literal: its
    // length {4}, then, after the server's "+", the bytes.
    if !known {
        job.step("3 LOGIN");
        let login = login(&mut session.connection)?;
        session.login(&login.user, &login.password)?;
    }

    match mailbox {
        None => {
            // ---- 5 LIST --------------------------------------------------
            // "*": at any depth (RFC 9051, 6.3.9).
            job.step("5 LIST");
            list(&mut session, "LIST \"\" \"*\"", &mut out)?;
        }
        Some(name) => {
            // ---- 4 SELECT ------------------------------------------------
            // Opens the mailbox for the commands that follow. EXAMINE would
            // do it for reading only; fetch changes nothing.   (viva 12)
            job.step("4 SELECT");
            session.command(&format!("SELECT {}", quote(&encode(&name))))?;

            // ---- 6 FETCH -------------------------------------------------
            // By UID, which never changes. The number before FETCH in the
            // reply is only the message's place today. PEEK: the message is
            // not marked as read.                              (viva 12)
            job.step("6 FETCH");
            match uid {
                None => list(&mut session, ALL, &mut out)?,
                Some(uid) => message(&mut session, uid, &mut out)?,
            }
        }
    }
    out.finish()?;

    // ---- 7 LOGOUT --------------------------------------------------------
    job.step("7 LOGOUT");
    let _ = session.logout();
    session.connection.close();
    Ok(())
}

/// One message. Other lines may come before and after it.
fn message(
    session: &mut Session<'_>,
    uid: u32,
    out: &mut Output,
) -> Result<()> {
    let tag = session.send(&format!("UID FETCH {uid} (BODY.PEEK[])"))?;
    let mut messages = 0;
    for _ in 0..MOST_LINES {
        let Some(response) = session.next(&tag, Some(out))? else {
            return match messages {
                0 => Err(Error::other(format!("no message has the UID {uid}"))),
                1 => Ok(()),
                _ => Err(Error::other(format!("two have the UID {uid}"))),
            };
        };
        messages += u32::from(response.is_message);
        let its = number(&response.text, "UID ").unwrap_or(uid.into());
        if response.is_message && its != u64::from(uid) {
            let what = format!("a message with the UID {its} came instead");
            return Err(session.connection.refused(&what));
        }
    }
    Err(session.connection.refused("over 1000 lines, and no end"))
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
