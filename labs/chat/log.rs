//! What the server's console shows: the room, and why people left. The hub
//! writes into a bounded queue and never waits; a thread prints.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use socketlab::say;

/// Lines that may wait for the console.
const LINES: usize = 4096;

/// Of these, places that talk leaves free: who comes and goes, and why, is
/// shown also when a flood is not.
const FOR_EVENTS: usize = 256;

/// The hub's end.
pub struct Log {
    console: Option<Sender<String>>,
    left_out: Arc<AtomicUsize>,
}

/// The console's end.
pub struct Console {
    lines: Receiver<String>,
    left_out: Arc<AtomicUsize>,
}

/// Both ends; if it is to be `quiet`, the console's ends at once.
pub fn open(quiet: bool) -> (Log, Console) {
    let (console, lines) = bounded(LINES);
    let console = (!quiet).then_some(console);
    let left_out = Arc::new(AtomicUsize::new(0));
    let log = Log { console, left_out: left_out.clone() };
    (log, Console { lines, left_out })
}

impl Log {
    /// A line that somebody said, given in parts.
    pub fn talk(&self, line: &[&str]) {
        self.add(line, FOR_EVENTS);
    }

    /// A line about the room.
    pub fn event(&self, line: &str) {
        self.add(&[line], 0);
    }

    /// Ends the console's thread, once all that waits is printed.
    pub fn close(&mut self) {
        self.console = None;
    }

    /// A console that is slower than the room misses lines, and is told how
    /// many, before the next line or after the last.
    fn add(&self, line: &[&str], free: usize) {
        let Some(console) = &self.console else { return };
        if console.len() + free >= LINES {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut text = missed(&self.left_out);
        line.iter().for_each(|part| text.push_str(part));
        let _ = console.try_send(text);
    }
}

/// A line about the lines that were left out, if there are any.
fn missed(left_out: &AtomicUsize) -> String {
    match left_out.swap(0, Ordering::Relaxed) {
        0 => String::new(),
        count => format!("… {count} lines left out\n"),
    }
}

impl Console {
    /// Prints all that waits with one write: a write for each line may cost
    /// more than to say it to the room.
    pub fn print(&self) {
        for mut text in &self.lines {
            for line in self.lines.try_iter().take(LINES) {
                text.push('\n');
                text.push_str(&line);
            }
            text.push('\n');
            text.push_str(&missed(&self.left_out));
            say!("{}", text.trim_end_matches('\n'));
        }
    }
}
