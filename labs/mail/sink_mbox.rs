//! `--mbox FILE`: all messages in one file, as mail programs of Unix read it
//! (`mutt -f FILE`, `mail -f FILE`, Python's mailbox.mbox).
//!
//! ```text
//! From alice@example.org Sat Nov 21 03:15:02 2026     begins a message
//! Return-Path: <alice@example.org>
//! …
//! >From a friend                                      a quoted line
//!                                                     an empty line
//! ```
//!
//! Lines that would look like a beginning get a `>` in front, and so do those
//! that have one already, so that it can be undone (mboxrd).
//!
//! Renaming keeps a new file whole, but this one only grows. So FILE.undo is
//! written first: the length before, the text to append, a dot. Whoever finds
//! that file, and the lock free, knows that an append was cut short, and
//! takes it back; but only if nothing else stands behind that length, for
//! another program may have appended since.

use std::fs::{self, File, OpenOptions};
use std::io::{
    self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write,
};
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
        if let Ok(note) = File::open(&self.undo) {
            if let Some(length) = locked.begun(note)? {
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
        let mut new = OpenOptions::new();
        new.read(true).write(true).create(true).truncate(true);
        let note = private(&mut new).open(&self.undo)?;
        if let Err(error) = render(&note, length, file, sender) {
            locked.mbox.forget()?;
            return Err(error);
        }
        if let Err(error) = locked.copy(note) {
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
    /// Appends the note's text.
    fn copy(&mut self, note: File) -> io::Result<()> {
        if let Some((_, mut text)) = opened(note)? {
            io::copy(&mut text, &mut self.file)?;
        }
        self.file.sync_all()
    }

    /// Where the file is to be cut: what stands behind is the beginning of
    /// the note's text and nothing else.
    fn begun(&self, note: File) -> io::Result<Option<u64>> {
        let Some((length, text)) = opened(note)? else { return Ok(None) };
        let size = self.file.metadata()?.len();
        let Some(behind @ 1..) = size.checked_sub(length) else {
            return Ok(None);
        };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(length))?;
        let mut found = BufReader::new(file).bytes();
        let mut same = behind <= text.limit();
        for wanted in text.take(behind).bytes() {
            let wanted = wanted?;
            same = same && found.next().transpose()? == Some(wanted);
            if !same {
                break;
            }
        }
        if !same {
            warn!("the mbox has grown since a sink was killed: left as it is");
        }
        Ok(same.then_some(length))
    }
}

/// A note's length and text. `None`: it has no dot, so it was not finished,
/// and nothing was appended.
fn opened(
    mut note: File,
) -> io::Result<Option<(u64, io::Take<BufReader<File>>)>> {
    let size = note.metadata()?.len();
    note.seek(SeekFrom::Start(size.saturating_sub(1)))?;
    let mut last = Vec::new();
    (&note).take(1).read_to_end(&mut last)?;
    note.seek(SeekFrom::Start(0))?;
    let mut text = BufReader::new(note);
    let mut line = Vec::new();
    (&mut text).take(30).read_until(b'\n', &mut line)?;
    let number = line.strip_suffix(b"\n").and_then(|digits| {
        std::str::from_utf8(digits).ok()?.parse::<u64>().ok()
    });
    let rest = size.checked_sub(line.len() as u64 + 1);
    Ok(match (number, rest) {
        (Some(number), Some(rest)) if last == b"." => {
            Some((number, text.take(rest)))
        }
        _ => None,
    })
}

/// Writes the note: the length, the message as an mbox has it, the dot.
fn render(
    note: &File,
    length: u64,
    mut message: &File,
    sender: &str,
) -> io::Result<()> {
    let mut out = BufWriter::new(note);
    out.write_all(format!("{length}\n").as_bytes())?;
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
    // The dot at the end tells that the note is whole.
    out.write_all(b"\n.")?;
    out.flush()?;
    drop(out);
    note.sync_all()
}
