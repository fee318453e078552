//! Gopher: menus and files, before the web. RFC 1436; URLs: RFC 4266.
//! `gopher://host/` is the first menu; `gopher://host/0/about.txt` a text:
//! the character after the host says which kind of document it is.
//!
//! ```text
//! fetch                        server
//!   |--- 1 selector CR LF ------->|   the request is this one line
//!   |<-- 2 bytes -----------------|   until FIN
//!   |<-- 3 or a menu: lines ------|   type, name, selector, host, port
//!   |<-- 4 or a text: lines ------|   until a single dot, or FIN
//! ```
//!
//! HTTP began like this, and later added a head to its responses. Gopher does
//! not announce the length or the kind of a reply. (viva 10) [T-M]

use socketlab::{Error, Result, args, warn};

use crate::connection::Connection;
use crate::job::Job;
use crate::output::Output;

/// Fetches a menu, a text or a file.
pub fn fetch(job: &Job) -> Result<()> {
    let path = job.url.path.trim_start_matches('/');
    let kind = path.chars().next().unwrap_or('1');
    let selector = path.get(kind.len_utf8()..).unwrap_or_default();
    // A tab separates a selector from words to search for. It is the only
    // control character that is allowed here.
    let parts = selector.split("%09").map(crate::url::decode);
    let parts = parts.collect::<std::result::Result<Vec<String>, String>>();
    let parts = parts.unwrap_or_else(|what| args::usage(&what));
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;

    // ---- 1 selector ------------------------------------------------------
    // The client speaks first. An empty selector asks for the first menu
    // (RFC 1436, 2).
    job.step("1 selector");
    connection.send(&parts.join("\t"))?;
    out.announce(None);
    match kind {
        '1' | '7' => menu(&mut connection, &mut out)?,
        '0' => text(&mut connection, &mut out)?,
        _ => {
            // ---- 2 bytes -------------------------------------------------
            // Until FIN. The kernel also sends FIN if the server crashes, so
            // half a picture looks like a complete one. (viva 10)
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

/// Prints a menu as a list, with a URL for each entry.
fn menu(connection: &mut Connection<'_>, out: &mut Output) -> Result<()> {
    // ---- 3 menu ----------------------------------------------------------
    // `0About<TAB>/about.txt<TAB>host<TAB>70`, a line each, until a dot.
    // `3` is an error (3.8). `i` is a line to read; servers send it although
    // no RFC has it.
    connection.job.step("3 menu");
    let mut seen = 0;
    let dot = lines(connection, |line| {
        seen += 1;
        let text = String::from_utf8_lossy(line);
        let Some((first, place)) = text.split_once('\t') else {
            // Not a line of a menu, so perhaps the server's error message.
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

/// Prints a text, line by line.
fn text(connection: &mut Connection<'_>, out: &mut Output) -> Result<()> {
    // ---- 4 text ----------------------------------------------------------
    // CR LF becomes the newline of this system. The RFC's appendix demands
    // the dot at the end, but many servers leave it out.
    connection.job.step("4 text");
    if !lines(connection, |line| out.write(&[line, b"\n"].concat()))? {
        warn!("(no dot at the end: it may not be all)");
    }
    Ok(())
}

/// Lines until a single dot (true) or until FIN (false). After the dot the
/// server closes. If more bytes come, the dot was a line of the text that the
/// server did not double.
fn lines(
    connection: &mut Connection<'_>,
    mut each: impl FnMut(&[u8]) -> Result<()>,
) -> Result<bool> {
    while let Some(line) = connection.line_or_end()? {
        match line.strip_prefix(b".") {
            Some([]) => {
                connection.expect_end()?;
                return Ok(true);
            }
            Some(rest) if rest.starts_with(b".") => each(rest)?,
            _ => each(&line)?,
        }
    }
    Ok(false)
}
