//! A download into FILE, with a progress bar. The bytes gather in FILE.part,
//! which becomes FILE when all of them have arrived: FILE is always complete,
//! either the old one or the new one.
//!
//! ```text
//! Destination::new(FILE)     what cannot be a file is told at once;
//!                            FILE.part is locked from here on
//!   begin(start, version)    FILE.version beside it
//!     write(bytes) …
//!     finish()               fsync(), rename(FILE.part, FILE)
//! ```
//!
//! A download that broke off can go on later. FILE.version notes which
//! version of the file the bytes are from, so that the next try can ask for
//! the rest of that version. If the protocol has no versions, a download that
//! breaks off leaves nothing.
//!
//! It works for every protocol, and is in this crate because its progress bar
//! brings five more: those who build one of the first labs do not need them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use rustix::fs::OFlags;
use socketlab::{Error, Result, args};

/// What the progress bar shows, on a terminal only.
const BAR: &str = "{bytes} of {total_bytes} {wide_bar} {bytes_per_sec} {eta}";

/// Where a download is to go, before anything is asked of the network. Two
/// downloads into one file would mix their bytes, so the part belongs to one
/// program from the first look at it until it gets its final name.
pub struct Destination {
    file: PathBuf,
    part: PathBuf,
    version: PathBuf,
    special: bool, // a device, FIFO or such: written to, never replaced
    opened: Option<File>, // the part, locked
}

impl Destination {
    /// Checks the name: an empty one is a usage error, a folder an error. So
    /// is a file that another program downloads right now.
    pub fn new(file: PathBuf) -> Result<Destination> {
        if file.as_os_str().is_empty() {
            args::usage("-o needs the name of a file");
        }
        if file.is_dir() {
            let name = file.display();
            return Err(Error::other(format!("{name} is a folder: -o FILE")));
        }
        // A rename onto /dev/null would be the end of it; /dev/stdout is a
        // link, and may lead to a plain file.
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

    /// What an earlier try left: how many bytes, and of which version.
    pub fn rest(&self) -> Option<(u64, String)> {
        let have = self.opened.as_ref()?.metadata().ok()?.len();
        // A link of that name belongs to somebody else.
        let about = fs::symlink_metadata(&self.version).ok()?;
        let version = about.is_file().then_some(&self.version)?;
        let version = fs::read_to_string(version).ok()?;
        (have > 0 && !version.is_empty()).then_some((have, version))
    }

    /// Begins to write after the first `start` bytes of the part; everything
    /// else in it is cut off. With a version, a part that breaks off is kept.
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

    fn open_special(&self) -> Result<File> {
        let file = OpenOptions::new().write(true).open(&self.file);
        file.map_err(|error| failed("open", &self.file, error))
    }

    fn cut_part(&self, start: u64) -> Result<File> {
        let fail = |error| failed("ftruncate", &self.part, error);
        let Some(opened) = &self.opened else { return self.open_part() };
        let have = opened.metadata().map_err(fail)?.len();
        if have < start {
            let part = self.part.display();
            let what = format!("{part} has {have} bytes, and not {start}");
            return Err(Error::other(what));
        }
        opened.set_len(start).map_err(fail)?;
        opened.try_clone().map_err(fail)
    }

    fn open_part(&self) -> Result<File> {
        let fail = |error| failed("open", &self.part, error);
        // A link of that name may lead to somebody else's file.
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
        // The kernel frees the lock when the program ends, however it ends.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.is_busy()),
            Err(TryLockError::Error(error)) => {
                return Err(failed("flock", &self.part, error));
            }
        }
        // Another download may have finished between open() and the lock.
        let ours = file.metadata().map_err(fail)?;
        let named = fs::metadata(&self.part);
        match named.is_ok_and(|named| named.ino() == ours.ino()) {
            true => Ok(file),
            false => Err(self.is_busy()),
        }
    }

    fn is_busy(&self) -> Error {
        let part = self.part.display();
        Error::other(format!("another program writes {part} right now"))
    }

    /// In a new file, wherever a link of that name may lead.
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
    /// Nothing has begun: an empty part is not left behind.
    fn drop(&mut self) {
        let about = self.opened.as_ref().map(File::metadata);
        if about.is_some_and(|about| about.is_ok_and(|a| a.len() == 0)) {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// A download that has begun. Dropped before `finish`, it has broken off.
pub struct Download {
    destination: Destination,
    file: BufWriter<File>,
    size: u64,  // of the file so far, in bytes
    keep: bool, // what came, if it breaks off
    bar: ProgressBar,
}

impl Download {
    /// Says how many bytes the complete file will have, if that is known, and
    /// shows the progress from now on.
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

    /// Some bytes of the file.
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

    /// Will another try go on where this one breaks off?
    pub fn is_kept(&self) -> bool {
        self.keep && !self.destination.special
    }

    /// What came cannot be a part of the file: nothing of it is kept.
    pub fn discard(mut self) {
        self.keep = self.destination.special;
        if !self.keep {
            let _ = fs::remove_file(&self.destination.version);
        }
    }

    /// All has arrived. Returns the sentence that says so.
    pub fn finish(mut self) -> Result<String> {
        self.bar.finish_and_clear();
        let flushed = self.file.flush();
        flushed.map_err(|e| failed("write", self.name(), e))?;
        let Destination { file, part, version, special, .. } =
            &self.destination;
        if !special {
            // First the bytes, then the name: after a power failure FILE is
            // the old one or the complete new one, and never empty.
            let synced = self.file.get_ref().sync_all();
            synced.map_err(|e| failed("fsync", part, e))?;
            // After the rename, the next download may have a version here.
            let _ = fs::remove_file(version);
            let renamed = fs::rename(part, file);
            renamed.map_err(|e| failed("rename", part, e))?;
            self.keep = true; // there is no part any more
        }
        let (name, size) = (file.display(), self.size);
        Ok(format!("saved {name}: {size} bytes"))
    }

    /// The file that is written to.
    fn name(&self) -> &Path {
        match self.destination.special {
            true => &self.destination.file,
            false => &self.destination.part,
        }
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.bar.abandon(); // it stays on the screen, unless it is finished
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
    fn a_part_is_kept_with_a_version_only_and_locked() {
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
        assert_eq!(count(), 0, "nothing has begun");

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
        // The part is gone: nothing can go on after byte 4.
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
