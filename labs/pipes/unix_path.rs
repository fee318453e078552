//! The name of a Unix-domain socket: a path, which is also a file, and which
//! a server must neither lose nor steal.
//!
//!     bind() says      what is there           what happens
//!     0                nothing was             a socket file, mode 600
//!     EADDRINUSE       a socket, connect() OK  somebody's server: left alone
//!     EADDRINUSE       a socket, EPROTOTYPE    somebody's, for datagrams
//!     EADDRINUSE       a socket, ECONNREFUSED  stale: removed, bind() again
//!     EADDRINUSE       any other file          left alone
//!
//! A path of more than 107 bytes does not fit into struct sockaddr_un.

use std::fs;
use std::io::ErrorKind::{AddrInUse, ConnectionRefused, PermissionDenied};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::process::umask;
use socket2::{Domain, SockAddr, Socket, Type};
use socketlab::net::step;
use socketlab::{Error, Result, say, warn};

use crate::kind;
use crate::peer::Peer;

/// The path when the command line gives none.
pub const DEFAULT: &str = "/tmp/socketlab.sock";

/// sun_path has 108 bytes on Linux, the last one a NUL (elsewhere 104).
const LONGEST: usize = 107;

/// connect() has found a living socket, which is not for a stream.
const OTHER_TYPE: i32 = Errno::PROTOTYPE.raw_os_error();

/// How often and how long to try for the folder's lock.
const LOCK_TRIES: usize = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The path as a socket address.
pub fn address(call: &'static str, path: &Path) -> Result<SockAddr> {
    let length = path.as_os_str().as_bytes().len();
    if length == 0 {
        return Err(Error::other(format!(
            "{call}(): the path is empty; give one, such as {DEFAULT}"
        )));
    }
    if length > LONGEST {
        return Err(Error::other(format!(
            "{call}(): a socket's path has 1 to {LONGEST} bytes, because \
             sun_path in struct sockaddr_un has room for no more; this one \
             has {length}. Go to its folder (cd), and give the name alone"
        )));
    }
    SockAddr::unix(path)
        .map_err(|error| Error::new(call, path.display(), error))
}

/// The file that bind() made.
pub struct SocketFile {
    path: PathBuf,
    id: (u64, u64), // device and inode: to know it again at the end
    lock: Option<OwnedFd>,
}

/// `bind()`, and what has to be settled around it. `mode` are the file's
/// permissions: who may write to it may connect.                (viva 15)
pub fn bind(listener: &Socket, path: &Path, mode: u32) -> Result<SocketFile> {
    let address = address("bind", path)?;
    // Between our bind() and our listen() a second server would find a
    // socket file that refuses, and take it for a stale one. So who binds
    // holds the folder's lock until it listens.
    let lock = lock_folder(path);
    // The file gets 777 less the umask; chmod() afterwards would be too late
    // for somebody who connects in between.
    let old = umask(Mode::from_raw_mode(0o777 & !mode));
    let attempt = || {
        step("bind", Some(listener), path.display(), || listener.bind(&address))
    };
    let mut bound = attempt();
    if let Err(error) = &bound
        && error.kind() == AddrInUse
    {
        bound = match make_room(path, lock.is_some()) {
            Ok(()) => attempt(),
            Err(error) => Err(error),
        };
    }
    umask(old);
    if let Err(error) = bound {
        return Err(no_permission(error));
    }
    let id = identity(path)?;
    Ok(SocketFile { path: path.to_path_buf(), id, lock })
}

impl SocketFile {
    /// To be called after listen(): the lock is not needed any more.
    pub fn listening(&mut self) {
        self.lock = None;
    }

    /// `unlink()`, if the file is still the one that we made.
    pub fn remove(&self) {
        let shown = self.path.display();
        match identity(&self.path) {
            Ok(id) if id == self.id => {
                let done = step("unlink", None, shown, || {
                    Ok(rustix::fs::unlink(&self.path)?)
                });
                match done {
                    Ok(()) => say!("unlink({}): removed", self.path.display()),
                    Err(error) => warn!("{error}"),
                }
            }
            _ => warn!("{shown} is not ours any more; it stays as it is"),
        }
    }
}

/// The usual hint for bind() and EACCES speaks of ports.
fn no_permission(error: Error) -> Error {
    match (error.call(), error.kind()) {
        ("bind", PermissionDenied) => Error::other(format!(
            "{}. You may make no file in that folder: /tmp will do",
            kind::without_hint(&error)
        )),
        _ => error,
    }
}

/// Removes a stale socket, and only that.
fn make_room(path: &Path, locked: bool) -> Result<()> {
    let refuse = |text: String| {
        let shown = path.display();
        Err(Error::other(format!(
            "bind({shown}): Address already in use (EADDRINUSE). {text}"
        )))
    };
    let kind = fs::symlink_metadata(path)
        .map_err(|error| Error::new("lstat", path.display(), error))?
        .file_type();
    if !kind.is_socket() {
        return refuse(format!(
            "The path is {}, not a socket, and is never removed: give \
             another path",
            kind::name(kind)
        ));
    }
    match probe(path) {
        Err(error) if error.kind() == ConnectionRefused => {
            if !locked {
                return refuse(
                    "Nobody answers there, but another program is busy with \
                     that folder: try again"
                        .into(),
                );
            }
            let shown = path.display();
            let stale = format!(
                "{shown}: stale, nobody listens there (connect: ECONNREFUSED)"
            );
            step("unlink", None, shown, || Ok(rustix::fs::unlink(path)?))
                .map_err(|error| Error::other(format!("{stale}; {error}")))?;
            warn!("{stale}; removed");
            Ok(())
        }
        Ok(owner) => refuse(format!(
            "A program listens there{owner}: stop that one, or give another \
             path"
        )),
        Err(error) if error.errno() == Some(OTHER_TYPE) => refuse(
            "A program has a socket of another type there (datagrams): stop \
             that one, or give another path"
                .into(),
        ),
        Err(error) => refuse(format!(
            "Is it in use? That cannot be found out, so it stays: {}",
            kind::without_hint(&error)
        )),
    }
}

/// `connect()`, to see whether anybody listens. Says who, if that is known.
fn probe(path: &Path) -> Result<String> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)
        .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
        .map_err(|error| Error::new("socket", "AF_UNIX", error))?;
    let address = address("connect", path)?;
    let connected = step("connect", Some(&socket), path.display(), || {
        socket.connect(&address)
    });
    match connected {
        Ok(()) => Ok(Peer::of(&socket)
            .map(|peer| format!(" ({peer})"))
            .unwrap_or_default()),
        // Its queue is full, so it is there.
        Err(error) if error.is_timeout() => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// An exclusive lock on the folder of `path`, for a moment. `None`: it cannot
/// be had; then nothing is removed.
fn lock_folder(path: &Path) -> Option<OwnedFd> {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return None,
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty()).ok()?;
    for _ in 0..LOCK_TRIES {
        let wanted = FlockOperation::NonBlockingLockExclusive;
        if flock(&folder, wanted).is_ok() {
            return Some(folder);
        }
        thread::sleep(LOCK_PAUSE);
    }
    None
}

fn identity(path: &Path) -> Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)
        .map_err(|error| Error::new("lstat", path.display(), error))?;
    Ok((found.dev(), found.ino()))
}
