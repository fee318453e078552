//! Ctrl-C (SIGINT) and `kill` (SIGTERM).
//!
//! Limit: a signal handler may do next to nothing safely, so signal-hook
//! writes the signal's number into a pipe and an ordinary thread reads it.

use std::process;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::{Error, Result, say};

/// Calls `first` at the first SIGINT or SIGTERM, in a thread of its own. A
/// second one ends the program at once with status 130: the impatient user
/// presses Ctrl-C twice.
pub fn on_signal(first: impl FnOnce() + Send + 'static) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Error::new("sigaction", "SIGINT", error))?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            let mut seen = signals.forever();
            if seen.next().is_some() {
                first();
            }
            if seen.next().is_some() {
                process::exit(130);
            }
        })
        .map_err(|error| Error::new("spawn", "signals", error))?;
    Ok(())
}

/// For servers that keep nothing for a client: at a signal they say `bye`
/// and exit with status 0, and the kernel closes their sockets.
pub fn at_once_on_signal() -> Result<()> {
    on_signal(|| {
        say!("bye");
        process::exit(0);
    })
}
