//! The chat window: lines that arrive are never mixed with the line that is
//! being typed. On a terminal rustyline does that: it takes the typed text
//! away, prints, and puts it back. Everywhere else, and with --plain, what
//! arrives is appended, line by line, for scripts and screen readers. [G-8e]

use std::collections::BTreeSet;
use std::env;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rustix::termios::{
    OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, CompletionType, Config, Context, Editor, ExternalPrinter, Helper,
    KeyEvent, Modifiers,
};
use socketlab::{Error, Result, console, say};
use unicode_width::UnicodeWidthStr;

/// Names seen in the room, for completion. Two threads use them: the one that
/// reads the socket adds, the one that reads the keyboard looks up.
pub type Names = Arc<Mutex<BTreeSet<String>>>;

/// Where the user types.
pub enum Keyboard {
    /// Lines from stdin, as they are.
    Plain,
    /// A terminal, with editing, history and completion.
    Lines(Box<Editor<Members, FileHistory>>),
}

/// Where the user reads.
pub enum Screen {
    /// Appended to stdout.
    Plain,
    /// Above the line that is being typed.
    Above {
        printer: Box<dyn ExternalPrinter + Send>,
        before: Termios,         // the terminal's modes
        typed: Arc<AtomicUsize>, // columns before the cursor
    },
}

/// How long an Esc may be the beginning of another key, in ms.
const ESC: u16 = 500;

/// Names that Tab shows at most, if more than one fits.
const SHOWN: usize = 8;

const PROMPT: &str = "> ";

/// Opens the window; plain if asked for, or if this is not a terminal that
/// can do more.
pub fn open(plain: bool, names: &Names) -> Result<(Keyboard, Screen)> {
    let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    let plain = plain || dumb || env::var_os("NO_COLOR").is_some();
    if plain || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok((Keyboard::Plain, Screen::Plain));
    }
    let fail = |error: ReadlineError| Error::other(error.to_string());
    // Pasted lines are sent as lines, not held together. While rustyline
    // waits for the rest of a key or for a choice it shows nothing that
    // arrives: it must never do so. Tab lists all that fits at once, an Esc
    // is over soon, and keys that want a second one do nothing.
    let config = Config::builder()
        .bracketed_paste(false)
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .keyseq_timeout(Some(ESC))
        .build();
    let mut editor = Editor::with_config(config).map_err(fail)?;
    for key in ['V', 'Q', 'X', 'R', 'S', ']'] {
        editor.bind_sequence(KeyEvent::ctrl(key), Cmd::Noop);
    }
    let both = KeyEvent::new(']', Modifiers::CTRL_ALT);
    editor.bind_sequence(both, Cmd::Noop);
    let typed = Arc::new(AtomicUsize::new(0));
    let helper = Members { names: names.clone(), typed: typed.clone() };
    editor.set_helper(Some(helper));
    // A terminal that rustyline cannot draw on.
    let Ok(printer) = editor.create_external_printer() else {
        return Ok((Keyboard::Plain, Screen::Plain));
    };
    let before = tcgetattr(io::stdin())
        .map_err(|error| Error::new("tcgetattr", "stdin", error.into()))?;
    let screen = Screen::Above { printer: Box::new(printer), before, typed };
    Ok((Keyboard::Lines(Box::new(editor)), screen))
}

impl Keyboard {
    /// The next line of the user; `None` when she wants to leave: end of
    /// input, Ctrl-D, Ctrl-C.
    pub fn read(&mut self) -> Result<Option<Vec<u8>>> {
        let Keyboard::Lines(editor) = self else {
            return console::read_stdin_line();
        };
        let read = editor.readline(PROMPT);
        // The cursor is below the typed line, which stays where it is.
        if let Some(members) = editor.helper() {
            members.typed.store(0, Ordering::Relaxed);
        }
        match read {
            Ok(line) => {
                let _ = editor.add_history_entry(line.as_str());
                Ok(Some(line.into_bytes()))
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(None),
            Err(error) => Err(Error::other(error.to_string())),
        }
    }
}

impl Screen {
    /// Are lines shown above the one that is typed?
    pub fn is_above(&self) -> bool {
        matches!(self, Screen::Above { .. })
    }

    /// Shows lines. Colour, where there is any, adds nothing to their words.
    pub fn show(&mut self, lines: &[String]) {
        match self {
            Screen::Plain => lines.iter().for_each(|line| say!("{line}")),
            Screen::Above { printer, .. } => {
                let lines =
                    lines.iter().map(|line| match line.split_once(": ") {
                        Some((name, text)) => {
                            format!("\x1b[1m{name}\x1b[0m: {text}\n")
                        }
                        None => format!("{line}\n"),
                    });
                let _ = printer.print(lines.collect());
            }
        }
    }

    /// Gives the terminal back as it was, while the other thread may still
    /// wait for the keyboard.
    pub fn close(&mut self) {
        if let Screen::Above { printer, before, typed } = self {
            // The printer hands over one message at a time: once a second
            // one is taken, the first, and all before it, are on the screen.
            let _ = printer.print(String::new());
            let _ = printer.print(String::new());
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
            // The unused prompt, and what was typed: it may have rows.
            let columns = tcgetwinsize(io::stdout())
                .map_or(usize::MAX, |size| usize::from(size.ws_col).max(1));
            let up = (PROMPT.len() + typed.load(Ordering::Relaxed)) / columns;
            let up = if up > 0 { format!("\x1b[{up}A") } else { String::new() };
            console::prompt(&format!("\r{up}\x1b[J"));
        }
    }
}

/// Completes the names of members.
pub struct Members {
    names: Names,
    typed: Arc<AtomicUsize>,
}

impl Completer for Members {
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

impl Hinter for Members {
    type Hint = String;
}
impl Highlighter for Members {
    /// Nothing to highlight, but rustyline tells here where the cursor is.
    fn highlight_char(&self, line: &str, at: usize, _: CmdKind) -> bool {
        let before = line.get(..at).unwrap_or_default();
        self.typed.store(before.width(), Ordering::Relaxed);
        false
    }
}
impl Validator for Members {}
impl Helper for Members {}
