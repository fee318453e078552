//! A server's log. A thread of its own writes the lines, because a write can
//! block. A terminal may be stopped (Ctrl-S), a pipe may be full, a disk may be
//! slow; the threads that serve clients must not wait for it.
//!
//! ```text
//!   client threads, hub                  log thread                stdout
//!     line(text) --try_send--> channel --> gathers for 5 ms --> one write
//!         `-- full: the line is counted       and "… 12 lines left out"
//! ```
//!
//! ```
//! use socketlab::log::Log;
//!
//! let log = Log::start(false, 1024)?; // 1024 lines may wait
//! log.line("a client has come".into());
//! log.flush(); // at the end of the program
//! assert_eq!(log.left_out(), 0);
//! # Ok::<(), socketlab::Error>(())
//! ```
//!
//! Interface: [`Log::line`] never blocks. [`Log::flush`] blocks, but only for
//! half a second, and is for the end of the program. Each lab composes its own
//! lines, and must escape bytes of a peer before
//! ([`console::escape`](crate::console::escape)).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::{Result, say, threads};

/// How long the log thread gathers lines before it writes them: one write
/// for a thousand lines costs little more than one write for one line.
const GATHER: Duration = Duration::from_millis(5);

/// How long [`Log::flush`] waits: a stuck terminal must not keep the program
/// from ending.
const LAST_LINES: Duration = Duration::from_millis(500);

/// The log. Clones write to the same one; the thread ends with the last one.
#[derive(Clone)]
pub struct Log {
    queue: Option<Sender<Entry>>, // None: quiet
    left_out: Arc<AtomicU64>,
}

enum Entry {
    Line(String),
    /// Reply as soon as all earlier lines are written.
    Flush(Sender<()>),
}

impl Log {
    /// Starts the log thread. At most `capacity` lines wait for it; further
    /// lines are dropped and counted. `quiet`: nothing is written at all.
    pub fn start(quiet: bool, capacity: usize) -> Result<Log> {
        let left_out = Arc::new(AtomicU64::new(0));
        if quiet {
            return Ok(Log { queue: None, left_out });
        }
        let (queue, entries) = bounded(capacity);
        let count = left_out.clone();
        let work = move || write(&entries, &count, |text| say!("{text}"));
        threads::spawn_essential("log", work)?;
        Ok(Log { queue: Some(queue), left_out })
    }

    /// Is nothing written? Then a lab need not even compose its lines.
    pub fn is_quiet(&self) -> bool {
        self.queue.is_none()
    }

    /// Adds a line, without its newline.
    pub fn line(&self, line: String) {
        self.line_if_room(line, 0);
    }

    /// Adds a line if at least `reserve` places stay free after it, for lines
    /// that matter more.
    pub fn line_if_room(&self, line: String, reserve: usize) {
        let Some(queue) = &self.queue else { return };
        let room = queue.capacity().unwrap_or(0).saturating_sub(queue.len());
        if room <= reserve || queue.try_send(Entry::Line(line)).is_err() {
            self.left_out.fetch_add(1, Relaxed);
        }
    }

    /// How many lines have been dropped since the start.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Relaxed)
    }

    /// The program ends: returns when every line added before is written, or
    /// after half a second. It holds no lock meanwhile, so that other threads
    /// can still add lines.
    pub fn flush(&self) {
        let Some(queue) = &self.queue else { return };
        let until = Instant::now() + LAST_LINES;
        let (done, written) = bounded(1);
        if queue.send_deadline(Entry::Flush(done), until).is_ok() {
            let _ = written.recv_deadline(until);
        }
    }
}

/// The log thread: prints all lines that wait with one write. After them it
/// prints how many lines were dropped.
fn write(
    entries: &Receiver<Entry>,
    left_out: &AtomicU64,
    print: impl Fn(&str),
) {
    let mut told = 0; // of those left out
    let most = entries.capacity().unwrap_or(1);
    while let Ok(first) = entries.recv() {
        thread::sleep(GATHER);
        let (mut lines, mut flushes) = (Vec::new(), Vec::new());
        let rest = entries.try_iter().take(most);
        for entry in std::iter::once(first).chain(rest) {
            match entry {
                Entry::Line(line) => lines.push(line),
                Entry::Flush(done) => flushes.push(done),
            }
        }
        let count = left_out.load(Relaxed);
        if count > told {
            lines.push(format!("… {} lines left out", count - told));
            told = count;
        }
        if !lines.is_empty() {
            print(&lines.join("\n"));
        }
        for done in flushes {
            let _ = done.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn lines_are_written_together_and_losses_are_told() {
        let (queue, entries) = bounded(3);
        let log = Log { queue: Some(queue), left_out: Arc::default() };
        log.line("one".into());
        log.line_if_room("two".into(), 2); // two places are free, not three
        log.line_if_room("three".into(), 1);
        log.line("four".into());
        log.line("five".into());
        assert_eq!(log.left_out(), 2);
        let count = log.left_out.clone();
        drop(log);
        let (printed, texts) = bounded(9);
        write(&entries, &count, |text| {
            printed.send(text.to_string()).expect("room");
        });
        let text = texts.recv().expect("a text");
        assert_eq!(text, "one\nthree\nfour\n… 2 lines left out");
        assert!(texts.is_empty());
    }

    #[test]
    fn a_stuck_terminal_stops_neither_a_line_nor_the_end() -> Result<()> {
        let log = Log::start(false, 2)?;
        // As long as this test holds stdout, the log thread cannot print.
        let stuck = io::stdout().lock();
        while log.left_out() == 0 {
            log.line("a line that waits".into());
        }
        let began = Instant::now();
        log.flush();
        assert!(began.elapsed() >= LAST_LINES, "nothing was written");
        drop(stuck);
        log.flush();
        let queue = log.queue.expect("not quiet");
        assert!(queue.is_empty(), "all is written");
        Ok(())
    }
}
