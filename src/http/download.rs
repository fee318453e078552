//! A download into FILE, with a progress bar. The bytes are written to
//! FILE.part. When all of them have arrived, FILE.part is renamed to FILE. So
//! FILE is always complete: either the old version or the new one.
//!
//! ```text
//! Destination::new(FILE)     checks the name; locks FILE.part
//!   begin(start, version)    writes FILE.version
//!     write(bytes) …
//!     finish()               fsync(), rename(FILE.part, FILE)
//! ```
//!
//! A download that broke off can be resumed. FILE.version says to which version
//! of the file the bytes belong, so that the next run can ask for the rest of
//! that version. If the protocol has no versions, an interrupted download is
//! deleted.
//!
//! It works for every protocol. It is in this crate because the progress bar
//! needs five more crates, which the first labs need not build.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use rustix::fs::OFlags;
use socketlab::{Error, Result, args};

/// The progress bar, which appears only on a terminal.
const BAR: &str = "{bytes} of {total_bytes} {wide_bar} {bytes_per_sec} {eta}";

/// The file for a download, before the client connects. Two downloads into one
/// file would mix their bytes. So one program locks FILE.part before it looks
/// at it, and keeps the lock until the rename.
pub struct Destination {
    file: PathBuf,
    part: PathBuf,
    version: PathBuf,
    special: bool, // a device or FIFO: we write to it, but never replace it
    opened: Option<File>, // the part, locked
}

impl Destination {
    /// Checks the name and locks FILE.part. It fails if the name is empty or a
    /// folder, or if another program is downloading this file.
    pub fn new(file: PathBuf) -> Result<Destination> {
        if file.as_os_str().is_empty() {
            args::usage("-o needs the name of a file");
        }
        if file.is_dir() {
            let name = file.display();
            return Err(Error::other(format!("{name} is a folder: -o FILE")));
        }
        // A rename onto /dev/null would replace the device by a file. And
        // /dev/stdout is a link that may lead to a regular file.
        let special = file.parent() == Some(Path::new("/dev"))
            || file.metadata().is_ok_and(|about| !about.is_file());
        let beside = |ending: &str| {
            let mut name = file.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        };
        let (part, version) = (beside(".part"), beside(".version"));
        let mut to = Destination { file, part, version, special, opened: None };
        if !special {
            to.opened = Some(to.open_part()?);
        }
        Ok(to)
    }

    /// What an earlier run has saved: how many bytes, and of which version.
    pub fn rest(&self) -> Option<(u64, String)> {
        let have = self.opened.as_ref()?.metadata().ok()?.len();
        // Another user may have put a link there; do not follow it.
        let about = fs::symlink_metadata(&self.version).ok()?;
        let version = about.is_file().then_some(&self.version)?;
        let version = fs::read_to_string(version).ok()?;
        (have > 0 && !version.is_empty()).then_some((have, version))
    }

    /// Begins to write after the first `start` bytes of FILE.part, and removes
    /// the bytes after them. With a version, FILE.part stays if the download
    /// breaks off.
    pub fn begin(
        mut self,
        start: u64,
        version: Option<&str>,
    ) -> Result<Download> {
        let file = match self.special {
            true => self.open_special()?,
            false => self.cut_part(start)?,
        };
        if !self.special && start == 0 {
            self.note_version(version)?;
        }
        self.opened = None; // `file` is the same open file, and holds the lock
        Ok(Download {
            keep: self.special || version.is_some(),
            destination: self,
            file: BufWriter::new(file),
            size: start,
            bar: ProgressBar::hidden(),
        })
    }

    /// Opens a device or FIFO for writing.
    fn open_special(&self) -> Result<File> {
        let file = OpenOptions::new().write(true).open(&self.file);
        file.map_err(|error| failed("open", &self.file, error))
    }

    /// Cuts FILE.part to its first `start` bytes.
    fn cut_part(&self, start: u64) -> Result<File> {
        let fail = |error| failed("ftruncate", &self.part, error);
        let Some(opened) = &self.opened else { return self.open_part() };
        let have = opened.metadata().map_err(fail)?.len();
        if have < start {
            let part = self.part.display();
            let what = format!("{part} has only {have} of {start} bytes");
            return Err(Error::other(what));
        }
        opened.set_len(start).map_err(fail)?;
        opened.try_clone().map_err(fail)
    }

    /// Opens and locks FILE.part.
    fn open_part(&self) -> Result<File> {
        let fail = |error| failed("open", &self.part, error);
        // A link of this name may lead to another user's file, so remove it.
        let about = fs::symlink_metadata(&self.part);
        if about.is_ok_and(|about| !about.is_file() || about.nlink() > 1) {
            let _ = fs::remove_file(&self.part);
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&self.part)
            .map_err(fail)?;
        // The kernel frees the lock when the program ends, even after kill -9.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.is_busy()),
            Err(TryLockError::Error(error)) => {
                return Err(failed("flock", &self.part, error));
            }
        }
        // Between our open() and the lock another download may have renamed
        // the file. Then the name leads to another file than the one we hold.
        let ours = file.metadata().map_err(fail)?;
        let named = fs::metadata(&self.part);
        match named.is_ok_and(|named| named.ino() == ours.ino()) {
            true => Ok(file),
            false => Err(self.is_busy()),
        }
    }

    fn is_busy(&self) -> Error {
        let part = self.part.display();
        Error::other(format!("another program writes {part} at the moment"))
    }

    /// Writes FILE.version. It must be a new file, because a link of this name
    /// may lead to another user's file.
    fn note_version(&self, version: Option<&str>) -> Result<()> {
        let _ = fs::remove_file(&self.version);
        let Some(version) = version else { return Ok(()) };
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.version)
            .and_then(|mut file| file.write_all(version.as_bytes()))
            .map_err(|error| failed("write", &self.version, error))
    }
}

impl Drop for Destination {
    /// If the download has not begun, FILE.part is empty and is deleted.
    fn drop(&mut self) {
        let about = self.opened.as_ref().map(File::metadata);
        if about.is_some_and(|about| about.is_ok_and(|a| a.len() == 0)) {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// A download that has begun. If it is dropped before `finish`, it has broken
/// off.
pub struct Download {
    destination: Destination,
    file: BufWriter<File>,
    size: u64,  // bytes of the file so far
    keep: bool, // if it breaks off, FILE.part stays
    bar: ProgressBar,
}

impl Download {
    /// Shows the progress from now on. `size`: the bytes of the complete file,
    /// if they are known.
    pub fn announce(&mut self, size: Option<u64>) {
        let style = ProgressStyle::with_template(BAR);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar = match size {
            Some(size) => ProgressBar::new(size),
            None => ProgressBar::no_length(),
        };
        self.bar.set_style(style);
        self.bar.set_position(self.size);
    }

    /// Writes some bytes of the file.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|e| failed("write", self.name(), e))?;
        self.size += bytes.len() as u64;
        self.bar.set_position(self.size);
        Ok(())
    }

    /// How many bytes the file has so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Can the next run resume this download if it breaks off?
    pub fn is_kept(&self) -> bool {
        self.keep && !self.destination.special
    }

    /// Deletes all bytes, because they are not a part of the file.
    pub fn discard(mut self) {
        self.keep = self.destination.special;
        if !self.keep {
            let _ = fs::remove_file(&self.destination.version);
        }
    }

    /// All bytes have arrived: renames FILE.part to FILE. Returns a message
    /// for the user.
    pub fn finish(mut self) -> Result<String> {
        self.bar.finish_and_clear();
        let flushed = self.file.flush();
        flushed.map_err(|e| failed("write", self.name(), e))?;
        let Destination { file, part, version, special, .. } =
            &self.destination;
        if !special {
            // fsync() writes the bytes to the disk before the rename. So after
            // a power failure FILE is the complete old or new version.
            // Python: os.fsync(fd), os.replace(a, b)  C: fsync(), rename()
            let synced = self.file.get_ref().sync_all();
            synced.map_err(|e| failed("fsync", part, e))?;
            // Remove it before the rename: afterwards another download may
            // have written its own FILE.version.
            let _ = fs::remove_file(version);
            let renamed = fs::rename(part, file);
            renamed.map_err(|e| failed("rename", part, e))?;
            self.keep = true; // FILE.part does not exist any more
        }
        let (name, size) = (file.display(), self.size);
        Ok(format!("saved {name}: {size} bytes"))
    }

    /// The file that we write to.
    fn name(&self) -> &Path {
        match self.destination.special {
            true => &self.destination.file,
            false => &self.destination.part,
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.bar.abandon(); // it stays on the screen if the download broke off
        if !self.keep {
            let _ = fs::remove_file(&self.destination.part);
        }
    }
}

fn failed(call: &'static str, file: &Path, error: io::Error) -> Error {
    Error::new(call, file.display(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_locked_and_stays_only_if_it_has_a_version() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let new = || Destination::new(file.clone()).expect("a name");
        let count = || folder.path().read_dir().expect("a folder").count();

        let mut download = new().begin(0, None).expect("begun");
        download.write(b"half").expect("written");
        let busy = Destination::new(file.clone()).err().expect("locked");
        let busy = busy.to_string();
        assert!(busy.contains("another program writes"), "{busy}");
        drop(download);
        assert_eq!(count(), 0);
        drop(new());
        assert_eq!(count(), 0, "the download has not begun");

        let mut download = new().begin(0, Some("v1")).expect("begun");
        download.write(b"half").expect("written");
        drop(download);
        assert_eq!(new().rest(), Some((4, "v1".to_string())));
        let mut download = new().begin(4, Some("v1")).expect("begun");
        download.write(b" and half").expect("written");
        let said = download.finish().expect("finished");
        assert!(said.ends_with("file: 13 bytes"), "{said}");
        assert_eq!(fs::read(&file).expect("a file"), b"half and half");
        assert_eq!(count(), 1);
        // FILE.part does not exist any more, so nothing can be resumed.
        assert!(new().begin(4, Some("v1")).is_err());
    }

    #[test]
    fn a_link_at_the_name_of_the_part_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let others = path("others");
        fs::write(&others, "old").expect("a file");
        for name in ["soft", "hard"] {
            let part = path(&format!("{name}.part"));
            match name {
                "soft" => std::os::unix::fs::symlink(&others, part),
                _ => fs::hard_link(&others, part),
            }
            .expect("a link");
            let to = Destination::new(path(name)).expect("a name");
            let mut download = to.begin(0, None).expect("begun");
            download.write(b"new").expect("written");
            download.finish().expect("finished");
            assert_eq!(fs::read(path(name)).expect("a file"), b"new");
            assert_eq!(fs::read(&others).expect("a file"), b"old");
        }
    }
}
