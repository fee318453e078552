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

use crate::dialogue::Dialogue;
use crate::job::Job;
use crate::login::login;
use crate::output::Output;

/// Lists groups or articles, or fetches an article.
pub fn fetch(job: &Job) -> Result<()> {
    let (group, article) = path(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut talk = Dialogue::open(job)?;
    talk.only_crlf();

    // ---- 1 greeting ------------------------------------------------------
    // 200: one may post here; 201: one may only read (RFC 3977, 5.1).
    job.step("1 greeting");
    expect(&mut talk, &[200, 201])?;

    // ---- 2 STARTTLS ------------------------------------------------------
    if job.starttls {
        job.step("2 STARTTLS");
        ask(&mut talk, "STARTTLS", &[382])?;
        talk = talk.start_tls()?;
    }

    // ---- 3 AUTHINFO ------------------------------------------------------
    // Most servers let everybody read. 281 after USER: no password needed.
    if job.url.user.is_some() {
        job.step("3 AUTHINFO");
        let login = login(&mut talk)?;
        let user = format!("AUTHINFO USER {}", login.user);
        if ask(&mut talk, &user, &[381, 281])?.starts_with("381") {
            let pass = format!("AUTHINFO PASS {}", login.password);
            talk.send_as("AUTHINFO PASS ****", &pass)?;
            expect(&mut talk, &[281])?;
        }
    }
    match (group.as_str(), article.as_str()) {
        ("", "") => {
            // ---- 4 LIST --------------------------------------------------
            // `name last first status` (7.6.3), printed as they come.
            job.step("4 LIST");
            ask(&mut talk, "LIST", &[215])?;
            talk.dotted(|line| out.write(&[line, b"\n"].concat()))?;
        }
        ("", id) => one(&mut talk, &mut out, &format!("<{id}>"))?,
        (group, number) => {
            // ---- 5 GROUP -------------------------------------------------
            // Numbers are this server's and this group's; the Message-ID in
            // an article is the same everywhere.               (viva 9)
            job.step("5 GROUP");
            let reply = ask(&mut talk, &format!("GROUP {group}"), &[211])?;
            match number {
                "" => over(&mut talk, &mut out, &reply)?,
                number => one(&mut talk, &mut out, number)?,
            }
        }
    }
    out.finish()?;

    // ---- 8 QUIT ----------------------------------------------------------
    job.step("8 QUIT");
    let _ = talk.send("QUIT").and_then(|()| talk.reply());
    talk.close();
    Ok(())
}

/// An article, by its number in the group or by its Message-ID.
fn one(talk: &mut Dialogue<'_>, out: &mut Output, which: &str) -> Result<()> {
    // ---- 6 ARTICLE -------------------------------------------------------
    talk.job.step("6 ARTICLE");
    ask(talk, &format!("ARTICLE {which}"), &[220])?;
    talk.dotted(|line| out.write(&[line, b"\r\n"].concat()))
}

/// The articles of a group; `reply` is GROUP's: 211 count first last name.
fn over(talk: &mut Dialogue<'_>, out: &mut Output, reply: &str) -> Result<()> {
    let numbers = reply.split(' ').take(4).flat_map(str::parse::<u64>);
    let (first, last) = match numbers.collect::<Vec<_>>()[..] {
        [_, 0, ..] => return Ok(()), // an empty group
        [_, _, first, last] => (first, last),
        _ => return Err(talk.refused(reply)),
    };

    // ---- 7 OVER ----------------------------------------------------------
    // number, subject, from, date, …, with tabs (8.3). Old servers know it
    // as XOVER, and say so with 500. 423, 420: there is none.
    talk.job.step("7 OVER");
    let over = format!("OVER {first}-{last}");
    let mut reply = ask(talk, &over, &[224, 423, 420, 500, 501, 503])?;
    if code(&reply) >= 500 {
        reply = ask(talk, &format!("X{over}"), &[224, 423, 420])?;
    }
    if code(&reply) == 224 {
        talk.dotted(|line| {
            let fields: Vec<_> = line.split(|&b| b == b'\t').take(3).collect();
            out.write(&[&fields.join(&b'\t'), &b"\n"[..]].concat())
        })?;
    }
    Ok(())
}

fn ask(talk: &mut Dialogue<'_>, command: &str, good: &[u32]) -> Result<String> {
    talk.send(command)?;
    expect(talk, good)
}

fn expect(talk: &mut Dialogue<'_>, good: &[u32]) -> Result<String> {
    let reply = talk.reply()?;
    match good.contains(&code(&reply)) {
        true => Ok(reply),
        false => Err(talk.refused(&reply)),
    }
}

fn code(reply: &str) -> u32 {
    reply.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// Group and article of the path; a word with @ is a Message-ID.
fn path(job: &Job) -> (String, String) {
    let means = "nntp://HOST/GROUP/NUMBER";
    let path = crate::job::path_of(job, means);
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
