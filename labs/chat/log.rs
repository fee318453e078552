//! What the server's console shows: the room, and why people left. The hub
//! writes into a bounded queue and never waits; a thread prints.

use crossbeam_channel::{Receiver, Sender, bounded};
use socketlab::say;

/// Lines that may wait for the console.
const LINES: usize = 4096;

/// Of these, places that talk leaves free: who comes and goes, and why, is
/// shown also when a flood is not.
const FOR_EVENTS: usize = 256;

/// The hub's end. A console that is slower than the room misses lines, and
/// is told how many.
pub struct Log {
    console: Option<Sender<String>>,
    left_out: usize,
}

impl Log {
    /// A log, and what [`print`] prints; nothing if it is to be `quiet`.
    pub fn new(quiet: bool) -> (Log, Receiver<String>) {
        let (console, shown) = bounded(LINES);
        let console = (!quiet).then_some(console);
        (Log { console, left_out: 0 }, shown)
    }

    /// A line that somebody said, given in parts.
    pub fn talk(&mut self, line: &[&str]) {
        self.add(line, FOR_EVENTS);
    }

    /// A line about the room.
    pub fn event(&mut self, line: &str) {
        self.add(&[line], 0);
    }

    /// Ends [`print`], once all that waits is printed.
    pub fn close(&mut self) {
        self.console = None;
    }

    fn add(&mut self, line: &[&str], free: usize) {
        let Some(console) = &self.console else { return };
        if console.len() + free >= LINES {
            self.left_out += 1;
            return;
        }
        let mut text = line.concat();
        if self.left_out > 0 {
            text = format!("… {} lines left out\n{text}", self.left_out);
            self.left_out = 0;
        }
        let _ = console.try_send(text);
    }
}

/// Prints all that waits with one write: a write for each line may cost more
/// than to say it to the room.
pub fn print(lines: &Receiver<String>) {
    for mut text in lines {
        for line in lines.try_iter().take(LINES) {
            text.push('\n');
            text.push_str(&line);
        }
        say!("{text}");
    }
}
