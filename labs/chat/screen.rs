//! Keyboard and screen of the client. Lines that arrive never mix with the line
//! that the user types. On a terminal rustyline does that: it removes the typed
//! text, prints, and restores it. In all other cases, and with --plain, lines
//! are appended, for scripts and screen readers. [G-8e] [X-TTY]

use std::collections::VecDeque;
use std::env;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr,
};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{
    Cmd, CompletionType, Config, Editor, ExternalPrinter, KeyEvent, Modifiers,
};
use socketlab::{Error, Result, console, say};

use crate::completion::{Completion, Names};

/// Where the user types.
pub struct Keyboard {
    input: Input,
    pasted: VecDeque<Vec<u8>>, // lines that are complete and not yet read
}

enum Input {
    /// Lines from stdin, as they are.
    Plain,
    /// A terminal, with editing, history and completion.
    Lines(Box<Editor<Completion, FileHistory>>),
}

/// Where the user reads.
pub struct Screen(Output);

enum Output {
    /// Appended to stdout.
    Plain,
    /// Above the line that the user types.
    Above(Above),
}

/// The terminal that rustyline draws on.
struct Above {
    printer: Box<dyn ExternalPrinter + Send>,
    before: Termios,             // the terminal's modes
    drawn: Option<Receiver<()>>, // gets a word at the first prompt
    closing: Arc<AtomicBool>,
    cleared: Receiver<()>, // ends with the keyboard
}

/// How long an Esc may be the first byte of another key, in ms.
const ESC: u16 = 500;

/// How long the editor may take to clear the prompt at the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// An empty message; rustyline needs its newline.
const NOTHING: &str = "\x1b[A\n";

/// The terminal shows output at once again, and does not mark pasted text.
const END_OF_MODES: &str = "\x1b[?2026l\x1b[?2004l";

/// Keys that follow each other faster than this belong together.
const TYPING: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// How long keys are discarded at the end, at most.
const TYPED_ON: Duration = Duration::from_secs(2);

/// Opens both; plain if requested, or if this is not a suitable terminal.
pub fn open(plain: bool, names: &Names) -> Result<(Keyboard, Screen)> {
    let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
    let plain = plain || dumb || env::var_os("NO_COLOR").is_some();
    if plain || !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok((Keyboard::new(Input::Plain), Screen(Output::Plain)));
    }
    let fail = |error: ReadlineError| Error::other(error.to_string());
    // The terminal marks pasted text, so that a tab in it does not complete a
    // name. While rustyline waits for the rest of a key or for a choice, it
    // does not show arriving lines, so it must never wait: Tab lists all
    // fitting names at once, an Esc ends soon, and keys that need a second key
    // do nothing.
    let config = Config::builder()
        .bracketed_paste(true)
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
    let closing = Arc::new(AtomicBool::new(false));
    let (drew, drawn) = bounded(1);
    let (told, cleared) = bounded(1);
    editor.set_helper(Some(Completion {
        names: names.clone(),
        drawn: drew,
        closing: closing.clone(),
        cleared: told,
    }));
    // A terminal that rustyline cannot draw on.
    let Ok(printer) = editor.create_external_printer() else {
        return Ok((Keyboard::new(Input::Plain), Screen(Output::Plain)));
    };
    let before = tcgetattr(io::stdin())
        .map_err(|error| Error::new("tcgetattr", "stdin", error.into()))?;
    let printer = Box::new(printer);
    let drawn = Some(drawn);
    let above = Above { printer, before, drawn, closing, cleared };
    let keyboard = Keyboard::new(Input::Lines(Box::new(editor)));
    Ok((keyboard, Screen(Output::Above(above))))
}

impl Keyboard {
    fn new(input: Input) -> Keyboard {
        Keyboard { input, pasted: VecDeque::new() }
    }

    /// The next line of the user; `None` if the user leaves by end of input,
    /// Ctrl-D or Ctrl-C.
    pub fn read(&mut self) -> Result<Option<Vec<u8>>> {
        let Input::Lines(editor) = &mut self.input else {
            return console::read_stdin_line();
        };
        if let Some(line) = self.pasted.pop_front() {
            return Ok(Some(line));
        }
        match editor.readline("> ") {
            Ok(text) => {
                // Pasted text may have several lines.
                for line in text.split('\n') {
                    let _ = editor.add_history_entry(line);
                    self.pasted.push_back(line.into());
                }
                Ok(self.pasted.pop_front())
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(None),
            Err(error) => Err(Error::other(error.to_string())),
        }
    }
}

impl Screen {
    /// Are lines shown above the line that is being typed?
    pub fn is_above(&self) -> bool {
        matches!(self.0, Output::Above(_))
    }

    /// Shows lines. Colour, if used, adds no information.
    pub fn show(&mut self, lines: &[String]) {
        match &mut self.0 {
            Output::Plain => lines.iter().for_each(|line| say!("{line}")),
            Output::Above(Above { printer, drawn, .. }) => {
                // Before the first prompt rustyline would write at once, and
                // the line could land after the prompt.
                if let Some(drawn) = drawn.take() {
                    let _ = drawn.recv_timeout(PATIENCE);
                }
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

    /// Restores the terminal while the other thread may still wait for the
    /// keyboard, and prints the last line, for a user who did not want to
    /// leave.
    pub fn close(self, last: Option<&str>) {
        if let Some(last) = last
            && matches!(self.0, Output::Plain)
        {
            say!("{last}");
            return discard_keys();
        }
        if let Output::Above(above) = self.0 {
            let Above { printer, before, closing, cleared, .. } = above;
            if cleared.try_recv() != Err(TryRecvError::Disconnected) {
                // Perhaps the editor no longer reads messages.
                let wake = move || clear(printer, &closing);
                if thread::Builder::new().spawn(wake).is_ok() {
                    let _ = cleared.recv_timeout(PATIENCE);
                }
                console::prompt(END_OF_MODES);
            }
            if let Some(last) = last {
                say!("{last}");
                discard_keys();
            }
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
        }
    }
}

/// Discards what the user still types: it was meant for the room, and the shell
/// would run it as a command.
fn discard_keys() {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return;
    }
    let until = Instant::now() + TYPED_ON;
    loop {
        let _ = tcflush(&stdin, QueueSelector::IFlush);
        let mut keys = [PollFd::new(&stdin, PollFlags::IN)];
        let more = poll(&mut keys, Some(&TYPING)).is_ok_and(|n| n > 0);
        if !more || Instant::now() > until {
            let _ = tcflush(&stdin, QueueSelector::IFlush);
            return;
        }
    }
}

/// Makes the editor remove the prompt and the typed line, and stop before it
/// draws them again; see highlight_prompt in completion.rs.
fn clear(mut printer: Box<dyn ExternalPrinter + Send>, closing: &AtomicBool) {
    // The editor takes one message at a time. Once it has taken this one, all
    // earlier messages are on the screen.
    let _ = printer.print(NOTHING.into());
    closing.store(true, Ordering::Release);
    let _ = printer.print(NOTHING.into());
}
