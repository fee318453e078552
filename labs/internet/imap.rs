//! IMAP: mailboxes that stay on the server. RFC 9051 (and 3501, which servers
//! use); URLs: RFC 5092. `imap://user@host/` lists the mailboxes,
//! `imap://user@host/INBOX` the messages of one, `…/INBOX/;UID=7` is one.
//!
//! ```text
//! fetch                                server
//!   |<------ 1 * OK ready ----------------|
//!   |------- 2 a1 STARTTLS -------------->|   a1 OK, then TLS
//!   |------- 3 a2 LOGIN "ann" "…" ------->|   a2 OK, or a2 NO
//!   |------- 4 a3 EXAMINE "INBOX" ------->|   * 3 EXISTS, a3 OK
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
pub mod search;
pub mod session;

use socketlab::{Error, Result, args};

use crate::connection::{Connection, MOST_LINES};
use crate::imap::list::{list, number};
use crate::imap::mailbox::encode;
use crate::imap::search::search;
use crate::imap::session::{Session, quote};
use crate::job::Job;
use crate::login::login;
use crate::output::Output;

/// Which messages of a mailbox.
enum Which {
    All,
    Uid(u32),
    Found(String), // by these words of a search
}

/// Lists mailboxes or messages, or fetches a message.
pub fn fetch(job: &Job) -> Result<()> {
    let (mailbox, which) = path(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;
    connection.only_crlf();

    // ---- 1 greeting ------------------------------------------------------
    // OK: log in now. PREAUTH: already logged in. After PREAUTH, STARTTLS is
    // not possible. An attacker on the path may have sent it, so with
    // --starttls it is refused.
    job.step("1 greeting");
    let greeting = connection.reply()?;
    let mut session = Session::new(connection);
    session.note(&greeting);
    let known = greeting.starts_with("* PREAUTH") && !job.starttls;
    if !known && !greeting.starts_with("* OK") {
        return Err(session.connection.refused(&greeting));
    }

    // ---- 2 STARTTLS ------------------------------------------------------
    // The server's capabilities came in clear, perhaps from an attacker. So
    // they are forgotten and requested again when needed. (viva 7)
    if job.starttls {
        job.step("2 STARTTLS");
        session.start_tls()?;
    }

    // ---- 3 LOGIN ---------------------------------------------------------
    // Two strings in quotes. A string that cannot be quoted is sent as a
    // literal: its length {4}, and after the server's "+" the bytes. With
    // LOGINDISABLED the client must not send LOGIN (RFC 9051, 6.2.3).
    if !known {
        job.step("3 LOGIN");
        session.check_login()?;
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
            // ---- 4 EXAMINE -----------------------------------------------
            // Opens the mailbox for the commands that follow, for reading only.
            // SELECT would open it for writing, and new messages would no
            // longer be "recent" for the next program. (viva 12)
            job.step("4 EXAMINE");
            session.command(&format!("EXAMINE {}", quote(&encode(&name))))?;

            // ---- 6 FETCH -------------------------------------------------
            // By UID, which never changes. The number before FETCH in the reply
            // is only the message's current position. PEEK: the message is not
            // marked as read. (viva 12)
            job.step("6 FETCH");
            match which {
                Which::All => messages(&mut session, "1:*", &mut out)?,
                Which::Uid(uid) => message(&mut session, uid, &mut out)?,
                Which::Found(words) => {
                    for some in search(&mut session, &words)? {
                        messages(&mut session, &some, &mut out)?;
                    }
                }
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

/// UID, size and subject of these messages, `7,8` or `1:*`.
fn messages(
    session: &mut Session<'_>,
    uids: &str,
    out: &mut Output,
) -> Result<()> {
    let items = "(RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])";
    list(session, &format!("UID FETCH {uids} {items}"), out)
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
        if response.is_without_text {
            let what = "NIL: the message is there, but not its text";
            return Err(session.connection.refused(what));
        }
        let its = number(&response.text, "UID ").unwrap_or(uid.into());
        if response.is_message && its != u64::from(uid) {
            let what = format!("a message with the UID {its} came instead");
            return Err(session.connection.refused(&what));
        }
    }
    Err(session.connection.refused("over 1000 lines, and no end"))
}

/// Mailbox and messages: `INBOX`, `INBOX/;UID=7`, also `INBOX;UID=7`, and
/// `INBOX?SUBJECT%20lunch`.
fn path(job: &Job) -> (Option<String>, Which) {
    let means = "imap://USER@HOST/MAILBOX/;UID=7";
    let bad = |what: &str| -> ! { args::usage(&format!("{what}: {means}")) };
    let path = job.url.path.strip_prefix('/').unwrap_or(&job.url.path);
    let (path, words) = match path.split_once('?') {
        Some((path, words)) => (path, Some(words)),
        None => (path, None),
    };
    let (name, rest) = path.split_once(';').unwrap_or((path, ""));
    let name = name.strip_suffix('/').unwrap_or(name);
    let name = crate::url::decode(name).unwrap_or_else(|what| bad(&what));
    let words = words.map(|words| {
        let words = crate::url::decode(words).unwrap_or_else(|what| bad(&what));
        match words.is_ascii() && !words.trim().is_empty() {
            true => words,
            false => bad("a search has words of ASCII after its ?"),
        }
    });
    let uid = match rest.split_once('=') {
        None if rest.is_empty() => None,
        Some((word, uid)) if word.eq_ignore_ascii_case("UID") => {
            match uid.parse() {
                Ok(uid @ 1..) => Some(uid),
                _ => bad(&format!("'{uid}' is not a UID")),
            }
        }
        _ => bad(&format!("';{rest}' is not understood")),
    };
    if name.is_empty() && uid.is_some() {
        bad("a UID without a mailbox");
    }
    if name.is_empty() && words.is_some() {
        bad("a search without a mailbox");
    }
    let which = match (uid, words) {
        (None, None) => Which::All,
        (Some(uid), None) => Which::Uid(uid),
        (None, Some(words)) => Which::Found(words),
        (Some(_), Some(_)) => bad("a UID and a search"),
    };
    ((!name.is_empty()).then_some(name), which)
}
