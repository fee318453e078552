//! Where messages stay: a folder, a file each. A 250 is a promise that
//! outlives a crash, so this is the order of things:
//!
//! ```text
//! .NAME.part   created, locked; the lines go in as they arrive
//! fsync        they are on the disk, not only in the kernel's memory
//! rename       NAME.eml appears, whole: no reader ever sees a half
//! fsync        of the folder, or the new name could be lost
//! 250          and not before                              (viva 1)
//! ```
//!
//! A sink that is killed leaves a .part behind: hidden, and no .eml, so that
//! nobody takes it for a message. The next one removes it, unless another
//! sink still writes it: flock() tells, a dead process holds no lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use socketlab::{Error, Result, warn};

use crate::sink_command::{Reply, reply};
use crate::sink_mbox::Mbox;

/// Attempts to find a name that nobody has.
const NAMES: usize = 10;

/// The folder, and the mbox if one is wanted.
pub struct Store {
    folder: PathBuf,
    handle: File, // of the folder, for its fsync
    mbox: Option<Mbox>,
}

impl Store {
    /// Makes the folder if it is not there, and removes what a killed sink
    /// has left behind.
    pub fn open(folder: &str, mbox: Option<&str>) -> Result<Store> {
        let folder = PathBuf::from(folder);
        let fail = |error| Error::new("open", folder.display(), error);
        fs::create_dir_all(&folder).map_err(fail)?;
        let handle = File::open(&folder).map_err(fail)?;
        if !handle.metadata().map_err(fail)?.is_dir() {
            return Err(fail(io::ErrorKind::NotADirectory.into()));
        }
        let removed = clean(&folder).map_err(fail)?;
        if removed > 0 {
            warn!("removed: {removed} unfinished of an earlier run");
        }
        let mbox = mbox.map(Mbox::open).transpose()?;
        Ok(Store { folder, handle, mbox })
    }

    /// For a sink with a certificate: its clients trust the folder's cert.pem,
    /// which a second one would write over. The lock ends with the process.
    pub fn be_the_only_one_with_tls(&self) -> Result<()> {
        let alone = FlockOperation::NonBlockingLockExclusive;
        match flock(&self.handle, alone) {
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => {
                let folder = self.folder.display();
                Err(Error::other(format!(
                    "another sink with TLS has its cert.pem in {folder}: \
                     give this one a folder of its own, --dir"
                )))
            }
            // A file system without locks is no reason to stay away.
            _ => Ok(()),
        }
    }

    /// A place for a new message.
    pub fn draft(&self) -> io::Result<Draft<'_>> {
        for _ in 0..NAMES {
            // Unique by the time and by chance, here and in other processes.
            let now = Timestamp::now().strftime("%Y%m%dT%H%M%S.%6fZ");
            let name = format!("{now}-{:08x}", rand::random::<u32>());
            let part = self.folder.join(format!(".{name}.part"));
            let whole = self.folder.join(format!("{name}.eml"));
            let mut new = OpenOptions::new();
            new.read(true).write(true).create_new(true);
            let new = private(&mut new).open(&part);
            let file = match new {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    continue;
                }
                new => new?,
            };
            let draft = Draft {
                store: self,
                part,
                whole,
                name: format!("{name}.eml"),
                file: BufWriter::new(file),
            };
            // Had another sink started just before the lock, it would have
            // taken this for a dead one's.
            let alone = FlockOperation::NonBlockingLockExclusive;
            if flock(draft.file.get_ref(), alone).is_ok()
                && draft.part.exists()
                && !draft.whole.exists()
            {
                return Ok(draft);
            }
        }
        Err(io::Error::other("no free name"))
    }
}

/// Makes files that nobody else on this machine may read: it is mail.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Removes the .part files that nobody holds a lock on.
fn clean(folder: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !(name.starts_with('.') && name.ends_with(".part")) {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        let alone = FlockOperation::NonBlockingLockExclusive;
        if flock(&file, alone).is_ok() && fs::remove_file(&path).is_ok() {
            removed += 1;
        }
    }
    Ok(removed)
}

/// A message that is not whole yet. Dropped, it is gone.
pub struct Draft<'a> {
    store: &'a Store,
    part: PathBuf,
    whole: PathBuf,
    name: String,
    file: BufWriter<File>,
}

impl Draft<'_> {
    /// Adds a line, and the CRLF that ends it.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.file.write_all(b"\r\n")
    }

    /// It will not become a message: gives the room back at once, for the
    /// client may go on for a long time.
    pub fn give_up(&mut self) {
        let _ = self.file.get_ref().set_len(0);
    }

    /// Makes it a message; gives its name.            [W-T4a] (viva 1)
    pub fn keep(mut self, sender: &str) -> io::Result<String> {
        self.file.flush()?;
        let file = self.file.get_ref();
        file.sync_all()?;
        if let Some(mbox) = &self.store.mbox {
            mbox.append(file, sender)?;
        }
        fs::rename(&self.part, &self.whole)?;
        // From here on it is there. If this fails the client is told so, and
        // sends it again: twice is better than never.
        self.store.handle.sync_all()?;
        Ok(self.name.clone())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // After the rename there is no such file.
        let _ = fs::remove_file(&self.part);
    }
}

/// What the client is told of a failure: it may try again later, for only
/// our side is at fault. 452 when there is no room, 451 for the rest.
pub fn trouble(error: &io::Error) -> Reply {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            reply!(452, "4.3.1 no room on the disk: try again later")
        }
        _ => reply!(451, "4.3.0 cannot be stored now: try again later"),
    }
}
