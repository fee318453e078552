//! `--mbox FILE`: all messages in one file, as mail programs of Unix read it
//! (`mutt -f FILE`, `mail -f FILE`, Python's mailbox.mbox).
//!
//!     From alice@example.org Sat Nov 21 03:15:02 2026     begins a message
//!     Return-Path: <alice@example.org>
//!     …
//!     >From a friend                                      a quoted line
//!                                                         an empty line
//!
//! Lines that would look like a beginning get a `>` in front, and so do those
//! that have one already, so that it can be undone (mboxrd).
//!
//! Renaming keeps a new file whole, but this one only grows. So the length
//! before is written to FILE.undo first: whoever finds that file, and the
//! lock free, knows that an append was cut short, and takes it back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use rustix::fs::{FlockOperation, flock};
use socketlab::{Error, Result, warn};

use crate::sink_store::private;

/// How long to wait: for our own threads, each of which needs a moment; for
/// another program, which may sit on the file all day.
const TURN: Duration = Duration::from_secs(60);
const OTHERS: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(20);

/// An mbox that may be written by several threads, and processes, in turn.
pub struct Mbox {
    path: PathBuf,
    undo: PathBuf,
    turn: Mutex<()>, // among our own threads
}

/// The file, locked until it is dropped.
struct Locked<'a> {
    mbox: &'a Mbox,
    file: File,
    _turn: MutexGuard<'a, ()>,
}

impl Mbox {
    /// Makes the file if it is not there, and takes back what a killed sink
    /// has not finished.
    pub fn open(path: &str) -> Result<Mbox> {
        let undo = PathBuf::from(format!("{path}.undo"));
        let turn = Mutex::new(());
        let mbox = Mbox { path: path.into(), undo, turn };
        let opened = mbox.lock().map(drop);
        opened.map_err(|error| Error::new("open", path, error))?;
        Ok(mbox)
    }

    fn lock(&self) -> io::Result<Locked<'_>> {
        let busy = || io::Error::other("the mbox is locked by another");
        let turn = self.turn.try_lock_for(TURN).ok_or_else(busy)?;
        let mut file = OpenOptions::new();
        file.read(true).write(true).create(true).truncate(false);
        let file = private(&mut file).open(&self.path)?;
        // Other processes: a kernel's lock ends with whoever holds it.
        let until = Instant::now() + OTHERS;
        while flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            if Instant::now() >= until {
                return Err(busy());
            }
            thread::sleep(AGAIN);
        }
        let locked = Locked { mbox: self, file, _turn: turn };
        if let Ok(length) = fs::read_to_string(&self.undo) {
            // A note without its dot was not finished: nothing was appended.
            if let Some(length) = length.strip_suffix('.')
                && let Ok(length) = length.parse()
                && length < locked.file.metadata()?.len()
            {
                warn!("removed: half a message at the end of the mbox");
                locked.file.set_len(length)?;
                locked.file.sync_all()?;
            }
            fs::remove_file(&self.undo)?;
        }
        Ok(locked)
    }

    /// Appends the message in `file`, all of it or nothing.
    pub fn append(&self, file: &File, sender: &str) -> io::Result<()> {
        let mut locked = self.lock()?;
        let length = locked.file.seek(SeekFrom::End(0))?;
        // The dot at the end tells that the number is whole.
        let mut note = File::create(&self.undo)?;
        note.write_all(format!("{length}.").as_bytes())?;
        note.sync_all()?;
        if let Err(error) = locked.write(file, sender) {
            locked.file.set_len(length)?;
            locked.mbox.forget()?;
            return Err(error);
        }
        locked.mbox.forget()
    }

    fn forget(&self) -> io::Result<()> {
        fs::remove_file(&self.undo)
    }
}

impl Locked<'_> {
    fn write(&self, mut message: &File, sender: &str) -> io::Result<()> {
        let mut out = BufWriter::new(&self.file);
        let date = Timestamp::now().strftime("%a %b %e %H:%M:%S %Y");
        let from: String = match sender {
            "" => "MAILER-DAEMON".into(),
            // One word, whatever was in quotes.
            sender => sender.replace(char::is_whitespace, "_"),
        };
        out.write_all(format!("From {from} {date}\n").as_bytes())?;
        message.seek(SeekFrom::Start(0))?;
        // A line has 1000 bytes at most: sink_data.rs has seen to it.
        let mut lines = BufReader::new(message);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
            let rest = line.get(quotes..).unwrap_or_default();
            if rest.starts_with(b"From ") {
                out.write_all(b">")?;
            }
            let text = line.strip_suffix(b"\r\n").unwrap_or(&line);
            out.write_all(text)?;
            out.write_all(b"\n")?;
            line.clear();
        }
        out.write_all(b"\n")?;
        out.flush()?;
        drop(out);
        self.file.sync_all()
    }
}
