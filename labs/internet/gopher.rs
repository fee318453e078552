//! Gopher: menus and files, before the web. RFC 1436; URLs: RFC 4266.
//! `gopher://host/` is the first menu; `gopher://host/0/about.txt` a text:
//! the character behind the host tells what kind of thing it is.
//!
//! ```text
//! fetch                        server
//!   |--- 1 selector CR LF ------->|   one line is the whole request
//!   |<-- 2 bytes -----------------|   until FIN
//!   |<-- 3 or a menu: lines ------|   type, name, selector, host, port
//!   |<-- 4 or a text: lines ------|   until a single dot, or FIN
//! ```
//!
//! HTTP began as this, and then gave its answers a head: here nothing says
//! how long an answer is, and what kind of thing it is.    (viva 10) [T-M]

use socketlab::{Error, Result, args, warn};

use crate::connection::Connection;
use crate::job::Job;
use crate::output::Output;

/// Fetches a menu, a text or a file.
pub fn fetch(job: &Job) -> Result<()> {
    let path = job.url.path.trim_start_matches('/');
    let kind = path.chars().next().unwrap_or('1');
    let selector = path.get(kind.len_utf8()..).unwrap_or_default();
    // A tab stands between a selector and words to search for; it is the one
    // control character that belongs here.
    let parts = selector.split("%09").map(crate::url::decode);
    let parts = parts.collect::<std::result::Result<Vec<String>, String>>();
    let parts = parts.unwrap_or_else(|what| args::usage(&what));
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;

    // ---- 1 selector ------------------------------------------------------
    // We speak first. An empty one asks for the first menu (RFC 1436, 2).
    job.step("1 selector");
    connection.send(&parts.join("\t"))?;
    out.announce(None);
    match kind {
        '1' | '7' => menu(&mut connection, &mut out)?,
        '0' => text(&mut connection, &mut out)?,
        _ => {
            // ---- 2 bytes -------------------------------------------------
            // Until FIN. A server that dies sends FIN as well: nobody can
            // tell half a picture from a whole one.             (viva 10)
            job.step("2 bytes");
            loop {
                let bytes = connection.bytes(64 * 1024)?;
                if bytes.is_empty() {
                    break;
                }
                out.write(&bytes)?;
            }
            if out.count() == 0 {
                let what = "the server closed without a byte";
                return Err(Error::other(what));
            }
        }
    }
    out.finish()?;
    connection.close();
    Ok(())
}

/// Prints a menu as a list, with a URL for each thing in it.
fn menu(connection: &mut Connection<'_>, out: &mut Output) -> Result<()> {
    // ---- 3 menu ----------------------------------------------------------
    // `0About<TAB>/about.txt<TAB>host<TAB>70`, a line each, until a dot.
    // `3` is an error (3.8); `i`, a line to read, is habit, in no RFC.
    connection.job.step("3 menu");
    let mut seen = 0;
    let dot = lines(connection, |line| {
        seen += 1;
        let text = String::from_utf8_lossy(line);
        let Some((first, place)) = text.split_once('\t') else {
            // No menu's line; a server that only says what is wrong.
            return out.write(&[b"     ", line, b"\n"].concat());
        };
        let kind = first.chars().next().unwrap_or('i');
        let name = first.get(kind.len_utf8()..).unwrap_or_default();
        let mut fields = place.split('\t').map(|f| f.replace('%', "%25"));
        let mut field = || fields.next().unwrap_or_default();
        let selector = field().replace(' ', "%20");
        let (host, port) = (field(), field());
        let line = match kind {
            'i' => format!("     {name}\n"),
            '3' => format!("[3]  {name} (an error)\n"),
            _ => format!(
                "[{kind}]  {name}  gopher://{host}:{port}/{kind}{selector}\n"
            ),
        };
        out.write(line.as_bytes())
    })?;
    if seen == 0 && !dot {
        let what = "the server closed without a word: no such selector?";
        return Err(Error::other(what));
    }
    Ok(())
}

fn text(connection: &mut Connection<'_>, out: &mut Output) -> Result<()> {
    // ---- 4 text ----------------------------------------------------------
    // Lines become lines of this system. The dot at the end is the rule
    // (its appendix), and many servers break it.
    connection.job.step("4 text");
    if !lines(connection, |line| out.write(&[line, b"\n"].concat()))? {
        warn!("(no dot at the end: it may not be all)");
    }
    Ok(())
}

/// Lines until a single dot: true; or until FIN: false.
fn lines(
    connection: &mut Connection<'_>,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<bool> {
    while let Some(line) = connection.line_or_end()? {
        match line.strip_prefix(b".") {
            Some([]) => return Ok(true),
            Some(rest) if rest.starts_with(b".") => each(rest)?,
            _ => each(&line)?,
        }
    }
    Ok(false)
}
