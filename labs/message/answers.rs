//! How client.rs receives and prints a server's replies. Another student's
//! server may send anything: text is printed as text, everything else in
//! hexadecimal, so that the user can find out its format. [D-T1.3]
//!
//! ```text
//! client.rs               a server that is slow
//!   |------- "one" ------>|
//!   |                     |  3 s: no answer, 1 is due
//!   |------- "two" ------>|  2 are due
//!   |<------ "OK" --------|  whose? shown as one of 2
//! ```
//!
//! A reply does not name its message, so the client can only count replies.
//! While one is due, the next may belong to an earlier message.

use std::fmt::{self, Write};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use socketlab::line::{LineReader, Received};
use socketlab::net::TcpSocket;
use socketlab::{Error, Result, console, say, warn};

/// Bytes in a line of a hexadecimal dump, and in the complete dump.
const WIDTH: usize = 16;
const DUMPED: usize = 4096;

/// How long to wait for an answer, or for all that are due together.
pub const WAIT: Duration = Duration::from_secs(3);

/// Longest answer in bytes.
const LONGEST: usize = 128 * 1024;

/// Silence that ends an answer without a newline.
const PAUSE: Duration = Duration::from_millis(200);

/// Prints one message of the server; `who` is usually `server`.
fn show(who: &str, bytes: &[u8]) {
    if is_text(bytes) {
        say!("{who}: {}", console::message(bytes));
    } else {
        let dump = hexdump(bytes.get(..DUMPED).unwrap_or(bytes));
        let more = match bytes.len().saturating_sub(DUMPED) {
            0 => String::new(),
            more => format!("\n  … and {more} bytes more"),
        };
        say!("{who}: {} bytes, not text:{dump}{more}", bytes.len());
    }
}

/// Is this a greeting that asks for a login? If so, prints a hint.
fn wants_login(bytes: &[u8]) -> bool {
    let asks = bytes.starts_with(b"AUTH ");
    if asks {
        warn!("the server wants a login: see --auth in --help");
    }
    asks
}

/// A hint for a server with a quota that refuses our first message. It read
/// that message as the ID if it was a single word. [D-T3.2]
fn hint_at_id(bytes: &[u8]) {
    if bytes.starts_with(b"NO your ID") || bytes.starts_with(b"UNKNOWN ") {
        warn!("the server wants to know who you are: see --id in --help");
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let odd = |c: char| c.is_control() && c != '\t' && c != '\r';
    str::from_utf8(bytes).is_ok_and(|text| !text.contains(odd))
}

/// `0000  48 69 00 ff  Hi..`, a line for every 16 bytes.
fn hexdump(bytes: &[u8]) -> String {
    let mut dump = String::new();
    for (row, chunk) in bytes.chunks(WIDTH).enumerate() {
        let _ = write!(dump, "\n  {:04x} ", row * WIDTH);
        for byte in chunk {
            let _ = write!(dump, " {byte:02x}");
        }
        let padding = 3 * (WIDTH - chunk.len()) + 2;
        let _ = write!(dump, "{:padding$}", "");
        dump.extend(chunk.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        }));
    }
    dump
}

/// How many messages were accepted and refused.
#[derive(Default)]
pub struct Tally {
    /// Of a burst only the first refusal is shown.
    pub burst: bool,
    /// Messages that were sent.
    pub sent: u64,
    /// Answers that began with OK.
    pub accepted: u64,
    /// All other answers.
    pub refused: u64,
}

impl Tally {
    /// Counts and prints one more reply.
    pub fn add(&mut self, who: &str, text: &[u8]) {
        let accepted = text.starts_with(b"OK");
        match accepted {
            true => self.accepted += 1,
            false => self.refused += 1,
        }
        if !self.burst || (!accepted && self.refused == 1) {
            show(who, text);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { sent, accepted, refused, .. } = self;
        write!(f, "{sent} sent: {accepted} accepted, {refused} refused")?;
        match sent.saturating_sub(accepted + refused) {
            0 => Ok(()),
            silent => write!(f, ", {silent} without an answer"),
        }
    }
}

/// The answers of a server, and how many of them are due.
pub struct Answers {
    reader: LineReader,
    due: u32,
    late: u32,   // of those due, how many are for earlier messages
    first: bool, // nothing has come yet
}

impl Answers {
    /// The answers that arrive on this socket.
    pub fn new(server: &TcpSocket) -> Answers {
        let mut reader = LineReader::new(server.clone(), LONGEST, WAIT);
        reader.accept_pause(PAUSE);
        Answers { reader, due: 0, late: 0, first: true }
    }

    /// What a server sends before the client has sent anything; `None` if
    /// nothing comes in time.
    pub fn greeting(&mut self) -> Result<Option<Vec<u8>>> {
        self.reader.finish_within(Some(WAIT));
        self.next()
    }

    /// Notes that a message has been sent, so that its reply is due.
    pub fn expect_one(&mut self) {
        self.late = self.due;
        self.due += 1;
    }

    /// Passes each reply that is due to `each`, with the words for its sender.
    /// One time limit for all replies. With a limit for each recv(), a server
    /// that sends a byte now and then would block the client without end.
    pub fn take(
        &mut self,
        limit: Duration,
        mut each: impl FnMut(&str, &[u8]),
    ) -> Result<()> {
        self.reader.finish_within(Some(limit));
        while self.due > 0 {
            let first = self.first;
            let Some(text) = self.next()? else { break };
            // A greeting is not a reply to a message; but it comes only once.
            if first && text.starts_with(b"AUTH ") {
                show("server", &text);
                wants_login(&text);
                continue;
            }
            match (self.late, self.due) {
                (0, _) => each("server", &text),
                (_, 1) => each("server, late", &text),
                (_, due) => each(&format!("server, one of {due} due"), &text),
            }
            self.due -= 1;
            self.late = self.late.saturating_sub(1);
        }
        self.late = self.due;
        Ok(())
    }

    /// Prints how many replies did not come in time, if any are due. If nothing
    /// has come at all, it also prints once what may be the reason.
    pub fn say_what_is_due(&mut self) {
        if self.due > 0 {
            let (seconds, due) = (WAIT.as_secs(), self.due);
            say!("no complete answer within {seconds} s; answers due: {due}");
            if self.first {
                self.first = false;
                warn!(
                    "perhaps this server never replies, see --no-reply, or it"
                );
                warn!("waits for another newline, see --eol in --help");
            }
        }
    }

    /// The next line, or the bytes before a pause; `None`: the time limit has
    /// passed.
    fn next(&mut self) -> Result<Option<Vec<u8>>> {
        // ---- 4 recv() ----------------------------------------------------
        // 0 bytes, end of stream: the server has closed, or its kernel has
        // closed for it. After a power cut nothing comes, and only the time
        // limit ends this wait. (viva 8)
        let text = match self.reader.read() {
            Ok(Received::Line(text) | Received::Unterminated(text)) => text,
            Ok(Received::TooLong) => {
                format!("(longer than {LONGEST} bytes: discarded)").into()
            }
            Ok(Received::End) => {
                return Err(Error::other("the server has closed"));
            }
            Err(error) if error.is_timeout() => return Ok(None),
            Err(error) => return Err(error),
        };
        self.first = false;
        Ok(Some(text))
    }
}

/// Set once all messages are sent: from then on the server may close.
pub static LEAVING: AtomicBool = AtomicBool::new(false);

/// Prints what arrives, in a thread of its own. When the server closes after
/// us, the channel says whether it had refused us. If it closes earlier, the
/// program ends with status 1, because nothing more can be sent.
pub fn listen(answers: Answers) -> Result<Receiver<bool>> {
    let mut reader = answers.reader;
    reader.finish_within(None);
    let (done, all_read) = bounded(1);
    let work = move || {
        let mut refused = false;
        loop {
            match reader.read() {
                Ok(Received::Line(text) | Received::Unterminated(text)) => {
                    show("server", &text);
                    wants_login(&text);
                    hint_at_id(&text);
                    refused |= text.starts_with(b"NO ");
                }
                Ok(Received::TooLong) => {}
                Err(error) if error.is_timeout() => {}
                _ if LEAVING.load(Ordering::Relaxed) => break,
                Ok(Received::End) => {
                    warn!("Error: the server has closed");
                    process::exit(1);
                }
                Err(error) => {
                    warn!("Error: {error}");
                    process::exit(1);
                }
            }
        }
        drop(reader); // before the other handle is closed
        let _ = done.send(refused); // nobody waits any more
    };
    thread::Builder::new()
        .name("listening".into())
        .spawn(work)
        .map_err(|error| Error::new("spawn", "listening", error))?;
    Ok(all_read)
}
