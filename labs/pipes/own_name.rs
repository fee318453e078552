//! A name in the file system that a program leaves behind, a FIFO's or a
//! socket's, and takes away at the end: if it is still the same file. Somebody
//! may have put another one there meanwhile, and that one stays.
//!
//! ```text
//! OwnName::of()   notes device, inode and kind of the file
//! remove()        the same?   unlink(): the name goes, and whoever has
//!                             the file open goes on with it
//!                 another?    a warning, and nothing else
//! ```

use std::fs::{self, FileType};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use socketlab::net::step;
use socketlab::{Error, Result, say, warn};

/// A name, and what is behind it.
pub struct OwnName {
    path: PathBuf,
    file: Identity,
}

/// Device, inode, kind: the inode's number alone may be given out again.
type Identity = (u64, u64, FileType);

impl OwnName {
    /// What the name means now.
    pub fn of(path: &Path) -> Result<OwnName> {
        let file = look(path)?;
        Ok(OwnName { path: path.to_path_buf(), file })
    }

    /// `unlink()`, if it still means the same.
    pub fn remove(&self) {
        let shown = self.path.display();
        let (_, _, kind) = self.file;
        if kind.is_symlink() {
            return warn!("{shown} is a symbolic link; it stays as it is");
        }
        match look(&self.path) {
            Ok(now) if now == self.file => {}
            Ok(_) => {
                return warn!(
                    "{shown} is another file by now; it stays as it is"
                );
            }
            Err(_) => return warn!("{shown} is gone already"),
        }
        let unlinked =
            step("unlink", None, shown, || Ok(rustix::fs::unlink(&self.path)?));
        match unlinked {
            Ok(()) => say!("unlink({}): removed", self.path.display()),
            Err(error) => warn!("{error}"),
        }
    }
}

fn look(path: &Path) -> Result<Identity> {
    let found = fs::symlink_metadata(path)
        .map_err(|error| Error::new("lstat", path.display(), error))?;
    Ok((found.dev(), found.ino(), found.file_type()))
}
