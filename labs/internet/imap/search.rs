//! SEARCH: the server searches a mailbox and sends numbers. The words after the
//! `?` of a URL are sent unchanged (RFC 9051, 6.4.4):
//!
//! ```text
//! C: a3 UID SEARCH SUBJECT lunch
//! S: * SEARCH 7 8
//! S: a3 OK
//! ```
//!
//! So the client need not fetch all messages in order to search them, as with
//! POP3. [T-M2]

use socketlab::Result;

use crate::connection::MOST_LINES;
use crate::imap::session::Session;

/// One command names this many messages at most, because servers limit the
/// length of a line, too.
const AT_ONCE: usize = 200;

/// The most messages of a search.
const MOST_FOUND: usize = 100_000;

/// The UIDs of what is found, in sets for UID FETCH: `7,8`.
pub fn search(session: &mut Session<'_>, words: &str) -> Result<Vec<String>> {
    let tag = session.send(&format!("UID SEARCH {words}"))?;
    let mut found: Vec<u32> = Vec::new();
    let mut lines = 0;
    while let Some(response) = session.next(&tag, None)? {
        lines += 1;
        if let Some(uids) = numbers(&response.text) {
            found.extend(uids);
        }
        if lines > MOST_LINES || found.len() > MOST_FOUND {
            let what = "a search that finds over 100000, or has no end";
            return Err(session.connection.refused(what));
        }
    }
    let sets = found.chunks(AT_ONCE).map(|set| {
        let set: Vec<String> = set.iter().map(u32::to_string).collect();
        set.join(",")
    });
    Ok(sets.collect())
}

/// The numbers of `* SEARCH 7 8`; an empty list if nothing was found.
fn numbers(line: &str) -> Option<impl Iterator<Item = u32>> {
    let (begin, rest) = line.split_at_checked(8)?;
    let ours = begin.eq_ignore_ascii_case("* SEARCH")
        && (rest.is_empty() || rest.starts_with(' '));
    ours.then(|| rest.split(' ').flat_map(str::parse))
}
