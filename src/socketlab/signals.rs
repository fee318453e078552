//! Ctrl-C (SIGINT), `kill` (SIGTERM), and a terminal that goes away (SIGHUP).
//! SIGUSR1 makes a server print its threads.
//!
//! A signal handler may call very few functions safely. So the handler of
//! signal-hook only writes a byte into a pair of sockets, and an ordinary
//! thread reads it. These two sockets are why the first socket of many servers
//! is not descriptor 3.
//!
//! This module ends the program, because the signals demand it.

use std::fs;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::program::{self, Program};
use crate::{Error, Result, console, threads};

/// How long a program may take to end after the signal. Then this module ends
/// it, even if threads still wait.
const GRACE: Duration = Duration::from_secs(3);

/// Two signals within this time count as one: timeout(1) sends one to the
/// program, and one to its group.
const ONE_WISH: Duration = Duration::from_millis(100);

/// Calls `first` at the first SIGINT, SIGTERM or SIGHUP, in a thread of its
/// own. Three seconds later the program ends with status 0, if it has not
/// ended before. A second signal ends it at once with status 130, because an
/// impatient user presses Ctrl-C twice. A second SIGHUP does not: the kernel
/// and the shell each send one when a terminal is closed.
///
/// In a server, SIGUSR1 prints the threads and ends nothing.   [X-THREAD]
pub fn on_signal(first: impl FnOnce() + Send + 'static) -> Result<()> {
    let fail = |error| Error::new("sigaction", "SIGINT", error);
    let impatient = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, 130, impatient.clone())
            .map_err(fail)?;
    }
    let mut wanted = vec![SIGINT, SIGTERM];
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    if program::current().is_some_and(Program::serves) {
        wanted.push(SIGUSR1);
    }
    let mut signals = Signals::new(wanted).map_err(fail)?;
    threads::spawn_essential("signals", move || {
        for signal in signals.forever() {
            if signal == SIGUSR1 {
                // A thread of its own, because the console may be stuck.
                let dump = thread::Builder::new().name("dump".into());
                let _ = dump.spawn(threads::dump);
                continue;
            }
            from_now_on(impatient);
            first();
            thread::sleep(GRACE);
            process::exit(0);
        }
    })?;
    Ok(())
}

/// After a moment, the next signal counts as a second one.
fn from_now_on(impatient: Arc<AtomicBool>) {
    let flag = impatient.clone();
    let later = move || {
        thread::sleep(ONE_WISH);
        flag.store(true, Ordering::Relaxed);
    };
    if thread::Builder::new().spawn(later).is_err() {
        impatient.store(true, Ordering::Relaxed);
    }
}

/// A write beyond `ulimit -f` sends SIGXFSZ, which ends a program without a
/// message. After this call the write fails with EFBIG instead, as it does on
/// a full disk.
pub fn survive_large_files() {
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// Does this process ignore the signal? It inherits that from `nohup`, which
/// must keep its meaning. Without /proc it returns false.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// For servers that store nothing for a client: at a signal they print `bye`
/// and exit with status 0, and the kernel closes their sockets.
pub fn at_once_on_signal() -> Result<()> {
    on_signal(|| {
        console::last_line("bye");
        process::exit(0);
    })
}
