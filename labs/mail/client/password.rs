//! Where the password comes from: a file, the environment, or a prompt that
//! does not show it. Never the command line: `ps -ef` shows that to every
//! user of the machine, and the shell keeps it in its history.  (viva 17)
//!
//! ```text
//! --password-file FILE     a file that only you can read (chmod 600)
//! MAIL_PASSWORD=…          the environment: visible to your own and
//!                          root's programs (/proc/PID/environ)
//! neither                  a prompt on the terminal, /dev/tty, because
//!                          stdin is the message
//! ```
//!
//! Limit: `TRACE=1` prints what is sent, so on a connection in the clear it
//! prints the log-in as everybody on the way sees it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr,
    tcsetattr,
};
use socketlab::{args, warn};

/// Bytes of a password; Microsoft's tokens have about 2,500.
const LONGEST: usize = 16 * 1024;

/// The variable's name.
pub const VARIABLE: &str = "MAIL_PASSWORD";

/// The password for `user`, checked. What is wrong is a usage error.
pub fn find(user: &str, file: Option<&Path>) -> String {
    let found = match (file, std::env::var_os(VARIABLE)) {
        (Some(file), _) => from_file(file),
        (None, Some(value)) => {
            value.into_string().map_err(|_| format!("{VARIABLE} is not UTF-8"))
        }
        (None, None) => from_terminal(user),
    };
    let checked = found.and_then(|secret| match () {
        () if secret.is_empty() => Err("an empty password".to_string()),
        () if secret.len() > LONGEST => {
            Err(format!("a password of more than {LONGEST} bytes"))
        }
        () if secret.chars().any(char::is_control) => {
            Err("a control character in the password".to_string())
        }
        () => Ok(secret),
    });
    checked.unwrap_or_else(|problem| args::usage(&problem))
}

/// The first line of a file.
fn from_file(path: &Path) -> Result<String, String> {
    let fail = |error: io::Error| format!("{}: {error}", path.display());
    let about = fs::metadata(path).map_err(fail)?;
    if about.is_file() && about.mode() & 0o077 != 0 {
        let path = path.display();
        warn!("warning: others may read {path}: chmod 600 {path}");
    }
    let mut text = String::new();
    let file = File::open(path).map_err(fail)?;
    file.take(LONGEST as u64 + 2).read_to_string(&mut text).map_err(fail)?;
    Ok(text.lines().next().unwrap_or_default().to_string())
}

/// A prompt on the terminal, whatever stdin is.
fn from_terminal(user: &str) -> Result<String, String> {
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut tty = tty.map_err(|_| {
        format!(
            "there is no terminal to ask for {user}'s password: set \
             {VARIABLE}, or give --password-file FILE"
        )
    })?;
    let fail = |error: io::Error| format!("/dev/tty: {error}");
    let before = tcgetattr(&tty).map_err(|error| fail(error.into()))?;
    let hidden = Hidden { tty: tty.try_clone().map_err(fail)?, before };
    hidden.begin().map_err(fail)?;
    write!(tty, "password of {user} (not shown): ").map_err(fail)?;
    let line = read_keys(&mut tty).map_err(fail);
    let _ = writeln!(tty);
    drop(hidden);
    match line? {
        Some(bytes) => {
            String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_string())
        }
        None => Err("no password was given".to_string()),
    }
}

/// A terminal that shows nothing of what is typed. Ctrl-C is a byte then,
/// and no signal: a program killed here would leave the terminal silent.
struct Hidden {
    tty: File,
    before: Termios,
}

impl Hidden {
    fn begin(&self) -> io::Result<()> {
        let mut silent = self.before.clone();
        silent.local_modes &=
            !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        Ok(tcsetattr(&self.tty, OptionalActions::Flush, &silent)?)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.tty, OptionalActions::Flush, &self.before);
    }
}

/// The keys up to Enter. `None`: Ctrl-C, Ctrl-D, or the terminal is gone.
fn read_keys(tty: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut key = [0];
    while line.len() <= LONGEST {
        if tty.read(&mut key)? == 0 {
            return Ok(None);
        }
        match key {
            [b'\r' | b'\n'] => return Ok(Some(line)),
            [3 | 4] => return Ok(None),
            [8 | 127] => {
                // A letter may be several bytes.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            [21] => line.clear(), // Ctrl-U
            [byte] => line.push(byte),
        }
    }
    Ok(Some(line))
}
