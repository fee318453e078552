//! The file that bind() makes of a Unix-domain socket's path, which a server
//! must neither lose nor steal.
//!
//! ```text
//! bind() says      what is there           what happens
//! 0                nothing was             a socket file, mode 600
//! EADDRINUSE       a socket, connect() OK  somebody's server: left alone
//! EADDRINUSE       a socket, EPROTOTYPE    somebody's, for datagrams
//! EADDRINUSE       a socket, ECONNREFUSED  stale: removed, bind() again
//! EADDRINUSE       any other file          left alone
//! ```

use std::fs;
use std::io::ErrorKind::{AddrInUse, ConnectionRefused, PermissionDenied};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, RawMode, flock};
use rustix::io::Errno;
use rustix::process::umask;
use socket2::{Domain, Socket, Type};
use socketlab::net::step;
use socketlab::{Error, Result, warn};

use crate::own_name::OwnName;
use crate::peer::Peer;
use crate::{kind, unix_path};

/// connect() has found a living socket, which is not for a stream.
const OTHER_TYPE: i32 = Errno::PROTOTYPE.raw_os_error();

/// How often and how long to try for the folder's lock.
const LOCK_TRIES: usize = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The file that bind() made.
pub struct SocketFile {
    name: OwnName,
    lock: Option<OwnedFd>,
}

/// `bind()`, and what has to be settled around it. `mode` are the file's
/// permissions: who may write to it may connect.                (viva 15)
pub fn bind(
    listener: &Socket,
    path: &Path,
    mode: RawMode,
) -> Result<SocketFile> {
    let address = unix_path::address("bind", path)?;
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
    Ok(SocketFile { name: OwnName::of(path)?, lock })
}

impl SocketFile {
    /// To be called after listen(): the lock is not needed any more.
    pub fn listening(&mut self) {
        self.lock = None;
    }

    /// `unlink()`, if the file is still the one that we made.
    pub fn remove(&self) {
        self.name.remove();
    }
}

/// The usual hint for bind() and EACCES speaks of ports.
fn no_permission(error: Error) -> Error {
    match (error.call(), error.kind()) {
        ("bind", PermissionDenied) => Error::other(format!(
            "{}. You may make no file in that folder: /tmp will do",
            unix_path::without_hint(&error)
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
            unix_path::without_hint(&error)
        )),
    }
}

/// `connect()`, to see whether anybody listens. Says who, if that is known.
fn probe(path: &Path) -> Result<String> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)
        .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
        .map_err(|error| Error::new("socket", "AF_UNIX", error))?;
    let address = unix_path::address("connect", path)?;
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
