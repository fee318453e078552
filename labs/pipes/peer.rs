//! Who is at the other end of a Unix-domain socket: the kernel knows, and the
//! peer can neither lie nor refuse. TCP has nothing like it: an address says
//! where somebody is, not who.                                    (viva 14)
//!
//! ```text
//! struct ucred { pid_t pid; uid_t uid; gid_t gid; };
//! getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &length)
//! ```
//!
//! So on Linux; macOS has getpeereid() and LOCAL_PEERPID for the same.
//!
//! They are those of the process that called connect() (seen by the server),
//! or listen() (seen by the client), at that moment: it may have handed its
//! descriptor to a child since, or have ended.

use std::fmt;

use nix::sys::socket::{getsockopt, sockopt};
use socket2::Socket;
use socketlab::Result;
use socketlab::net::step;

/// Process, user and group of the other end, as numbers of this machine.
#[derive(Clone, Copy)]
pub struct Peer {
    /// 0: a process that cannot be seen from here, in another container.
    pub pid: i32,
    pub uid: u32,
    pub gid: u32,
}

impl Peer {
    /// `getsockopt(SO_PEERCRED)`.
    #[cfg(target_os = "linux")]
    pub fn of(socket: &Socket) -> Result<Peer> {
        let mut peer = Peer { pid: 0, uid: 0, gid: 0 };
        step("getsockopt", Some(socket), "SOL_SOCKET, SO_PEERCRED", || {
            let found = getsockopt(socket, sockopt::PeerCredentials)?;
            let (uid, gid) = (found.uid(), found.gid());
            peer = Peer { pid: found.pid(), uid, gid };
            Ok(())
        })?;
        Ok(peer)
    }

    /// `getpeereid()`, and `getsockopt(LOCAL_PEERPID)`.
    #[cfg(target_vendor = "apple")]
    pub fn of(socket: &Socket) -> Result<Peer> {
        let mut peer = Peer { pid: 0, uid: 0, gid: 0 };
        step("getpeereid", Some(socket), "", || {
            let (uid, gid) = nix::unistd::getpeereid(socket)?;
            (peer.uid, peer.gid) = (uid.as_raw(), gid.as_raw());
            Ok(())
        })?;
        step("getsockopt", Some(socket), "SOL_LOCAL, LOCAL_PEERPID", || {
            peer.pid = getsockopt(socket, sockopt::LocalPeerPid)?;
            Ok(())
        })?;
        Ok(peer)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}, uid {}, gid {}", self.pid, self.uid, self.gid)
    }
}
