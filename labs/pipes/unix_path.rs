//! The address of a Unix-domain socket: a path, in struct sockaddr_un.
//!
//! ```text
//! family (2)   sun_path (108)
//! AF_UNIX      /tmp/socketlab.sock \0 ...      107 bytes at most
//! ```
//!
//! The client needs no more of it; what a server has to settle before a path
//! is its own is in socket_file.rs.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use socket2::SockAddr;
use socketlab::{Error, Result};

/// The path when the command line gives none.
pub const DEFAULT: &str = "/tmp/socketlab.sock";

/// sun_path has 108 bytes on Linux, the last one a NUL (elsewhere 104).
const LONGEST: usize = 107;

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

/// An error without its hint: those for connect() and bind() speak of hosts
/// and ports, and here it is a path.
pub fn without_hint(error: &Error) -> String {
    let text = error.to_string();
    text.split(". ").next().unwrap_or_default().to_string()
}
