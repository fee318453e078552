//! The table of task 3: {client ID, number of messages}. Handout D (Durham).
//! server.rs checks it for every message. [D-T3.1]
//!
//! ```text
//! # client ID, number of messages        a file of such lines
//! alice 3
//! bob   5
//! ```
//!
//! Each row also counts the messages of its ID. The count belongs to the ID,
//! not to a connection, so a new connection does not reset it, and two
//! connections share it. A restart of the server resets it, because the counts
//! are in memory. (viva 9)
//!
//! One lock guards the table. A hub thread is not needed, because a row is
//! checked and counted in well under a microsecond, without a wait for a peer.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use parking_lot::Mutex;
use socketlab::{Error, Result, console};

/// Longest client ID in bytes.
const LONGEST_ID: usize = 64;

/// Largest file: enough for tens of thousands of rows. /dev/zero is refused.
const LARGEST: u64 = 1 << 20; // bytes

/// The handout suggests a 2-D array, searched row by row. A map is the same
/// table with the search built in.
pub struct Quota(Mutex<BTreeMap<String, Row>>);

struct Row {
    allowed: u64,
    sent: u64,
}

/// The table's result for one more message.
#[derive(Debug, PartialEq, Eq)]
pub enum QuotaReply {
    /// Without a table the number of messages is not limited.
    Free,
    /// Counted.
    Accepted {
        /// Messages that this ID may still send.
        left: u64,
    },
    /// Not counted, because the quota is used up.
    Stop {
        /// Messages in the ID's row of the table.
        allowed: u64,
    },
    /// The ID is not in the table.
    Unknown,
}

/// The server's answer to the message, as the client gets it. [D-T3.3]
impl fmt::Display for QuotaReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QuotaReply::Free => write!(f, "OK"),
            QuotaReply::Accepted { left } => write!(f, "OK {left} left"),
            QuotaReply::Stop { allowed } => {
                let all = format!("{allowed} of {allowed}");
                write!(f, "STOP sending: your quota is used up ({all})")
            }
            QuotaReply::Unknown => {
                write!(f, "UNKNOWN you are not in the table")
            }
        }
    }
}

/// The ID in a client's first line: `ID alice`, or bare `alice` as the
/// handout's students send it. A bare word is read as an ID even if it was
/// meant as a message; the table then does not contain it. An error says why
/// the line is not an ID. [D-T3.2]
pub fn id_in(line: &[u8]) -> std::result::Result<&str, &'static str> {
    const NOT_TEXT: &str = "an ID is plain printable text";
    let marked = line.strip_prefix(b"ID ");
    let word = marked.unwrap_or(line).trim_ascii();
    if word.is_empty() || (marked.is_none() && word == b"ID") {
        return Err("your ID is empty: send ID <id>");
    }
    if word.contains(&b' ') || word.contains(&b'\t') {
        return Err(match marked {
            Some(_) => "an ID has no spaces",
            None => "your ID comes first: send ID <id>",
        });
    }
    if word.len() > LONGEST_ID {
        return Err("your ID is longer than 64 bytes");
    }
    let text = str::from_utf8(word).map_err(|_| NOT_TEXT)?;
    let odd = |c: char| c.is_whitespace() || console::is_deceptive(c);
    if text.contains(odd) { Err(NOT_TEXT) } else { Ok(text) }
}

impl Quota {
    /// Reads the table. An error names the file and the line.
    pub fn read(file: &Path) -> Result<Quota> {
        let name = file.display();
        let fail = |error| Error::new("open", &name, error);
        let open = File::open(file).map_err(fail)?;
        if open.metadata().map_err(fail)?.is_dir() {
            return Err(Error::other(format!(
                "{name} is a directory, not a file"
            )));
        }
        let mut text = Vec::new();
        open.take(LARGEST).read_to_end(&mut text).map_err(fail)?;
        if text.len() as u64 == LARGEST {
            return Err(Error::other(format!("{name}: larger than 1 MiB")));
        }
        Quota::parse(&text).map_err(|(line, problem)| {
            Error::other(format!("{name}:{line}: {problem}"))
        })
    }

    fn parse(text: &[u8]) -> std::result::Result<Quota, (usize, String)> {
        // Some editors on Windows begin a file with a byte order mark.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut rows = BTreeMap::new();
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let fail = |problem: String| Err((index + 1, problem));
            let Ok(line) = str::from_utf8(line) else {
                return fail("not UTF-8: save the file as UTF-8 text".into());
            };
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            let &[id, number] = words.as_slice() else {
                if words.is_empty() {
                    continue;
                }
                return fail("want two words: ID NUMBER".into());
            };
            if let Err(problem) = id_in(format!("ID {id}").as_bytes()) {
                return fail(problem.to_string());
            }
            // `alice, 3`: no client would call itself `alice,`.
            let mark = |c: char| ",;:=|'\"".contains(c);
            if id.starts_with(mark) || id.ends_with(mark) {
                return fail(format!(
                    "the ID is {id}? Want ID NUMBER, with a space between them"
                ));
            }
            let Ok(allowed) = number.parse() else {
                let shown = console::escape(number.as_bytes());
                return fail(format!("'{shown}' is not a number of messages"));
            };
            if rows.insert(id.into(), Row { allowed, sent: 0 }).is_some() {
                return fail(format!("'{id}' has a row already"));
            }
        }
        if rows.is_empty() {
            return Err((1, "no rows: nobody could send anything".into()));
        }
        Ok(Quota(Mutex::new(rows)))
    }

    /// How many messages this ID may still send; `None`: not in the table.
    pub fn left(&self, id: &str) -> Option<u64> {
        let rows = self.0.lock();
        rows.get(id).map(|row| row.allowed.saturating_sub(row.sent))
    }

    /// Does this line begin with an ID of the table, with more after it? Then
    /// two messages without newlines may have arrived as one: `alicehello`.
    pub fn has_run_together(&self, line: &[u8]) -> bool {
        let word = line.strip_prefix(b"ID ").unwrap_or(line);
        let rows = self.0.lock();
        rows.keys()
            .any(|id| word.len() > id.len() && word.starts_with(id.as_bytes()))
    }

    /// Checks one message against the table and counts it, as ONE step under
    /// the lock. With two separate lock operations, two threads of one ID could
    /// both see that one message is left, and both use it. [D-T3.3] (viva 2)
    /// (viva 10) (try 8)
    pub fn spend(&self, id: &str) -> QuotaReply {
        let mut rows = self.0.lock();
        match rows.get_mut(id) {
            None => QuotaReply::Unknown,
            Some(row) if row.sent >= row.allowed => {
                QuotaReply::Stop { allowed: row.allowed }
            }
            Some(row) => {
                row.sent += 1;
                QuotaReply::Accepted { left: row.allowed - row.sent }
            }
        }
    }

    /// The table as it is now, for people.                       [D-T3.1]
    pub fn table(&self) -> String {
        let rows = self.0.lock();
        let widest = rows.keys().map(|id| id.chars().count()).max();
        let width = widest.unwrap_or(0).max("client ID".len());
        let mut table = format!("{:width$}  allowed  sent  left", "client ID");
        for (id, row) in rows.iter() {
            let Row { allowed, sent } = row;
            let left = allowed.saturating_sub(*sent);
            let _ = write!(
                table,
                "\n{id:width$}  {allowed:>7}  {sent:>4}  {left:>4}"
            );
        }
        table
    }
}
