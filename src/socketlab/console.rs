//! Printing. `println!` panics when no program reads stdout any more (`server |
//! head -1`), so these programs print with [`say!`](crate::say), which ignores
//! that error.
//!
//! Limit: a console that is open but stuck (Ctrl-S, `| sleep 1000`) blocks
//! each thread that prints on it, as in every program. Signals still end the
//! program.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::{self, Program};

/// Prints a line on stdout and flushes it; a closed stdout is ignored. One
/// write per line, so that lines of different threads never mix.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {
        $crate::console::print_line(format_args!($($text)*))
    };
}

/// Prints a line on stderr; a closed stderr is ignored.
#[macro_export]
macro_rules! warn {
    ($($text:tt)*) => {
        $crate::console::print_warning(format_args!($($text)*))
    };
}

/// The function of [`say!`](crate::say).
pub fn print_line(text: Arguments<'_>) {
    if let Err(error) = print_bytes(format!("{text}\n").as_bytes()) {
        CLOSED.store(true, Ordering::Relaxed);
        complain(&error);
    }
}

/// A closed stdout is not an error of ours. A full disk is one: it ends a
/// program whose output is its work, because the user must learn that the
/// file is not complete. A server reports it once and keeps running.
fn complain(error: &io::Error) {
    static SAID: AtomicBool = AtomicBool::new(false);
    let full = matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::FileTooLarge
    );
    if !full {
        return;
    }
    let number = error.raw_os_error().unwrap_or_default();
    let error = io::Error::from_raw_os_error(number);
    let error = crate::Error::new("write", "stdout", error);
    let text = format!("Error: what I print cannot be stored: {error}");
    if !program::current().is_some_and(Program::serves) {
        program::fail(&text);
    }
    if !SAID.swap(true, Ordering::Relaxed) {
        crate::warn!("{text}");
    }
}

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Has a line failed to reach stdout because nobody reads it any more? A server
/// keeps running; a client that only prints may end.
pub fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// Prints the last line of a program, without waiting for a stuck console.
pub fn last_line(line: &'static str) {
    let (done, printed) = crossbeam_channel::bounded(1);
    let print = move || {
        print_line(format_args!("{line}"));
        let _ = done.send(());
    };
    match thread::Builder::new().spawn(print) {
        Ok(_) => drop(printed.recv_timeout(Duration::from_millis(1500))),
        Err(_) => print_line(format_args!("{line}")), // no thread left
    }
}

/// The result of output: a closed stdout is ignored, any other error is
/// returned.
pub fn unless_closed(printed: io::Result<()>) -> crate::Result<()> {
    match printed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(crate::Error::new("write", "stdout", error))
        }
        _ => Ok(()),
    }
}

/// The function of [`warn!`](crate::warn).
pub fn print_warning(text: Arguments<'_>) {
    let line = format!("{text}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Writes raw bytes to stdout, exactly, and flushes. An error means that
/// nobody reads our output any more.
pub fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// Prints a prompt without a newline, as Python's `input(text)` does.
pub fn prompt(text: &str) {
    let _ = print_bytes(text.as_bytes());
}

/// Prints a prompt only for a person; not if stdin is a pipe or file.
pub fn prompt_person(text: &str) {
    if io::stdin().is_terminal() {
        prompt(text);
    }
}

/// Reads a line from stdin without its newline; `None` at end of input. Bytes,
/// not text: what the user types may be in any encoding.
pub fn read_stdin_line() -> crate::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let count =
        io::BufRead::read_until(&mut io::stdin().lock(), b'\n', &mut line)
            .map_err(|error| crate::Error::new("read", "stdin", error))?;
    if count == 0 {
        if io::stdin().is_terminal() {
            print_line(format_args!("")); // Ctrl-D prints no newline
        }
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(Some(line))
}

/// Makes bytes of a peer safe to print: printable UTF-8 stays, control
/// characters (a terminal would obey them), direction marks (they reorder
/// what is read) and invalid UTF-8 are written as escapes.
///
/// `escape(b"hi\x1b[2J\xff")` gives `hi\x1b[2J\xff`, on one line. A backslash
/// is unchanged, and so are the invisible joiners of Persian, Hindi and emoji;
/// the result of [`escape_exactly`] can be converted back.
pub fn escape(bytes: &[u8]) -> String {
    escape_all(bytes, false)
}

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';

fn escape_all(bytes: &[u8], exactly: bool) -> String {
    // Nearly all text is plain ASCII, for which one check is much faster.
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                JOINER | NON_JOINER if !exactly => shown.push(character),
                '\n' => shown.push_str("\\n"),
                '\r' => shown.push_str("\\r"),
                '\t' => shown.push_str("\\t"),
                c if c.is_ascii_control() => {
                    shown.push_str(&format!("\\x{:02x}", c as u32));
                }
                c if is_deceptive(c) => {
                    shown.push_str(&format!("\\u{{{:x}}}", c as u32));
                }
                c => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}

/// Like [`escape`], with backslashes doubled and joiners escaped: no two byte
/// strings look alike.
pub fn escape_exactly(bytes: &[u8]) -> String {
    let parts = bytes.split(|&byte| byte == b'\\');
    let parts: Vec<String> = parts.map(|part| escape_all(part, true)).collect();
    parts.join("\\\\")
}

/// Like [`escape`], but for at most about `limit` bytes of input, with a note
/// of the rest, so that a peer cannot fill a log.
pub fn escape_short(bytes: &[u8], limit: usize) -> String {
    if bytes.len() <= limit {
        return escape(bytes);
    }
    let shown = escape(bytes.get(..limit).unwrap_or_default());
    format!("{shown}… ({} bytes)", bytes.len())
}

/// A message as a console prints it: [`escape`]d, and complete up to 4 KiB.
/// Of a longer one it prints 4 KiB, then how many bytes more there were.
pub fn message(bytes: &[u8]) -> String {
    const MOST: usize = 4096;
    if bytes.len() <= MOST {
        return escape(bytes);
    }
    // Not in the middle of a UTF-8 character, which has 4 bytes at most.
    let begins = |at: &usize| bytes.get(*at).is_some_and(|b| b >> 6 != 0b10);
    let end = (MOST - 3..=MOST).rev().find(begins).unwrap_or(MOST);
    let shown = escape(bytes.get(..end).unwrap_or_default());
    format!("{shown}… and {} bytes more", bytes.len() - end)
}

/// Characters that change how a terminal shows the rest of the line: C1
/// controls, line separators, direction marks and overrides.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An address as Python prints it: `('127.0.0.1', 48437)`, which is what the
/// handouts' screens show.
pub fn python_address(address: SocketAddr) -> String {
    format!("('{}', {})", address.ip(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_cannot_drive_the_terminal() {
        assert_eq!(escape(b"hi\x1b[2J\xff\r\n"), "hi\\x1b[2J\\xff\\r\\n");
        assert_eq!(escape("é ß".as_bytes()), "é ß");
        assert_eq!(escape("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert_eq!(escape("\u{9b}2J".as_bytes()), "\\u{9b}2J");
        assert_eq!(escape("a\u{200b}".as_bytes()), "a\\u{200b}");
        assert_eq!(escape("👩\u{200d}👧".as_bytes()), "👩\u{200d}👧");
        assert_eq!(escape_exactly("\u{200d}".as_bytes()), "\\u{200d}");
        assert_eq!(escape(b"\\o/"), "\\o/");
        assert_eq!(escape_exactly(b"\\x1b\x1b"), "\\\\x1b\\x1b");
    }

    #[test]
    fn a_peer_cannot_fill_a_log() {
        assert_eq!(escape_short(b"abcdef", 3), "abc… (6 bytes)");
        assert_eq!(escape_short(b"abc", 3), "abc");
    }

    #[test]
    fn a_message_is_complete_up_to_4_kib() {
        assert_eq!(message(&[b'x'; 4096]), "x".repeat(4096));
        let text = format!("{}é, and more", "x".repeat(4095));
        let shown = format!("{}… and 12 bytes more", "x".repeat(4095));
        assert_eq!(message(text.as_bytes()), shown);
        assert!(message(&[0x80; 5000]).ends_with("\\x80… and 904 bytes more"));
        assert_eq!(message(b"\x1b[2J"), "\\x1b[2J");
    }

    #[test]
    fn an_address_looks_like_the_handouts_screen() {
        let address = SocketAddr::from(([127, 0, 0, 1], 48437));
        assert_eq!(python_address(address), "('127.0.0.1', 48437)");
    }
}
