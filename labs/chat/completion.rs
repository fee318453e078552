//! What the crate rustyline needs from screen.rs: the names that Tab completes,
//! and a notice when it is about to draw its prompt. [G-8e]

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::Sender;
use parking_lot::Mutex;
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

/// Names seen in the room, for completion. The thread that reads the socket
/// adds names, and the thread that reads the keyboard looks them up.
pub type Names = Arc<Mutex<BTreeSet<String>>>;

/// The most names that Tab shows if several fit.
const SHOWN: usize = 8;

/// Completes the names of members, and sends a message when rustyline draws.
pub struct Completion {
    /// What to complete.
    pub names: Names,
    /// Gets a message whenever the prompt is drawn.
    pub drawn: Sender<()>,
    /// Set when rustyline must not draw any more.
    pub closing: Arc<AtomicBool>,
    /// Gets a message when the rows are cleared for the last time.
    pub cleared: Sender<()>,
}

impl Completer for Completion {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..at).unwrap_or_default();
        // A name may have spaces, so the longest fitting beginning is used.
        let names = self.names.lock();
        let starts = typed.match_indices(' ').map(|(space, _)| space + 1);
        for start in [0].into_iter().chain(starts) {
            let begun = typed.get(start..).unwrap_or_default().to_lowercase();
            let fits = |name: &&String| {
                !begun.is_empty() && name.to_lowercase().starts_with(&begun)
            };
            let found = names.iter().filter(fits);
            let found: Vec<_> = found.map(|name| format!("{name} ")).collect();
            if found.len() > SHOWN {
                break; // type more of it
            }
            if !found.is_empty() {
                return Ok((start, found));
            }
        }
        Ok((at, Vec::new()))
    }
}

impl Hinter for Completion {
    type Hint = String;
}
impl Highlighter for Completion {
    /// Highlights nothing. rustyline calls this when it has cleared the rows of
    /// the old prompt and has not yet drawn the new one.
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _: bool,
    ) -> Cow<'b, str> {
        let _ = self.drawn.try_send(());
        while self.closing.load(Ordering::Acquire) {
            let _ = self.cleared.try_send(());
            thread::park(); // the other thread ends the program
        }
        prompt.into()
    }
}
impl Validator for Completion {}
impl Helper for Completion {}
