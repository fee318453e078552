//! The access log, in the Common Log Format that every log tool reads:
//!
//! ```text
//! 127.0.0.1 - - [21/Nov/2026:10:15:59 +0100] "GET / HTTP/1.1" 200 1234
//!  |             when                         asked for         |   bytes
//!  who                                                     status
//! ```
//!
//! A log must never hold up an answer. Lines are put into memory, and a
//! thread of its own writes them, many with one write; if it cannot keep up
//! (a stopped terminal, a full disk), lines are dropped and counted.

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use parking_lot::{Condvar, Mutex};
use socketlab::{Error, Result, console};

/// Bytes of lines that may wait to be written.
const MOST_WAITING: usize = 1024 * 1024;

/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(20);

/// Bytes of a request line that are shown.
const SHOWN: usize = 400;

/// The log. Clones write to the same one.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    /// Found out once, in main's thread: reading the zone's file takes more
    /// stack than a client's thread has.
    zone: TimeZone,
    quiet: bool,
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    dropped: u64,
    at_once: bool,
}

impl Log {
    /// Starts the writing thread. `quiet`: write nothing at all.
    pub fn start(quiet: bool) -> Result<Log> {
        let shared = Arc::new(Shared {
            zone: TimeZone::system(),
            quiet,
            waiting: Mutex::default(),
            filled: Condvar::new(),
        });
        let log = Log(shared.clone());
        thread::Builder::new()
            .name("log".into())
            .spawn(move || {
                loop {
                    let mut waiting = shared.waiting.lock();
                    shared
                        .filled
                        .wait_while(&mut waiting, |w| w.text.is_empty());
                    drop(waiting);
                    thread::sleep(GATHER);
                    let text = shared.waiting.lock().take();
                    let _ = console::print_bytes(&text);
                }
            })
            .map_err(|error| Error::new("spawn", "log", error))?;
        Ok(log)
    }

    /// A request was answered.
    pub fn answered(
        &self,
        peer: SocketAddr,
        request: &[u8],
        status: u16,
        bytes: u64,
    ) {
        if self.0.quiet {
            return;
        }
        // A quote in a line that a client wrote would end the field, and a
        // backslash would look like one of ours: \x22 and \\.
        let request = console::escape_short(&guarded(request), SHOWN);
        let (host, now) = (peer.ip(), now(&self.0.zone));
        let line =
            format!("{host} - - [{now}] \"{request}\" {status} {bytes}\n");
        self.put(line.as_bytes());
    }

    fn put(&self, line: &[u8]) {
        let mut waiting = self.0.waiting.lock();
        if waiting.text.len() + line.len() > MOST_WAITING {
            waiting.dropped += 1;
            return;
        }
        let first = waiting.text.is_empty();
        waiting.text.extend_from_slice(line);
        if waiting.at_once {
            let _ = console::print_bytes(&waiting.take());
        } else if first {
            drop(waiting);
            self.0.filled.notify_one();
        }
    }

    /// The server stops: from here on every line is written at once.
    pub fn write_at_once(&self) {
        let mut waiting = self.0.waiting.lock();
        waiting.at_once = true;
        let _ = console::print_bytes(&waiting.take());
    }
}

impl Waiting {
    fn take(&mut self) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.text);
        if self.dropped > 0 {
            let note = format!("{} lines of the log lost\n", self.dropped);
            text.extend_from_slice(note.as_bytes());
            self.dropped = 0;
        }
        text
    }
}

fn guarded(request: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'"', b'\\', request).is_none() {
        return Cow::Borrowed(request);
    }
    let guard = |byte: &u8| match byte {
        b'"' => b"\\x22".to_vec(),
        b'\\' => b"\\\\".to_vec(),
        byte => vec![*byte],
    };
    Cow::Owned(request.iter().flat_map(guard).collect())
}

/// Local time as the format has it, made anew once a second.
fn now(zone: &TimeZone) -> String {
    thread_local! {
        static LAST: RefCell<(i64, String)> = const {
            RefCell::new((0, String::new()))
        };
    }
    let now = Timestamp::now();
    let second = now.as_second();
    LAST.with_borrow_mut(|(made_at, text)| {
        if *made_at != second {
            *made_at = second;
            let now = now.to_zoned(zone.clone());
            *text = now.strftime("%d/%b/%Y:%H:%M:%S %z").to_string();
        }
        text.clone()
    })
}
