//! A line of the access log, in the Common Log Format that every log tool
//! reads:
//!
//! ```text
//! 127.0.0.1 - - [21/Nov/2026:10:15:59 +0100] "GET / HTTP/1.1" 200 1234
//!  |             when                         request           |   bytes
//!  client                                                  status
//! ```
//!
//! The log thread writes it, so that a slow terminal or disk delays no
//! response: see [`socketlab::log`].

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::SocketAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use socketlab::{Result, console, log};

/// Lines that may wait to be written: what a fast server answers while the
/// log thread gathers, many times over.
const LINES: usize = 8192;

/// Bytes of a request line that are shown.
const SHOWN: usize = 400;

/// The access log.
pub struct AccessLog {
    log: log::Log,
    /// Found out once, in main's thread: reading the zone's file needs more
    /// stack than a client's thread has.
    zone: TimeZone,
}

impl AccessLog {
    /// Starts the log thread. `quiet`: nothing is written at all.
    pub fn start(quiet: bool) -> Result<AccessLog> {
        let log = log::Log::start(quiet, LINES)?;
        Ok(AccessLog { log, zone: TimeZone::system() })
    }

    /// A request was answered. `bytes`: of the body, as many as were sent.
    pub fn answered(
        &self,
        peer: SocketAddr,
        request: &[u8],
        status: u16,
        bytes: u64,
    ) {
        if self.log.is_quiet() {
            return;
        }
        // A quote in a line that a client wrote would end the field, and a
        // backslash would look like one of ours: \x22 and \\.
        let request = console::escape_short(&guarded(request), SHOWN);
        let (host, now) = (peer.ip(), now(&self.zone));
        let line = format!("{host} - - [{now}] \"{request}\" {status} {bytes}");
        self.log.line(line);
    }

    /// The server ends: waits until the last lines are written, but not long.
    pub fn flush(&self) {
        self.log.flush();
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
