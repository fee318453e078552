//! How the echo reaches stdout: byte for byte into a file or a pipe, and
//! for a person with everything escaped that a terminal would obey. The
//! server decides what comes back, and it need not be what was typed.

use std::io::{self, IsTerminal};

use socketlab::console;

/// Where bytes of the server go.
pub struct Screen {
    is_terminal: bool,
    begun: Vec<u8>, // a character whose other bytes have not arrived
}

impl Screen {
    pub fn new() -> Screen {
        let is_terminal = io::stdout().is_terminal();
        Screen { is_terminal, begun: Vec::new() }
    }

    /// Prints what one recv() brought.
    pub fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.is_terminal {
            return console::print_bytes(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let whole = self.begun.len() - unfinished(&self.begun);
        let rest = self.begun.split_off(whole);
        let text = std::mem::replace(&mut self.begun, rest);
        console::print_bytes(escape_lines(&text).as_bytes())
    }

    /// No more will come, not even for a character that has begun.
    pub fn end(&mut self) {
        let _ = console::print_bytes(escape_lines(&self.begun).as_bytes());
        self.begun.clear();
    }
}

/// Length of the character at the end whose last bytes are missing: 0 to 3.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.utf8_chunks().last().map_or(&[][..], |c| c.invalid());
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail.len(),
        _ => 0,
    }
}

/// [`console::escape`], except that line ends remain line ends.
fn escape_lines(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                shown.push_str(&console::escape(line));
                shown.push('\n');
            }
            None => shown.push_str(&console::escape(line)),
        }
    }
    shown
}
