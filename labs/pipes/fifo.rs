//! A path that must be a FIFO: made if it is not there, examined if it is.
//! No existing file is ever removed or written to by mistake.
//!
//! ```text
//! the path is         what happens
//! free                mkfifo(), mode 600: for this user alone
//! a FIFO              it is used; a warning says whose it is if not ours
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

use crate::name;

/// Permissions of a new FIFO: its owner may read and write.
const OWNER: Permissions = Permissions::S_IRUSR.union(Permissions::S_IWUSR);

/// The path when the command line gives none.
pub const DEFAULT: &str = "/tmp/socketlab.fifo";

/// `mkfifo()`, or a check of the existing file; prints what it did.
pub fn make(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() {
        let text = format!("the path is empty; give one, such as {DEFAULT}");
        return Err(Error::other(text));
    }
    let on = format!("{}, 0600", path.display());
    let result = match step("mkfifo", None, on, || Ok(mkfifo(path, OWNER)?)) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            examine(path)?;
            "it exists, so I use it"
        }
        made => made.map(|()| "made")?,
    };
    say!("mkfifo({}): {result}", path.display());
    Ok(())
}

/// An error unless the existing file is a FIFO.
fn examine(path: &Path) -> Result<()> {
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
            name::kind(found.file_type())
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

/// `open()` of a FIFO, and a check of the opened file, because the name may
/// belong to another file by now. Without O_CREAT, so that open() does not make
/// a regular file if the name is gone. `limit` is for flags with which open()
/// waits for the other end.
pub fn open(
    path: &Path,
    flags: OFlags,
    limit: Option<Duration>,
) -> Result<OwnedFd> {
    let end = match limit {
        None => open_now(path, flags)?,
        Some(limit) => open_within(path, flags, limit)?,
    };
    let found = rustix::fs::fstat(&end)
        .map_err(|e| Error::new("fstat", path.display(), e.into()))?;
    if FileType::from_raw_mode(found.st_mode) != FileType::Fifo {
        let text = format!("{} is not a FIFO any more", path.display());
        return Err(Error::other(text));
    }
    Ok(end)
}

fn open_now(path: &Path, flags: OFlags) -> Result<OwnedFd> {
    step("open", None, arguments(path, flags), || {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOCTTY;
        Ok(rustix::fs::open(path, flags, Mode::empty())?)
    })
}

/// open() has no deadline; it returns when another process opens the other end.
/// So a thread calls it while this one watches the time.
fn open_within(path: &Path, flags: OFlags, limit: Duration) -> Result<OwnedFd> {
    let (done, opened) = bounded(1);
    let name = path.to_path_buf();
    thread::Builder::new()
        .name("open".into())
        .spawn(move || {
            let _ = done.send(open_now(&name, flags));
        })
        .map_err(|error| Error::new("spawn", "open", error))?;
    opened.recv_timeout(limit).unwrap_or_else(|_| {
        let text =
            format!("timed out: no other process opened it in {limit:?}");
        Err(Error::timed_out("open", arguments(path, flags), text))
    })
}

/// The arguments of open() as C spells them: `/tmp/x.fifo, O_WRONLY`.
fn arguments(path: &Path, flags: OFlags) -> String {
    let access = match flags & OFlags::RWMODE {
        OFlags::RDWR => "O_RDWR",
        OFlags::WRONLY => "O_WRONLY",
        _ => "O_RDONLY",
    };
    let no_wait = match flags.contains(OFlags::NONBLOCK) {
        true => " | O_NONBLOCK",
        false => "",
    };
    format!("{}, {access}{no_wait}", path.display())
}
