//! Where the result is written. To a terminal: as text, with control characters
//! escaped. Into a pipe: the bytes unchanged. With `-o FILE`: into FILE.part,
//! which is renamed after all has arrived, so that FILE is always complete.

use std::io::{self, IsTerminal};
use std::path::Path;

use http::download::{Destination, Download};
use socketlab::{Error, Result, console, warn};

/// Receives the result.
pub struct Output {
    target: Target,
    count: u64, // bytes so far
}

enum Target {
    Terminal(Screen),
    Pipe,
    File(Download),
}

impl Output {
    /// Into this file, or to stdout. If the file cannot be written, this fails
    /// before the client connects.
    pub fn open(name: Option<&Path>) -> Result<Output> {
        let target = match name {
            None if io::stdout().is_terminal() => {
                Target::Terminal(Screen::default())
            }
            None => Target::Pipe,
            Some(name) => {
                let to = Destination::new(name.to_path_buf())?;
                Target::File(to.begin(0, None)?)
            }
        };
        Ok(Output { target, count: 0 })
    }

    /// Sets how many bytes will come, if known, for the progress bar of a file
    /// on a terminal.
    pub fn announce(&mut self, size: Option<u64>) {
        if let Target::File(download) = &mut self.target {
            download.announce(size);
        }
    }

    /// Some bytes of the result.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.count += bytes.len() as u64;
        match &mut self.target {
            Target::Terminal(screen) => {
                let text = screen.show(bytes);
                to_stdout(text.as_bytes())
            }
            Target::Pipe => to_stdout(bytes),
            Target::File(download) => download.write(bytes),
        }
    }

    /// How many bytes have arrived.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Everything has arrived. An output that is dropped before this leaves no
    /// file.
    pub fn finish(self) -> Result<()> {
        match self.target {
            Target::Terminal(mut screen) => to_stdout(screen.end().as_bytes()),
            Target::Pipe => Ok(()),
            Target::File(download) => {
                let saved = download.finish()?;
                warn!("{saved}");
                Ok(())
            }
        }
    }
}

/// Bytes of a peer as text for a terminal, in pieces as they arrive.
#[derive(Default)]
struct Screen {
    tail: Vec<u8>, // the beginning of a character, or a CR before its LF
    open: bool,    // the last line has no newline yet
}

impl Screen {
    fn show(&mut self, bytes: &[u8]) -> String {
        self.tail.extend_from_slice(bytes);
        let end = match std::str::from_utf8(&self.tail) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ if self.tail.ends_with(b"\r") => self.tail.len() - 1,
            _ => self.tail.len(),
        };
        let rest = self.tail.split_off(end);
        let complete = std::mem::replace(&mut self.tail, rest);
        self.open = complete.last().map_or(self.open, |&byte| byte != b'\n');
        printable(&complete)
    }

    /// The rest, with a newline, so that the next output begins a line.
    fn end(&mut self) -> String {
        let open = self.open || !self.tail.is_empty();
        let rest = printable(&std::mem::take(&mut self.tail));
        if open { rest + "\n" } else { rest }
    }
}

/// Newlines and tabs stay; all other control characters are escaped.
fn printable(bytes: &[u8]) -> String {
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let last = lines.pop().unwrap_or_default();
    let tabs = |line: &[u8]| {
        let parts: Vec<String> =
            line.split(|&byte| byte == b'\t').map(console::escape).collect();
        parts.join("\t")
    };
    let complete = lines.iter().map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        tabs(line) + "\n"
    });
    complete.collect::<String>() + &tabs(last)
}

/// Ends the program quietly when the reader has closed (`fetch … | head`).
fn to_stdout(bytes: &[u8]) -> Result<()> {
    match console::print_bytes(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            std::process::exit(0)
        }
        done => done.map_err(|error| Error::new("write", "stdout", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;

    #[test]
    fn a_screen_shows_text_in_pieces_and_ends_its_last_line() {
        let shown = |pieces: &[&[u8]]| {
            let mut screen = Screen::default();
            let text = pieces.iter().map(|piece| screen.show(piece));
            text.collect::<String>() + &screen.end()
        };
        assert_eq!(
            shown(&[b"caf\xc3", b"\xa9\r", b"\nx\r\n"]),
            "caf\u{e9}\nx\n"
        );
        assert_eq!(shown(&[b"Yes."]), "Yes.\n");
        assert_eq!(shown(&[b"Yes.\r"]), "Yes.\\r\n");
        assert_eq!(shown(&[b"caf\xc3"]), "caf\\xc3\n");
        assert_eq!(shown(&[b"a\n", b""]), "a\n");
        assert_eq!(shown(&[]), "");
    }
}
