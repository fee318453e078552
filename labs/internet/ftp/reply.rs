//! FTP's replies: three digits and a text, in one line or several.
//!
//! ```text
//! 220-small FTP server          "-": more lines follow
//!  anything
//! 220 ready                     the same digits and a blank: the last one
//! ```

use socketlab::Result;

use crate::connection::Connection;

/// Sends a command that must get a reply of this kind.
pub fn ask(
    connection: &mut Connection<'_>,
    command: &str,
    kind: u32,
) -> Result<String> {
    connection.send(command)?;
    expect(connection, kind)
}

/// Requires a reply of this kind: 1 begins, 2 done, 3 more is needed, 4 failed
/// for now, 5 failed permanently.
pub fn expect(connection: &mut Connection<'_>, kind: u32) -> Result<String> {
    let (code, text) = reply(connection)?;
    match code / 100 == kind {
        true => Ok(text),
        false => Err(connection.refused(&text)),
    }
}

/// How many bytes a file has. Old servers do not know SIZE.
pub fn size_of(
    connection: &mut Connection<'_>,
    path: &str,
) -> Result<Option<u64>> {
    connection.send(&format!("SIZE {path}"))?;
    let (code, text) = reply(connection)?;
    let size = text.get(4..).and_then(|size| size.trim().parse().ok());
    Ok(size.filter(|_| code == 213))
}

/// The number of a reply, and its last line.
pub fn reply(connection: &mut Connection<'_>) -> Result<(u32, String)> {
    let mut line = connection.reply()?;
    let code = line.get(..3).unwrap_or_default().to_string();
    let number = code.parse().ok().filter(|n| (100..600).contains(n));
    let Some(number) = number else { return Err(connection.refused(&line)) };
    loop {
        let rest = line.strip_prefix(&code);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
            return Ok((number, line));
        }
        line = connection.next_reply_line()?;
    }
}
