//! The chat window: lines that arrive are never mixed with the line that is
//! being typed. On a terminal rustyline does that: it takes the typed text
//! away, prints, and puts it back. Everywhere else, and with --plain, what
//! arrives is appended, line by line, for scripts and screen readers. [G-8e]

use std::collections::BTreeSet;
use std::env;
use std::io::{self, IsTerminal};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor, ExternalPrinter, Helper};
use socketlab::{Error, Result, console, say};

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
    Above(Box<dyn ExternalPrinter + Send>, Termios),
}

/// Opens the window; plain if asked for, or if this is not a terminal that
/// can do more.
pub fn open(plain: bool, names: &Names) -> Result<(Keyboard, Screen)> {
    let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    let plain = plain || dumb || env::var_os("NO_COLOR").is_some();
    if plain || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok((Keyboard::Plain, Screen::Plain));
    }
    let fail = |error: ReadlineError| Error::other(error.to_string());
    // Pasted lines are sent as lines, not held together.
    let config = Config::builder().bracketed_paste(false).build();
    let mut editor = Editor::with_config(config).map_err(fail)?;
    editor.set_helper(Some(Members(names.clone())));
    // A terminal that rustyline cannot draw on.
    let Ok(printer) = editor.create_external_printer() else {
        return Ok((Keyboard::Plain, Screen::Plain));
    };
    let before = tcgetattr(io::stdin())
        .map_err(|error| Error::new("tcgetattr", "stdin", error.into()))?;
    let screen = Screen::Above(Box::new(printer), before);
    Ok((Keyboard::Lines(Box::new(editor)), screen))
}

impl Keyboard {
    /// The next line of the user; `None` when she wants to leave: end of
    /// input, Ctrl-D, Ctrl-C.
    pub fn read(&mut self) -> Result<Option<Vec<u8>>> {
        let Keyboard::Lines(editor) = self else {
            return console::read_stdin_line();
        };
        match editor.readline("> ") {
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
    /// Shows lines. Colour, where there is any, adds nothing to their words.
    pub fn show(&mut self, lines: &[String]) {
        match self {
            Screen::Plain => lines.iter().for_each(|line| say!("{line}")),
            Screen::Above(printer, _) => {
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
        if let Screen::Above(printer, before) = self {
            // The printer hands over one message at a time: once a second
            // one is taken, the first, and all before it, are on the screen.
            let _ = printer.print(String::new());
            let _ = printer.print(String::new());
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
            console::prompt("\r\x1b[K"); // the unused prompt
        }
    }
}

/// Completes the names of members.
pub struct Members(Names);

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
        let names = self.0.lock();
        let starts = typed.match_indices(' ').map(|(space, _)| space + 1);
        for start in [0].into_iter().chain(starts) {
            let begun = typed.get(start..).unwrap_or_default().to_lowercase();
            let fits = |name: &&String| {
                !begun.is_empty() && name.to_lowercase().starts_with(&begun)
            };
            let found = names.iter().filter(fits);
            let found: Vec<_> = found.map(|name| format!("{name} ")).collect();
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
impl Highlighter for Members {}
impl Validator for Members {}
impl Helper for Members {}
