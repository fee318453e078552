//! `TRACE=1`: each of the handouts' calls as it ends, on stderr. `TRACE=2`:
//! every call, also options (`setsockopt`) and waits (`poll`). `TRACE=FILE`:
//! all of them and more as JSON lines, appended, for tools to read. [X-TRACE]
//!
//! ```text
//! trace server 4 accept(3) = 4, 127.0.0.1:48437   at 12 us, took 2.314 s  …
//!              |  |          |                     |         |            |
//!   the banner's  the call   its result            begun     blocked  state
//!   number        as in C                                    for      now
//! ```
//!
//! A call is printed when it has ended. If two threads call at the same time,
//! the call that ends first is printed first; `at` shows which began first.
//!
//! A JSON line says when its call began and ended, in nanoseconds since 1970 by
//! the machine's clock, so that the files of two programs can be merged. Both
//! times are taken next to the call, before anything else is looked up. A
//! `send` may wake the other program before it returns, so that the other end's
//! `recv` can end a few microseconds earlier. But a cause always began before
//! its effect ended.
//!
//! While tracing is off, a call costs one relaxed load of `LEVEL` more.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::net::sockopt::socket_type;
use rustix::net::{SocketType, getpeername, getsockname};
use serde_json::json;

use crate::socket_table::{self, Entry};
use crate::{Error, console, program, threads, warn};

/// Bytes of data shown with a call on stderr.
const DATA_SHOWN: usize = 48;

/// Bytes of data written with a call to a file: as much as the largest
/// datagram, and as one `recv` of our programs.
const DATA_KEPT: usize = 64 * 1024;

/// The calls that `TRACE=1` omits: they set options or wait, and no handout
/// names them.
const LEFT_OUT: [&str; 4] = ["setsockopt", "getsockopt", "fcntl", "poll"];

/// 0: off. 1: the handouts' calls. 2: all calls.
static LEVEL: AtomicU8 = AtomicU8::new(0);
static FILE: OnceLock<File> = OnceLock::new();

/// When the first call began; the others' times count from there.
static START: OnceLock<Instant> = OnceLock::new();

/// Looks at the environment variable `TRACE`; called once, before the first
/// socket. Unset, empty or `0` means off.
pub fn start() {
    let Some(wanted) = env::var_os("TRACE") else { return };
    let level = match wanted.to_str() {
        Some("" | "0") => 0,
        Some("1") => 1,
        Some("2") => 2,
        _ => {
            // Append: two programs may trace into one file, a line per write.
            // Only its owner may read it, because it contains sent data, also
            // passwords.
            let mut options = OpenOptions::new();
            options.append(true).create(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&wanted) {
                Ok(file) => drop(FILE.set(file)),
                Err(error) => {
                    let name = Path::new(&wanted).display();
                    return warn!("TRACE: {}", Error::new("open", name, error));
                }
            }
            2
        }
    };
    LEVEL.store(level, Ordering::Relaxed);
}

/// When a call began, by the machine's clock and by one that never jumps.
#[derive(Clone, Copy)]
pub struct Began {
    wall: SystemTime,
    steady: Instant,
}

/// A call that begins now. `None` while tracing is off.
pub fn begin() -> Option<Began> {
    is_on().then(|| Began { wall: SystemTime::now(), steady: Instant::now() })
}

/// Is anything traced?
pub fn is_on() -> bool {
    LEVEL.load(Ordering::Relaxed) > 0
}

/// One finished system call, as C would write it.
pub struct Step<'a> {
    /// The call's C name, as in the step banners.
    pub call: &'static str,
    /// The arguments between the parentheses.
    pub arguments: String,
    /// What it returned, or why it failed.
    pub result: Result<String, &'a io::Error>,
    /// The bytes that were sent or received.
    pub data: &'a [u8],
    /// Both ends of the socket, and whether it is TCP.
    pub ends: Ends,
}

/// The addresses by which the kernel's table knows a socket.
#[derive(Clone, Copy, Default)]
pub struct Ends {
    /// getsockname()
    pub local: Option<SocketAddr>,
    /// getpeername(), or where a datagram went or came from
    pub peer: Option<SocketAddr>,
    /// Only TCP sockets have a state.
    pub tcp: bool,
    /// SO_ACCEPTCONN: it listens.
    pub listens: bool,
}

/// Asks the kernel for both ends of `socket`.
pub fn ends(socket: &impl AsFd) -> Ends {
    Ends {
        local: getsockname(socket).ok().and_then(|a| a.try_into().ok()),
        peer: match getpeername(socket) {
            Ok(Some(address)) => address.try_into().ok(),
            _ => None,
        },
        tcp: socket_type(socket).is_ok_and(|kind| kind == SocketType::STREAM),
        listens: listens(socket),
    }
}

/// `getsockopt(SO_ACCEPTCONN)`: did the socket call listen()?
#[cfg(not(target_vendor = "apple"))]
fn listens(socket: &impl AsFd) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
}

/// Apple's kernel has this option, but no crate has a safe function for it.
#[cfg(target_vendor = "apple")]
fn listens(_: &impl AsFd) -> bool {
    false
}

/// The descriptor's number, as strace shows it.
pub fn fd(socket: &impl AsFd) -> i32 {
    socket.as_fd().as_raw_fd()
}

/// Reports a call that took until now. `step` is only built if it is shown.
pub fn end<'a>(began: Option<Began>, step: impl FnOnce() -> Step<'a>) {
    let Some(began) = began else { return };
    let (ended, took) = (SystemTime::now(), began.steady.elapsed());
    let step = step();
    let Some(mut file) = FILE.get() else {
        return print(&step, began.steady, took);
    };
    let text = json(&step, began.wall, ended, took);
    if let Err(error) = file.write_all(format!("{text}\n").as_bytes()) {
        static SAID: AtomicBool = AtomicBool::new(false);
        if !SAID.swap(true, Ordering::Relaxed) {
            warn!("TRACE: {}; steps are missing there", error_of_file(error));
        }
    }
}

/// The TCP socket's current state in the kernel.
fn state(ends: &Ends) -> Option<Entry> {
    match *ends {
        // A socket without a peer has the same port as the listener; the two
        // must not be confused.
        Ends { local: Some(local), peer, tcp: true, listens }
            if peer.is_some() || listens =>
        {
            socket_table::state(local, peer)
        }
        _ => None,
    }
}

/// The call's result as C has it, and the name of its errno.
fn result(step: &Step<'_>) -> (String, Option<&'static str>) {
    match &step.result {
        Ok(result) => (result.clone(), None),
        Err(error) => {
            let number = error.raw_os_error().unwrap_or(0);
            let name = explain::errno(number).map_or("?", |entry| entry.name);
            (format!("-1 {name}"), Some(name))
        }
    }
}

/// Prints a call on stderr, if `TRACE` asks for it.
fn print(step: &Step<'_>, began: Instant, took: Duration) {
    let program = program::current();
    let number = program.and_then(|program| program.step(step.call));
    let handouts = number.is_some() || !LEFT_OUT.contains(&step.call);
    if LEVEL.load(Ordering::Relaxed) < 2 && !handouts {
        return;
    }
    let role = program.map_or("?", |program| program.role.name());
    let number = number.map_or("-".into(), |number| number.to_string());
    let (result, _) = result(step);
    let state = state(&step.ends);
    let state = state.map_or(String::new(), |s| format!("  {}", s.name));
    let start = *START.get_or_init(|| began);
    warn!(
        "trace {role} {number} {}({}) = {result}   at {}, took {}{state}",
        step.call,
        step.arguments,
        human(began.duration_since(start)),
        human(took)
    );
}

/// A call as a JSON object.
fn json(
    step: &Step<'_>,
    began: SystemTime,
    ended: SystemTime,
    took: Duration,
) -> serde_json::Value {
    let program = program::current();
    let (result, errno) = result(step);
    let state = state(&step.ends);
    let state = state.as_ref();
    let kept = step.data.get(..DATA_KEPT).unwrap_or(step.data);
    json!({
        "began": nanoseconds(began),
        "ended": nanoseconds(ended),
        "pid": std::process::id(),
        "thread": threads::name(),
        "program": program.map_or("?", |program| program.lab),
        "role": program.map_or("?", |program| program.role.name()),
        "step": program.and_then(|program| program.step(step.call)),
        "call": step.call,
        "text": format!("{}({}) = {result}", step.call, step.arguments),
        "result": result,
        "errno": errno,
        "blocked_us": u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "state": state.map(|state| state.name),
        "unsent": state.map(|state| state.unsent),
        "unread": state.map(|state| state.unread),
        "local": step.ends.local,
        "peer": step.ends.peer,
        "bytes": step.data.len(),
        "data": console::escape_exactly(kept),
    })
}

/// Nanoseconds since 1970.
fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn error_of_file(error: io::Error) -> Error {
    let name = env::var_os("TRACE").unwrap_or_default();
    Error::new("write", Path::new(&name).display(), error)
}

/// Data as an argument: quoted, escaped, cut.
pub fn quote(data: &[u8]) -> String {
    let shown = data.get(..DATA_SHOWN).unwrap_or(data);
    let rest = if shown.len() < data.len() { "…" } else { "" };
    format!("\"{}\"{rest}", console::escape(shown))
}

/// A duration with a unit that fits: `8 us`, `1.250 ms`, `2.314 s`.
fn human(time: Duration) -> String {
    match time.as_micros() {
        0..1_000 => format!("{} us", time.as_micros()),
        1_000..1_000_000 => format!("{:.3} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.3} s", time.as_secs_f64()),
    }
}
