//! A Unix-domain socket's address is a path. bind() makes a file with this
//! path, which a server must not take from another server. The kernel reports
//! which process is at the other end.
//!
//! ```text
//! struct sockaddr_un    family (2)   sun_path (108)
//!                       AF_UNIX      /tmp/socketlab.sock \0 ...
//!
//! bind() says      what is there           what happens
//! 0                nothing was             a socket file, mode 600
//! EADDRINUSE       a socket, connect() OK  another server's: left alone
//! EADDRINUSE       a socket, EPROTOTYPE    another's, for datagrams
//! EADDRINUSE       a socket, ECONNREFUSED  stale: removed, bind() again
//! EADDRINUSE       any other file          left alone
//! ```

use std::fmt;
use std::fs::{self, File};
use std::io::ErrorKind::{AddrInUse, ConnectionRefused, PermissionDenied};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use nix::sys::socket::{getsockopt, sockopt};
use rustix::fs::{Mode, RawMode};
use rustix::io::Errno;
use rustix::process::umask;
use socket2::{Domain, SockAddr, Socket, Type};
use socketlab::net::step;
use socketlab::{Error, Result, warn};

use crate::name::{self, OwnName};

/// The path when the command line gives none.
pub const DEFAULT: &str = "/tmp/socketlab.sock";

/// sun_path has 108 bytes on Linux, the last one a NUL (elsewhere 104).
const LONGEST: usize = 107;

/// connect() has found a living socket, which is not for a stream.
const OTHER_TYPE: i32 = Errno::PROTOTYPE.raw_os_error();

/// How often and how long to try for the folder's lock.
const LOCK_TRIES: usize = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The path as a socket address, for `call`: bind or connect.
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

/// An error without its hint: those for connect() and bind() speak of hosts
/// and ports, and here the address is a path.
pub fn without_hint(error: &Error) -> String {
    let text = error.to_string();
    text.split(". ").next().unwrap_or_default().to_string()
}

/// `bind()`, and what has to be settled around it. `mode` are the file's
/// permissions: a process that may write to it may connect. Returns the
/// file's name, and a lock to be dropped after listen().         (viva 15)
pub fn bind(
    listener: &Socket,
    path: &Path,
    mode: RawMode,
) -> Result<(OwnName, Option<File>)> {
    let address = address("bind", path)?;
    // Between this bind() and listen(), a second server would find a socket
    // file that refuses connections, and think that it is stale. So a server
    // holds the folder's lock from before bind() until it listens.
    let lock = lock_folder(path);
    // The file gets 777 less the umask. chmod() afterwards would be too late
    // for a client that connects in between.
    let old = umask(Mode::from_raw_mode(0o777 & !mode));
    let attempt = || {
        step("bind", Some(listener), path.display(), || listener.bind(&address))
    };
    let mut bound = attempt();
    if let Err(error) = &bound
        && error.kind() == AddrInUse
    {
        bound = make_room(path, lock.is_some()).and_then(|()| attempt());
    }
    umask(old);
    match bound {
        Ok(()) => Ok((OwnName::of(path)?, lock)),
        // The usual hint for bind() and EACCES speaks of ports.
        Err(error) if error.kind() == PermissionDenied => {
            Err(Error::other(format!(
                "{}. You may make no file in that folder: /tmp will do",
                without_hint(&error)
            )))
        }
        Err(error) => Err(error),
    }
}

/// bind() found the path in use. Removes a stale socket, and only that; an
/// error says what else is there. `locked`: we have the folder's lock.
fn make_room(path: &Path, locked: bool) -> Result<()> {
    let shown = path.display();
    let kind = fs::symlink_metadata(path)
        .map_err(|error| Error::new("lstat", &shown, error))?
        .file_type();
    let reason = match probe(path) {
        _ if !kind.is_socket() => format!(
            "The path is {}, not a socket, and is never removed: give another \
             path",
            name::kind(kind)
        ),
        Err(error) if error.kind() == ConnectionRefused && locked => {
            return remove_stale(path);
        }
        Err(error) if error.kind() == ConnectionRefused => {
            "Nobody answers there, but another program is busy with that \
             folder: try again"
                .into()
        }
        Ok(owner) => format!(
            "A program listens there{owner}: stop that one, or give another \
             path"
        ),
        Err(error) if error.errno() == Some(OTHER_TYPE) => {
            "A program has a socket of another type there (datagrams): stop \
             that one, or give another path"
                .into()
        }
        Err(error) => format!(
            "Is it in use? That cannot be found out, so it stays: {}",
            without_hint(&error)
        ),
    };
    Err(Error::other(format!(
        "bind({shown}): Address already in use (EADDRINUSE). {reason}"
    )))
}

fn remove_stale(path: &Path) -> Result<()> {
    let shown = path.display();
    let stale =
        format!("{shown}: stale, nobody listens there (connect: ECONNREFUSED)");
    name::unlink(path)
        .map_err(|error| Error::other(format!("{stale}; {error}")))?;
    warn!("{stale}; removed");
    Ok(())
}

/// `connect()`, to find out whether a server listens. Prints which process, if
/// that is known.
fn probe(path: &Path) -> Result<String> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)
        .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
        .map_err(|error| Error::new("socket", "AF_UNIX", error))?;
    let (address, shown) = (address("connect", path)?, path.display());
    match step("connect", Some(&socket), shown, || socket.connect(&address)) {
        Err(error) if !error.is_timeout() => Err(error),
        // A timeout: its queue is full, so it is there.
        _ => Ok(Credentials::of(&socket)
            .map_or_else(|_| String::new(), |owner| format!(" ({owner})"))),
    }
}

/// An exclusive lock on the folder of `path`, for a moment. `None`: it cannot
/// be had; then nothing is removed.
fn lock_folder(path: &Path) -> Option<File> {
    let folder = match path.parent()? {
        parent if parent.as_os_str().is_empty() => Path::new("."),
        parent => parent,
    };
    let folder = File::open(folder).ok()?;
    for _ in 0..LOCK_TRIES {
        if folder.try_lock().is_ok() {
            return Some(folder); // flock(), until it is closed
        }
        thread::sleep(LOCK_PAUSE);
    }
    None
}

/// Process, user and group of the other end, at the moment of its connect()
/// or listen(). The kernel knows them, and the peer can neither lie nor
/// refuse. TCP has nothing like it: an address says where a peer is, not who.
/// C: `struct ucred { pid_t pid; uid_t uid; gid_t gid; };`      (viva 14)
#[derive(Clone, Copy)]
pub struct Credentials {
    /// 0: a process that cannot be seen from here, in another container.
    pub pid: i32,
    /// The user.
    pub uid: u32,
    /// The user's main group.
    pub gid: u32,
}

impl Credentials {
    /// `getsockopt(SO_PEERCRED)`.
    #[cfg(target_os = "linux")]
    pub fn of(socket: &Socket) -> Result<Credentials> {
        let mut peer = Credentials { pid: 0, uid: 0, gid: 0 };
        step("getsockopt", Some(socket), "SOL_SOCKET, SO_PEERCRED", || {
            let found = getsockopt(socket, sockopt::PeerCredentials)?;
            (peer.pid, peer.uid) = (found.pid(), found.uid());
            peer.gid = found.gid();
            Ok(())
        })?;
        Ok(peer)
    }

    /// `getpeereid()`, which does not say the process.
    #[cfg(not(target_os = "linux"))]
    pub fn of(socket: &Socket) -> Result<Credentials> {
        let (uid, gid) = nix::unistd::getpeereid(socket)
            .map_err(|error| Error::new("getpeereid", "", error.into()))?;
        Ok(Credentials { pid: 0, uid: uid.as_raw(), gid: gid.as_raw() })
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}, uid {}, gid {}", self.pid, self.uid, self.gid)
    }
}
