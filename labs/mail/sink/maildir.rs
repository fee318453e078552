//! Where messages are stored: a Maildir, with one file per message, which mutt
//! and Dovecot can read. After its 250 the sink must not lose the message, even
//! if the machine crashes. So the order is:
//!
//! ```text
//! tmp/NAME     created; the lines are written as they arrive
//! fsync        now they are on the disk, not only in the kernel's memory
//! rename       to new/NAME: a reader sees only complete messages
//! fsync        of the folder new/, or the new name could be lost
//! 250          the last step                               (viva 1)
//! ```
//!
//! A mail program moves messages that it has seen from new/ to cur/. If the
//! sink is killed, its incomplete file stays in tmp/, where no program reads
//! it. NAME is `SECONDS.MmicrosecondsPpidQcount.HOST`
//! (cr.yp.to/proto/maildir). No two programs create the same name, so they
//! need no lock.

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
    /// Opens the Maildir and creates the folders that are missing.
    pub fn open(folder: &str) -> Result<Maildir> {
        let path = PathBuf::from(folder);
        let fail = |error| Error::new("open", folder, error);
        fs::create_dir_all(&path).map_err(fail)?;
        let handle = File::open(&path).map_err(fail)?;
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700); // others cannot read mail
        for name in ["tmp", "new", "cur"] {
            private.create(path.join(name)).map_err(fail)?;
        }
        let new = File::open(path.join("new")).map_err(fail)?;
        handle.sync_all().map_err(fail)?; // the names tmp, new, cur
        // `/` and `:` are not allowed in NAME; Maildir writes them as octal.
        let host = net::hostname().replace('/', "\\057").replace(':', "\\072");
        let count = AtomicU64::new(0);
        Ok(Maildir { folder: path, handle, new, host, count })
    }

    /// Locks the folder for a sink with TLS: a second one would overwrite the
    /// cert.pem that clients trust. The kernel ends the lock with the process.
    pub fn be_the_only_one_with_tls(&self) -> Result<()> {
        let alone = FlockOperation::NonBlockingLockExclusive;
        match flock(&self.handle, alone) {
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => {
                let folder = self.folder.display();
                Err(Error::other(format!(
                    "another sink with TLS has its cert.pem in {folder}: \
                     use another folder, --dir DIR"
                )))
            }
            // Some file systems have no locks; the sink starts anyway.
            _ => Ok(()),
        }
    }

    /// Creates a new file in tmp/.
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
        // Mode 0600: other users cannot read it. create_new: open() fails if
        // the file exists.
        let file = new.write(true).create_new(true).mode(0o600).open(&path)?;
        let file = BufWriter::new(file);
        Ok(Draft { maildir: self, path, name, file })
    }
}

/// An incomplete message. Without `keep` its file is deleted.
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

    /// The message is refused: frees the disk space at once, because the
    /// client may continue to send for a long time.
    pub fn give_up(&mut self) {
        let _ = self.file.get_ref().set_len(0);
    }

    /// Stores the complete message, and returns `new/NAME`.
    /// [W-T4a] (viva 1)
    pub fn keep(mut self) -> io::Result<String> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        let name = format!("new/{}", self.name);
        fs::rename(&self.path, self.maildir.folder.join(&name))?;
        // Now the message is in new/. If this fsync fails, the client gets a
        // 451 and sends it again: twice is better than never.
        self.maildir.new.sync_all()?;
        Ok(name)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // After the rename this file does not exist, so the error is ignored.
        let _ = fs::remove_file(&self.path);
    }
}

/// Logs a failure and returns the reply for the client: 452 if the disk is
/// full, else 451. Both are temporary, because the client has made no mistake.
pub fn cannot_store(error: &io::Error) -> Reply {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let why = match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number).into(),
        None => Error::other(error.to_string()),
    };
    warn!("cannot store a message: {why}");
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            reply!(452, "4.3.1 the disk is full: try again later")
        }
        _ => reply!(451, "4.3.0 cannot store it now: try again later"),
    }
}
