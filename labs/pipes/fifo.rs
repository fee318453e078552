//! A name that must be a FIFO: made if it is not there, looked at if it is.
//! Nothing that exists is ever deleted or written to by mistake.
//!
//! ```text
//! the name is         what happens
//! free                mkfifo(), mode 600: for this user alone
//! a FIFO              it is used, and a note says whose if not ours
//! anything else       refused, untouched
//! ```

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;
use nix::sys::stat::Mode as Permissions;
use nix::unistd::mkfifo;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::process::geteuid;
use socketlab::net::step;
use socketlab::{Error, Result, say, warn};

use crate::kind;

/// Who may open a new FIFO: its owner, to read and to write.
const OWNER: Permissions = Permissions::S_IRUSR.union(Permissions::S_IWUSR);

/// The name when the command line gives none.
pub const DEFAULT: &str = "/tmp/socketlab.fifo";

/// Makes sure that the name is a FIFO, and says what it did.
pub fn make(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() {
        let text = format!("the path is empty; give one, such as {DEFAULT}");
        return Err(Error::other(text));
    }
    let on = format!("{}, 0600", path.display());
    let made = step("mkfifo", None, on, || Ok(mkfifo(path, OWNER)?));
    match made {
        Ok(()) => {
            say!("mkfifo({}): made", path.display());
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            look(path)?;
            say!("mkfifo({}): it exists, so I use it", path.display());
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// What an existing name is; only a FIFO is all right.
fn look(path: &Path) -> Result<()> {
    let shown = path.display();
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(_) if path.is_symlink() => {
            let text = format!("{shown} is a symbolic link to nothing");
            return Err(Error::other(text));
        }
        Err(error) => return Err(Error::new("stat", shown, error)),
    };
    if !found.file_type().is_fifo() {
        return Err(Error::other(format!(
            "{shown} exists and is {}, not a FIFO. It stays as it is: give \
             another path, or remove it yourself",
            kind::name(found.file_type())
        )));
    }
    if found.uid() != geteuid().as_raw() {
        warn!(
            "warning: {shown} belongs to user {}, who can read and write \
             it, too, and can take it away",
            found.uid()
        );
    }
    Ok(())
}

/// `open()` of a FIFO, and a look at what was opened: between [`make`] and
/// now the name may have come to mean something else. Without O_CREAT: if the
/// name is gone, a write must not make a regular file of it. `shown`: the
/// flags as C spells them. `limit`: for flags with which open() waits.
pub fn open(
    path: &Path,
    flags: OFlags,
    shown: &'static str,
    limit: Option<Duration>,
) -> Result<OwnedFd> {
    let end = match limit {
        None => open_now(path, flags, shown)?,
        Some(limit) => open_within(path, flags, shown, limit)?,
    };
    let found = rustix::fs::fstat(&end)
        .map_err(|e| Error::new("fstat", path.display(), e.into()))?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Fifo {
        return Err(Error::other(format!(
            "{} is not a FIFO any more",
            path.display()
        )));
    }
    Ok(end)
}

fn open_now(path: &Path, flags: OFlags, shown: &str) -> Result<OwnedFd> {
    step("open", None, format!("{}, {shown}", path.display()), || {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
        Ok(rustix::fs::open(path, flags, Mode::empty())?)
    })
}

/// open() has no deadline: it returns when somebody opens the other end, so
/// a thread calls it while we look at the clock.
fn open_within(
    path: &Path,
    flags: OFlags,
    shown: &'static str,
    limit: Duration,
) -> Result<OwnedFd> {
    let (done, opened) = bounded(1);
    let name = path.to_path_buf();
    thread::Builder::new()
        .name("open".into())
        .spawn(move || {
            let _ = done.send(open_now(&name, flags, shown));
        })
        .map_err(|error| Error::new("spawn", "open", error))?;
    opened.recv_timeout(limit).unwrap_or_else(|_| {
        let on = format!("{}, {shown}", path.display());
        let text = format!("timed out: nobody came within {limit:?}");
        Err(Error::timed_out("open", on, text))
    })
}
