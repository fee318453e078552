//! NNTP: Usenet news. RFC 3977; STARTTLS is RFC 4642, passwords RFC 4643.
//! `nntp://host/` lists the groups, `nntp://host/comp.test` the articles of
//! one, `nntp://host/comp.test/7` is an article; `nntp://host/7@x.org` too.
//!
//!     fetch                             server
//!       |<------ 1 200 ready -------------|
//!       |------- 2 STARTTLS ------------->|   382, with --starttls
//!       |------- 3 AUTHINFO USER, PASS -->|   281, if the URL has a user
//!       |------- 4 LIST ----------------->|   215, then lines until a dot
//!       |------- 5 GROUP comp.test ------>|   211 count first last name
//!       |------- 6 OVER 1-9 ------------->|   224, a line for each article
//!       |------- 7 ARTICLE 7 ------------>|   220, head and body until a dot
//!       |------- 8 QUIT ----------------->|
//!
//! A reply is a number and a text; only the number counts.         [T-M]

use socketlab::{Result, args, console};

use crate::Job;
use crate::dialogue::Dialogue;
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
    let greeting = talk.reply()?;
    if !matches!(code(&greeting), 200 | 201) {
        return Err(talk.refused(&greeting));
    }

    // ---- 2 STARTTLS ------------------------------------------------------
    if job.starttls {
        ask(&mut talk, "STARTTLS", &[382])?;
        talk = talk.start_tls()?;
        talk.only_crlf();
    }

    // ---- 3 AUTHINFO ------------------------------------------------------
    // Most servers let everybody read. 281 after USER: no password needed.
    if job.url.user.is_some() {
        let login = login(&mut talk)?;
        let user = format!("AUTHINFO USER {}", login.user);
        if ask(&mut talk, &user, &[381, 281])?.starts_with("381") {
            let pass = format!("AUTHINFO PASS {}", login.password);
            talk.send_as("AUTHINFO PASS ****", &pass)?;
            expect(&mut talk, &[281])?;
        }
    }
    let mut text = |line: &[u8]| out.write(&[line, b"\r\n"].concat());
    match (group.as_str(), article.as_str()) {
        ("", "") => {
            // ---- 4 LIST --------------------------------------------------
            // `name last first status` (7.6.3). Tens of thousands, at some
            // servers: printed as they come, never gathered.
            ask(&mut talk, "LIST", &[215])?;
            talk.dotted(|line| out.write(&[line, b"\n"].concat()))?;
        }
        ("", id) => {
            ask(&mut talk, &format!("ARTICLE <{id}>"), &[220])?;
            talk.dotted(text)?;
        }
        (group, article) => {
            // ---- 5 GROUP -------------------------------------------------
            // Numbers are this server's and this group's; the Message-ID in
            // an article is the same everywhere.              (viva 9)
            let reply = ask(&mut talk, &format!("GROUP {group}"), &[211])?;
            let numbers: Vec<u64> =
                reply.split(' ').filter_map(|n| n.parse().ok()).collect();
            match (article, numbers.as_slice()) {
                ("", [_, count, first, last, ..]) if *count > 0 => {
                    // ---- 6 OVER ------------------------------------------
                    // number, subject, from, date, …, with tabs (8.3). Old
                    // servers know it as XOVER: 500 says so.
                    let range = format!("{first}-{last}");
                    let over = format!("OVER {range}");
                    let known = [224, 423, 420, 500, 501, 503];
                    let mut reply = ask(&mut talk, &over, &known)?;
                    if code(&reply) >= 500 {
                        let over = format!("XOVER {range}");
                        reply = ask(&mut talk, &over, &[224, 423, 420])?;
                    }
                    if code(&reply) == 224 {
                        talk.dotted(|line| out.write(&headline(line)))?;
                    }
                }
                ("", _) => {} // an empty group
                (number, _) => {
                    // ---- 7 ARTICLE ---------------------------------------
                    ask(&mut talk, &format!("ARTICLE {number}"), &[220])?;
                    talk.dotted(&mut text)?;
                }
            }
        }
    }
    out.finish()?;

    // ---- 8 QUIT ----------------------------------------------------------
    if talk.send("QUIT").is_ok() {
        let _ = talk.reply();
    }
    talk.close();
    Ok(())
}

/// `7  Subject  <from>` of a line of the overview.
fn headline(line: &[u8]) -> Vec<u8> {
    let mut fields = line.split(|&byte| byte == b'\t').take(3);
    let mut field = || fields.next().unwrap_or_default();
    let number = console::escape(field());
    [format!("{number:>7}  ").as_bytes(), field(), b"  ", field(), b"\n"]
        .concat()
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
    let path = crate::path_of(job, means);
    let (group, article) = path.split_once('/').unwrap_or((&path, ""));
    let good = article.is_empty() || article.parse::<u64>().is_ok();
    match group.contains('@') && article.is_empty() {
        true => (String::new(), group.trim_matches(['<', '>']).to_string()),
        false if good && !path.contains(' ') => {
            (group.to_string(), article.to_string())
        }
        false => args::usage(&format!("'{path}': it is {means}")),
    }
}
