//! NNTP: Usenet news. RFC 3977; STARTTLS is RFC 4642, passwords RFC 4643.
//! `nntp://host/` lists the groups, `nntp://host/comp.test` the articles of
//! one, `nntp://host/comp.test/7` is an article; `nntp://host/7@x.org` too.
//!
//! ```text
//! fetch                             server
//!   |<------ 1 200 ready -------------|
//!   |------- 2 STARTTLS ------------->|   382, with --starttls
//!   |------- 3 AUTHINFO USER, PASS -->|   281, if the URL has a user
//!   |------- 4 LIST ----------------->|   215, then lines until a dot
//!   |------- 5 GROUP comp.test ------>|   211 count first last name
//!   |------- 6 ARTICLE 7 ------------>|   220, head and body until a dot
//!   |------- 7 OVER 1-9 ------------->|   224, a line for each article
//!   |------- 8 QUIT ----------------->|   a reply's number counts [T-M]
//! ```

use socketlab::{Result, args};

use crate::connection::Connection;
use crate::job::Job;
use crate::login::login;
use crate::output::Output;

/// Lists groups or articles, or fetches an article.
pub fn fetch(job: &Job) -> Result<()> {
    let (group, article) = path(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;
    connection.only_crlf();

    // ---- 1 greeting ------------------------------------------------------
    // 200: one may post here; 201: one may only read (RFC 3977, 5.1).
    job.step("1 greeting");
    expect(&mut connection, &[200, 201])?;

    // ---- 2 STARTTLS ------------------------------------------------------
    if job.starttls {
        job.step("2 STARTTLS");
        ask(&mut connection, "STARTTLS", &[382])?;
        connection.start_tls()?;
    }

    // ---- 3 AUTHINFO ------------------------------------------------------
    // Most servers allow everybody to read. 281 after USER: a password is not
    // needed.
    if job.url.user.is_some() {
        job.step("3 AUTHINFO");
        let login = login(&mut connection)?;
        let user = format!("AUTHINFO USER {}", login.user);
        if ask(&mut connection, &user, &[381, 281])?.starts_with("381") {
            let pass = format!("AUTHINFO PASS {}", login.password);
            connection.send_masked(&pass, "AUTHINFO PASS ****")?;
            expect(&mut connection, &[281])?;
        }
    }
    match (group.as_str(), article.as_str()) {
        ("", "") => {
            // ---- 4 LIST --------------------------------------------------
            // `name last first status` (7.6.3), each printed at once.
            job.step("4 LIST");
            ask(&mut connection, "LIST", &[215])?;
            connection.dotted(|line| out.write(&[line, b"\n"].concat()))?;
        }
        ("", id) => one(&mut connection, &mut out, &format!("<{id}>"))?,
        (group, number) => {
            // ---- 5 GROUP -------------------------------------------------
            // A number is valid on this server in this group; a Message-ID is
            // the same everywhere. (viva 9)
            job.step("5 GROUP");
            let reply =
                ask(&mut connection, &format!("GROUP {group}"), &[211])?;
            match number {
                "" => over(&mut connection, &mut out, &reply)?,
                number => one(&mut connection, &mut out, number)?,
            }
        }
    }

    // ---- 8 QUIT ----------------------------------------------------------
    // Its reply has a number, unlike the rest of an article.
    job.step("8 QUIT");
    connection.quit(|reply| (100..600).contains(&code(reply)))?;
    out.finish()?;
    connection.close();
    Ok(())
}

/// An article, by its number in the group or by its Message-ID.
fn one(
    connection: &mut Connection<'_>,
    out: &mut Output,
    which: &str,
) -> Result<()> {
    // ---- 6 ARTICLE -------------------------------------------------------
    connection.job.step("6 ARTICLE");
    ask(connection, &format!("ARTICLE {which}"), &[220])?;
    connection.dotted(|line| out.write(&[line, b"\r\n"].concat()))
}

/// The articles of a group; `reply` is GROUP's: 211 count first last name.
fn over(
    connection: &mut Connection<'_>,
    out: &mut Output,
    reply: &str,
) -> Result<()> {
    let numbers = reply.split(' ').take(4).flat_map(str::parse::<u64>);
    let (first, last) = match numbers.collect::<Vec<_>>()[..] {
        [_, 0, ..] => return Ok(()), // an empty group
        [_, _, first, last] => (first, last),
        _ => return Err(connection.refused(reply)),
    };

    // ---- 7 OVER ----------------------------------------------------------
    // number, subject, from, date, …, with tabs (8.3). Old servers know it
    // as XOVER and reply with 500. 423, 420: no such article.
    connection.job.step("7 OVER");
    let over = format!("OVER {first}-{last}");
    let mut reply = ask(connection, &over, &[224, 423, 420, 500, 501, 503])?;
    if code(&reply) >= 500 {
        reply = ask(connection, &format!("X{over}"), &[224, 423, 420])?;
    }
    if code(&reply) == 224 {
        connection.dotted(|line| {
            let fields: Vec<_> = line.split(|&b| b == b'\t').take(3).collect();
            out.write(&[&fields.join(&b'\t'), &b"\n"[..]].concat())
        })?;
    }
    Ok(())
}

fn ask(
    connection: &mut Connection<'_>,
    command: &str,
    good: &[u32],
) -> Result<String> {
    connection.send(command)?;
    expect(connection, good)
}

fn expect(connection: &mut Connection<'_>, good: &[u32]) -> Result<String> {
    let reply = connection.reply()?;
    match good.contains(&code(&reply)) {
        true => Ok(reply),
        false => Err(connection.refused(&reply)),
    }
}

fn code(reply: &str) -> u32 {
    reply.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// Group and article of the path; a word with @ is a Message-ID.
fn path(job: &Job) -> (String, String) {
    let means = "nntp://HOST/GROUP/NUMBER";
    let path = job.path(means);
    let (group, article) = path.split_once('/').unwrap_or((&path, ""));
    if group.contains('@') {
        return (String::new(), group.trim_matches(['<', '>']).into());
    }
    let bad = !article.is_empty() && article.parse::<u64>().is_err();
    if bad || path.contains(' ') {
        args::usage(&format!("'{path}': it is {means}"));
    }
    (group.into(), article.into())
}
