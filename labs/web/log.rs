//! Writes the lines of the access log. They have the Common Log Format, which
//! every log tool can read:
//!
//! ```text
//! 127.0.0.1 - - [21/Nov/2026:10:15:59 +0100] "GET / HTTP/1.1" 200 1234
//!  |             when                         request           |   bytes
//!  client                                                  status
//! ```
//!
//! A separate thread writes the log, so that a slow terminal or disk does not
//! delay the responses: see [`socketlab::log`].

use std::borrow::Cow;
use std::cell::RefCell;
use std::net::SocketAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use socketlab::{Result, console, log};

/// At most this many lines wait for the log thread. That is many times what
/// the server answers while the thread is busy.
const LINES: usize = 8192;

/// The log shows at most this many bytes of a request line.
const SHOWN: usize = 400;

/// The access log.
pub struct AccessLog {
    log: log::Log,
    /// The local time zone. It is read once, in main's thread, because that
    /// needs more stack than a client's thread has.
    zone: TimeZone,
}

impl AccessLog {
    /// Starts the log thread. `quiet`: the log stays empty.
    pub fn start(quiet: bool) -> Result<AccessLog> {
        let log = log::Log::start(quiet, LINES)?;
        Ok(AccessLog { log, zone: TimeZone::system() })
    }

    /// Writes the line of one request. `bytes` of the body have been sent.
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
        // The client chose this text. A quote in it would end the log's field,
        // so it becomes \x22. A backslash becomes \\, so that the client
        // cannot write \x22 itself.
        let request = console::escape_short(&quoted(request), SHOWN);
        let (host, now) = (peer.ip(), now(&self.zone));
        let line = format!("{host} - - [{now}] \"{request}\" {status} {bytes}");
        self.log.line(line);
    }

    /// Waits until the last lines are written, for a short time at most. The
    /// server calls it when it ends.
    pub fn flush(&self) {
        self.log.flush();
    }
}

/// Replaces each `"` by `\x22` and each `\` by `\\`.
fn quoted(request: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'"', b'\\', request).is_none() {
        return Cow::Borrowed(request);
    }
    let replace = |byte: &u8| match byte {
        b'"' => b"\\x22".to_vec(),
        b'\\' => b"\\\\".to_vec(),
        byte => vec![*byte],
    };
    Cow::Owned(request.iter().flat_map(replace).collect())
}

/// The local time in the form that the format demands. Each thread composes
/// the text once a second, because to compose it costs time.
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
