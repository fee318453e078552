//! Where messages are stored: a Maildir, one file a message, which mutt and
//! Dovecot read. A 250 is a promise that outlives a crash, so the order is:
//!
//! ```text
//! tmp/NAME     created; the lines go in as they arrive
//! fsync        they are on the disk, not only in the kernel's memory
//! rename       to new/NAME, complete: no reader ever sees a half
//! fsync        of the folder new/, or the new name could be lost
//! 250          and not before                              (viva 1)
//! ```
//!
//! A reader moves what it has seen from new/ into cur/. A sink that is killed
//! leaves its unfinished file in tmp/, where nobody reads it. NAME is
//! `SECONDS.MmicrosecondsPpidQcount.HOST` (cr.yp.to/proto/maildir). No two
//! programs give a file the same name, so they need no lock.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock};
use socketlab::{Error, Result, net, warn};

use crate::smtp::reply::{Reply, reply};

/// The folder with tmp/, new/ and cur/.
pub struct Maildir {
    folder: PathBuf,
    handle: File, // of the folder, for the lock
    new: File,    // of new/, for its fsync
    host: String, // the last part of each name
    count: AtomicU64,
}

impl Maildir {
    /// Opens it, and makes the folders that are not there.
    pub fn open(folder: &str) -> Result<Maildir> {
        let path = PathBuf::from(folder);
        let fail = |error| Error::new("open", folder, error);
        fs::create_dir_all(&path).map_err(fail)?;
        let handle = File::open(&path).map_err(fail)?;
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700); // it is mail
        for name in ["tmp", "new", "cur"] {
            private.create(path.join(name)).map_err(fail)?;
        }
        let new = File::open(path.join("new")).map_err(fail)?;
        handle.sync_all().map_err(fail)?; // the names tmp, new, cur
        // The protocol's own way to write what no file name may have.
        let host = net::hostname().replace('/', "\\057").replace(':', "\\072");
        let count = AtomicU64::new(0);
        Ok(Maildir { folder: path, handle, new, host, count })
    }

    /// For a sink with a certificate: its clients trust the folder's cert.pem,
    /// and a second one would write over it. The lock ends with the process.
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
            // A file system without locks is not a reason to stop.
            _ => Ok(()),
        }
    }

    /// A new file in tmp/.
    pub fn draft(&self) -> io::Result<Draft<'_>> {
        let now = Timestamp::now().as_microsecond();
        let name = format!(
            "{}.M{:06}P{}Q{}.{}",
            now / 1_000_000,
            now % 1_000_000,
            process::id(),
            self.count.fetch_add(1, Ordering::Relaxed),
            self.host
        );
        let path = self.folder.join("tmp").join(&name);
        let mut new = OpenOptions::new();
        // Nobody else on this machine may read it. create_new: never a file
        // that is there already.
        let file = new.write(true).create_new(true).mode(0o600).open(&path)?;
        let file = BufWriter::new(file);
        Ok(Draft { maildir: self, path, name, file })
    }
}

/// A message that is not complete yet. Dropped, it is gone.
pub struct Draft<'a> {
    maildir: &'a Maildir,
    path: PathBuf,
    name: String,
    file: BufWriter<File>,
}

impl Draft<'_> {
    /// Adds a line, and the CRLF that ends it.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.file.write_all(b"\r\n")
    }

    /// It will not become a message: gives the disk space back at once,
    /// because the client may go on for a long time.
    pub fn give_up(&mut self) {
        let _ = self.file.get_ref().set_len(0);
    }

    /// Makes it a message, and returns `new/NAME`.    [W-T4a] (viva 1)
    pub fn keep(mut self) -> io::Result<String> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        let name = format!("new/{}", self.name);
        fs::rename(&self.path, self.maildir.folder.join(&name))?;
        // The message is there now. If this fsync fails, the client gets a
        // 451 and sends it again: twice is better than never.
        self.maildir.new.sync_all()?;
        Ok(name)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // After the rename there is no such file.
        let _ = fs::remove_file(&self.path);
    }
}

/// What the client is told of a failure, and a line on our own console. The
/// client may try again later, because only our side is at fault: 452 when
/// there is no room, 451 for the rest.
pub fn cannot_store(error: &io::Error) -> Reply {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let why = match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number).into(),
        None => Error::other(error.to_string()),
    };
    warn!("cannot store a message: {why}");
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            reply!(452, "4.3.1 no room on the disk: try again later")
        }
        _ => reply!(451, "4.3.0 cannot be stored now: try again later"),
    }
}
