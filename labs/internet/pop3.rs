//! POP3: one mailbox, its messages by number. RFC 1939; STLS is RFC 2595.
//! `pop3://user@host/` lists the messages, `pop3://user@host/3` is one.
//!
//! ```text
//! fetch                          server
//!   |<------ 1 +OK ready ----------|
//!   |------- 2 STLS -------------->|   with --starttls; then TLS
//!   |------- 3 USER, PASS -------->|
//!   |------- 4 STAT -------------->|   +OK 2 320: messages, bytes
//!   |------- 5 LIST -------------->|   lines, until a single dot
//!   |------- 6 LIST 3, RETR 3 ---->|   the message, until a single dot
//!   |------- 7 QUIT -------------->|   now the server would delete
//! ```
//!
//! Every reply begins with +OK or -ERR.                            [T-M]

use socketlab::{Result, args, warn};

use crate::connection::Connection;
use crate::job::Job;
use crate::login::{Login, login};
use crate::output::Output;

/// Lists a mailbox, or fetches a message of it.
pub fn fetch(job: &Job) -> Result<()> {
    let number = number(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;
    connection.only_crlf();

    // ---- 1 greeting ------------------------------------------------------
    // The server speaks first (RFC 1939, 4).                     (viva 1)
    job.step("1 greeting");
    expect_ok(&mut connection)?;

    // ---- 2 STLS ----------------------------------------------------------
    // TLS begins with the next byte, otherwise the dialogue ends. An attacker
    // on the path could refuse TLS in the server's name, and must not get the
    // password (RFC 2595, 4). (try 3)
    if job.starttls {
        job.step("2 STLS");
        ask(&mut connection, "STLS")?;
        connection.start_tls()?;
    }

    // ---- 3 USER ----------------------------------------------------------
    // Two commands; the password is sent in clear (7), so TLS is needed.
    job.step("3 USER");
    let Login { user, password } = login(&mut connection)?;
    ask(&mut connection, &format!("USER {user}"))?;
    connection.send_masked(&format!("PASS {password}"), "PASS ****")?;
    expect_ok(&mut connection)?;

    // ---- 4 STAT ----------------------------------------------------------
    // How many messages, and how many bytes (5).
    job.step("4 STAT");
    ask(&mut connection, "STAT")?;
    match number {
        None => {
            // ---- 5 LIST --------------------------------------------------
            // `number size`, a line each. The numbers are valid only in this
            // session.
            job.step("5 LIST");
            ask(&mut connection, "LIST")?;
            connection.dotted(|line| out.write(&[line, b"\n"].concat()))?;
        }
        Some(number) => {
            // ---- 6 RETR --------------------------------------------------
            // The size from LIST is for the progress bar; the dot marks the
            // end. Lines keep their CR LF; stuffed dots are removed. (viva 5)
            job.step("6 RETR");
            let size = size_of(&mut connection, number)?;
            connection.send(&format!("RETR {number}"))?;
            reply_to_retr(&mut connection)?;
            out.announce(size);
            connection.dotted(|line| out.write(&[line, b"\r\n"].concat()))?;
            if let Some(size) = size.filter(|&size| size > out.count()) {
                let count = out.count();
                warn!("(LIST said {size} bytes, and {count} have come)");
            }
        }
    }

    // ---- 7 QUIT ----------------------------------------------------------
    // Any reply is accepted, but it must be a reply and not the rest of the
    // message. Nothing was deleted (DELE). (viva 8)
    job.step("7 QUIT");
    connection.quit(is_reply)?;
    out.finish()?;
    connection.close();
    Ok(())
}

/// How many bytes a message has, for the progress bar. A server that refuses
/// LIST, or replies oddly, may still have the message.
fn size_of(
    connection: &mut Connection<'_>,
    number: u32,
) -> Result<Option<u64>> {
    connection.send(&format!("LIST {number}"))?;
    let reply = connection.reply()?;
    if !is_reply(&reply) {
        return Err(connection.refused(&reply));
    }
    let mut words = reply.split(' ').skip(1);
    let same = words.next() == Some(&number.to_string());
    let size = words.next().and_then(|size| size.parse().ok());
    Ok(size.filter(|_| same))
}

/// The reply to RETR, which must be +OK. Some servers reply to `LIST 3` with
/// the complete list, whose lines are skipped here.
fn reply_to_retr(connection: &mut Connection<'_>) -> Result<()> {
    let mut reply = connection.reply()?;
    let number = |word: &str| word.parse::<u64>().is_ok();
    while reply == "." || reply.split(' ').take(2).all(number) {
        reply = connection.next_reply_line()?;
    }
    match is_ok(&reply) {
        true => Ok(()),
        false => Err(connection.refused(&reply)),
    }
}

/// Sends a command whose reply must be +OK, and returns the reply.
fn ask(connection: &mut Connection<'_>, command: &str) -> Result<String> {
    connection.send(command)?;
    expect_ok(connection)
}

fn expect_ok(connection: &mut Connection<'_>) -> Result<String> {
    let reply = connection.reply()?;
    match is_ok(&reply) {
        true => Ok(reply),
        false => Err(connection.refused(&reply)),
    }
}

fn is_ok(reply: &str) -> bool {
    reply == "+OK" || reply.starts_with("+OK ")
}

fn is_reply(reply: &str) -> bool {
    is_ok(reply) || reply == "-ERR" || reply.starts_with("-ERR ")
}

/// The message's number in the path, if there is one.
fn number(job: &Job) -> Option<u32> {
    let means = "pop3://USER@HOST/ lists, pop3://USER@HOST/3 is message 3";
    let path = job.path(means);
    match path.parse() {
        Ok(number @ 1..) => Some(number),
        _ if path.is_empty() => None,
        _ => args::usage(&format!("'{path}' is not a number: {means}")),
    }
}
