//! A name in the file system, a FIFO's or a socket's, that a program removes at
//! its end if it is still the same file. If another file has this name by then,
//! it stays.
//!
//! ```text
//! OwnName::of()   notes device, inode and kind of the file
//! remove()        the same?   unlink(): the name goes; a program that has the
//!                             file open still uses it
//!                 another?    a warning, and nothing else
//! ```

use std::fs::{self, FileType};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use socketlab::net::step;
use socketlab::{Error, Result, say, warn};

/// A name, and the file that it named when this program made or opened it.
pub struct OwnName {
    path: PathBuf,
    file: Identity,
}

/// Device, inode, kind: the kernel may use an inode's number again.
type Identity = (u64, u64, FileType);

impl OwnName {
    /// Stores which file the name means now.
    pub fn of(path: &Path) -> Result<OwnName> {
        let file = identity(path)?;
        Ok(OwnName { path: path.to_path_buf(), file })
    }

    /// `unlink()`, if the name still means the same file.
    pub fn remove(&self) {
        let shown = self.path.display();
        let (_, _, kind) = self.file;
        if kind.is_symlink() {
            return warn!("{shown} is a symbolic link; it stays as it is");
        }
        match identity(&self.path) {
            Err(_) => warn!("{shown} is gone already"),
            Ok(now) if now != self.file => {
                warn!("{shown} is another file by now; it stays as it is");
            }
            Ok(_) => match unlink(&self.path) {
                Ok(()) => say!("unlink({shown}): removed"),
                Err(error) => warn!("{error}"),
            },
        }
    }
}

/// `unlink()`: removes the name.
pub fn unlink(path: &Path) -> Result<()> {
    step("unlink", None, path.display(), || Ok(rustix::fs::unlink(path)?))
}

fn identity(path: &Path) -> Result<Identity> {
    let found = fs::symlink_metadata(path)
        .map_err(|error| Error::new("lstat", path.display(), error))?;
    Ok((found.dev(), found.ino(), found.file_type()))
}

/// A kind of file in words, for errors: `a regular file`, `a socket`, …
pub fn kind(kind: FileType) -> &'static str {
    match () {
        () if kind.is_file() => "a regular file",
        () if kind.is_dir() => "a folder",
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}
