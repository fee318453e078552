//! What rustyline asks of its user, who is screen.rs: the names that Tab
//! completes, and the place where it is about to draw its prompt.  [G-8e]

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

/// Names seen in the room, for completion. Two threads use them: the one that
/// reads the socket adds, the one that reads the keyboard looks up.
pub type Names = Arc<Mutex<BTreeSet<String>>>;

/// Names that Tab shows at most, if more than one fits.
const SHOWN: usize = 8;

/// Completes the names of members, and tells when rustyline draws.
pub struct Completion {
    /// What to complete.
    pub names: Names,
    /// Gets a word whenever the prompt is drawn.
    pub drawn: Sender<()>,
    /// Set when nothing may be drawn any more.
    pub closing: Arc<AtomicBool>,
    /// Gets a word when the rows are cleared and stay so.
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
        // A name may have spaces: the longest beginning of one is meant.
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
    /// Nothing to highlight: the place where rustyline has the terminal, has
    /// cleared the rows of the old prompt and has not yet drawn the new one.
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
