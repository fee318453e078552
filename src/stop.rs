//! Ctrl-C (SIGINT) and `kill` (SIGTERM).
//!
//! A signal handler may do next to nothing safely, so signal-hook writes the
//! signal's number into a pipe and an ordinary thread reads it.

use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::{Error, Result, console};

/// How long a program may take to end after the signal. Then it is ended,
/// whatever its threads wait for.
const GRACE: Duration = Duration::from_secs(3);

/// Calls `first` at the first SIGINT or SIGTERM, in a thread of its own; three
/// seconds later the program ends, with status 0, if it has not done so by
/// itself. A second signal ends it at once with status 130: the impatient
/// user presses Ctrl-C twice.
pub fn on_signal(first: impl FnOnce() + Send + 'static) -> Result<()> {
    let fail = |error| Error::new("sigaction", "SIGINT", error);
    let seen = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds `seen` false and sets it.
        flag::register_conditional_shutdown(signal, 130, seen.clone())
            .map_err(fail)?;
        flag::register(signal, seen.clone()).map_err(fail)?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(fail)?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            if signals.forever().next().is_some() {
                first();
                thread::sleep(GRACE);
                process::exit(0);
            }
        })
        .map_err(|error| Error::new("spawn", "signals", error))?;
    Ok(())
}

/// For servers that keep nothing for a client: at a signal they say `bye`
/// and exit with status 0, and the kernel closes their sockets.
pub fn at_once_on_signal() -> Result<()> {
    on_signal(|| {
        console::last_line("bye");
        process::exit(0);
    })
}
