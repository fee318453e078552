//! `TRACE=1`: each socket step as it happens, on stderr. `TRACE=FILE`: the
//! same and more as JSON lines, appended, for tools to read.
//!
//! ```text
//! trace server 4 accept(3) = 4, 127.0.0.1:48437   at 12 us, took 2.314 s  …
//!              |  |          |                     |         |            |
//!   the banner's  the call   its result            begun     blocked  state
//!   number        as in C                                    for      now
//! ```
//!
//! A step is printed when it has ended. Of two threads, the one whose step
//! ends first prints first: `at` tells which began first.
//!
//! Off, a step costs one relaxed load of `ON`.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use socket2::{Socket, Type};

use crate::{Error, console, program, socket_table, threads, warn};

/// Bytes of data shown with a step.
const DATA_SHOWN: usize = 48;

static ON: AtomicBool = AtomicBool::new(false);
static FILE: OnceLock<File> = OnceLock::new();

/// When the first step began: the others tell their time from there.
static START: OnceLock<Instant> = OnceLock::new();

/// Looks at the environment variable `TRACE`; called once, before the first
/// socket. Unset, empty or `0` means off.
pub fn start() {
    let Some(wanted) = env::var_os("TRACE") else { return };
    if wanted.is_empty() || wanted == "0" {
        return;
    }
    if wanted != "1" {
        // Append: two programs may trace into one file, a line per write.
        // For its owner alone: it holds what was sent, passwords too.
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&wanted);
        match file {
            Ok(file) => drop(FILE.set(file)),
            Err(error) => {
                let name = Path::new(&wanted).display();
                return warn!("TRACE: {}", Error::new("open", name, error));
            }
        }
    }
    ON.store(true, Ordering::Relaxed);
}

/// A step that has begun. `None` while tracing is off, which is the whole
/// cost of tracing then.
pub fn begin() -> Option<Instant> {
    ON.load(Ordering::Relaxed).then(Instant::now)
}

/// One finished system call, as C would write it.
pub struct Step<'a> {
    /// The call's C name, which is also the word in the step banners.
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
pub fn ends(socket: &Socket) -> Ends {
    let address = |found: io::Result<socket2::SockAddr>| {
        found.ok().and_then(|address| address.as_socket())
    };
    Ends {
        local: address(socket.local_addr()),
        peer: address(socket.peer_addr()),
        tcp: socket.r#type().is_ok_and(|kind| kind == Type::STREAM),
        listens: listens(socket),
    }
}

/// `getsockopt(SO_ACCEPTCONN)`: did the socket call listen()?
#[cfg(not(target_vendor = "apple"))]
fn listens(socket: &Socket) -> bool {
    rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false)
}

/// Apple's kernel knows, but nobody has a safe function that asks it.
#[cfg(target_vendor = "apple")]
fn listens(_: &Socket) -> bool {
    false
}

/// The descriptor's number, as strace shows it.
pub fn fd(socket: &Socket) -> i32 {
    socket.as_raw_fd()
}

/// Reports a step that took until now. `step` is only built while tracing.
pub fn end<'a>(began: Option<Instant>, step: impl FnOnce() -> Step<'a>) {
    let Some(began) = began else { return };
    let blocked = began.elapsed();
    let step = step();
    let role = program::current().map_or("?", |program| program.role);
    let number = program::current().and_then(|program| program.step(step.call));
    let state = match step.ends {
        Ends { local: Some(local), peer, tcp: true, listens } => {
            // A socket that lost its peer shares its port with the listener:
            // do not take the one for the other.
            let known = peer.is_some() || listens;
            known.then(|| socket_table::state(local, peer)).flatten()
        }
        _ => None,
    };
    let (result, errno) = match &step.result {
        Ok(result) => (result.clone(), None),
        Err(error) => {
            let number = error.raw_os_error().unwrap_or(0);
            let name = explain::errno(number).map_or("?", |entry| entry.name);
            (format!("-1 {name}"), Some(name))
        }
    };
    let shown = step.data.get(..DATA_SHOWN).unwrap_or(step.data);
    let start = *START.get_or_init(|| began);
    let Some(mut file) = FILE.get() else {
        let number = number.map_or("-".into(), |number| number.to_string());
        let state = state.map_or(String::new(), |s| format!("  {}", s.name));
        return warn!(
            "trace {role} {number} {}({}) = {result}   at {}, took {}{state}",
            step.call,
            step.arguments,
            human(began.duration_since(start)),
            human(blocked)
        );
    };
    let text = json!({
        "time": jiff::Timestamp::now().to_string(),
        "pid": std::process::id(),
        "thread": threads::name(),
        "program": program::current().map_or("?", |program| program.lab),
        "role": role,
        "step": number,
        "call": step.call,
        "text": format!("{}({}) = {result}", step.call, step.arguments),
        "result": result,
        "errno": errno,
        "blocked_us": u64::try_from(blocked.as_micros()).unwrap_or(u64::MAX),
        "state": state.as_ref().map(|state| state.name),
        "unsent": state.as_ref().map(|state| state.unsent),
        "unread": state.as_ref().map(|state| state.unread),
        "local": step.ends.local,
        "peer": step.ends.peer,
        "bytes": step.data.len(),
        "data": console::escape_exactly(shown),
    });
    if let Err(error) = file.write_all(format!("{text}\n").as_bytes()) {
        static SAID: AtomicBool = AtomicBool::new(false);
        if !SAID.swap(true, Ordering::Relaxed) {
            warn!("TRACE: {}; steps are missing there", error_of_file(error));
        }
    }
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
