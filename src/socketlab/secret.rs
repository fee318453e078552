//! Secrets of the user, a password or a key: from the environment, from a
//! file, or typed at a prompt that does not show them. They never come from
//! the command line, because `ps -ef` shows that to every user of the
//! machine, and the shell keeps it in its history.
//!
//! | source               | who can read it                                |
//! | -------------------- | ---------------------------------------------- |
//! | [`from_file`]        | the owner alone, after chmod 600               |
//! | [`from_environment`] | your own and root's programs                   |
//! | [`ask`]              | nobody: it is typed each time                  |
//!
//! The rules for a secret differ between labs, so the labs check it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use parking_lot::Mutex;
use rpassword::ConfigBuilder;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr,
    tcsetattr,
};

use crate::{Error, Result, warn};

/// The terminal of this process, even when stdin is a pipe or a file.
const TERMINAL: &str = "/dev/tty";

/// Longest secret at the prompt, in bytes. Tokens of large mail providers
/// have about 2,500.
const LONGEST: usize = 16 * 1024;

/// Some editors on Windows begin a file with a byte order mark.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The value of an environment variable, or `None` if it is not set. The
/// user's programs and root's can read it in `/proc/PID/environ`.
pub fn from_environment(variable: &str) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStringExt;
    std::env::var_os(variable).map(OsStringExt::into_vec)
}

/// The first line of a file, without its newline. At most `longest + 1` bytes
/// of it are returned, so that the caller sees that a line is too long. If
/// other users may read the file, it prints a warning.
pub fn from_file(path: &Path, longest: usize) -> Result<Vec<u8>> {
    let fail = |error| Error::new("open", path.display(), error);
    let name = path.display();
    let file = File::open(path).map_err(fail)?;
    let about = file.metadata().map_err(fail)?;
    if about.is_dir() {
        return Err(Error::other(format!("{name} is a directory, no file")));
    }
    if about.is_file() && about.permissions().mode() & 0o077 != 0 {
        warn!("warning: others may read {name}: chmod 600 {name}");
    }
    let mut bytes = Vec::new();
    let most = BYTE_ORDER_MARK.len() + longest + "\r\n".len();
    file.take(most as u64).read_to_end(&mut bytes).map_err(fail)?;
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Ok(line.get(..=longest).unwrap_or(line).to_vec())
}

/// The result of a prompt.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// What was typed before Enter.
    Typed(String),
    /// Ctrl-C. The program decides what to do.
    Interrupted,
    /// Ctrl-D, or the terminal was closed.
    End,
    /// This process has no terminal.
    NoTerminal,
}

/// Asks at the terminal and shows nothing of what is typed. Backspace, Ctrl-U
/// and Ctrl-W edit. The terminal shows what is typed again when this returns,
/// and Ctrl-C returns, too: a program that is killed inside a prompt leaves a
/// terminal that shows nothing. An error: the answer is longer than 16 KiB or
/// not UTF-8.
pub fn ask(prompt: &str) -> Result<Answer> {
    let tty = OpenOptions::new().read(true).write(true).open(TERMINAL);
    let Ok(tty) = tty else { return Ok(Answer::NoTerminal) };
    let typed = ask_at(tty, prompt);
    restore_terminal();
    match typed {
        Ok(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
            Err(Error::other("the password is not UTF-8"))
        }
        Ok(text) => Ok(Answer::Typed(text)),
        Err(error) => match error.kind() {
            ErrorKind::Interrupted => Ok(Answer::Interrupted),
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => Ok(Answer::End),
            ErrorKind::InvalidInput => {
                let what = "a password of more than 16384 bytes";
                Err(Error::other(what))
            }
            _ => Err(Error::new("read", TERMINAL, error)),
        },
    }
}

fn ask_at(mut tty: File, prompt: &str) -> io::Result<String> {
    hide_keys(tty.try_clone()?)?;
    tty.write_all(prompt.as_bytes())?;
    let keys = Keys { tty: tty.try_clone()?, count: 0 };
    let config = ConfigBuilder::new().input_reader(keys).output_discard();
    let typed = rpassword::read_password_with_config(config.build());
    let _ = tty.write_all(b"\n"); // Enter was not shown, either
    typed
}

/// The keys one by one, for rpassword, which edits the line. With a terminal it
/// would send SIGINT at Ctrl-C before it restores the terminal, so Ctrl-C
/// becomes an error instead.
struct Keys {
    tty: File,
    count: usize, // bytes so far
}

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            match self.tty.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                count => break count?,
            }
        };
        let keys = buffer.get(..count).unwrap_or_default();
        self.count += count;
        match () {
            () if keys.contains(&CTRL_C) => Err(ErrorKind::Interrupted.into()),
            () if keys.is_empty() => Err(ErrorKind::BrokenPipe.into()),
            () if self.count > LONGEST => Err(ErrorKind::InvalidInput.into()),
            () => Ok(count),
        }
    }
}

const CTRL_C: u8 = 3;

/// The terminal of the prompt that is open now, and how it was before.
static PROMPT: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// From here on the terminal shows nothing of what is typed, and Ctrl-C is a
/// byte instead of a signal. Earlier typed bytes are discarded, because they
/// were shown and cannot be the secret.
fn hide_keys(tty: File) -> io::Result<()> {
    let before = tcgetattr(&tty)?;
    let mut silent = before.clone();
    silent.local_modes &=
        !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VMIN] = 1;
    silent.special_codes[SpecialCodeIndex::VTIME] = 0;
    let mut prompt = PROMPT.lock();
    tcsetattr(&tty, OptionalActions::Flush, &silent)?;
    *prompt = Some((tty, before));
    Ok(())
}

/// If a prompt is open, the terminal shows again what is typed. For a program
/// that a signal ends while it asks.
pub fn restore_terminal() {
    if let Some((tty, before)) = PROMPT.lock().take() {
        let _ = tcsetattr(&tty, OptionalActions::Flush, &before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_secret_is_the_first_line_of_its_file() {
        let name = format!("socketlab-secret-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        for (content, secret) in [
            (&b"sesame\n"[..], &b"sesame"[..]),
            (b"sesame", b"sesame"),
            (b"\xef\xbb\xbfsesame\r\nnot this\n", b"sesame"),
            (b"\nnot this\n", b""),
            (b"longer than eight\n", b"longer th"), // one byte too many
            (b"eight888\r\n", b"eight888"),
            (b"nine99999\n", b"nine99999"),
        ] {
            fs::write(&path, content).expect("written");
            let found = from_file(&path, 8).expect("a secret");
            assert_eq!(found, secret, "{content:?}");
        }
        fs::remove_file(&path).expect("removed");
        assert!(from_file(&path, 8).is_err());
        assert!(from_file(Path::new("/"), 8).is_err());
    }
}
