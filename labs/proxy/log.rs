//! One line a request, on stdout. A writer thread prints, because printing
//! can wait: a terminal may be stopped, a pipe may be full.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use serde::Serialize;
use socketlab::{Error, Result, console};

/// Lines that may wait for the writer.
const QUEUE: usize = 1024;

/// The last requests, as the proxy's own page shows them.
const REMEMBERED: usize = 50;

/// Characters of a URL in the log.
const LONGEST: usize = 200;

/// A request, answered.
#[derive(Clone, Serialize)]
pub struct Record {
    pub client: SocketAddr,
    pub method: String,
    pub url: String,
    /// What the client was told; 0: it left before.
    pub status: u16,
    /// Bytes of the body that were sent to the client.
    pub bytes: u64,
    /// `HIT`, `MISS`, `REVALIDATED`, `tunnel`, `own`, `refused` or `-`.
    pub how: &'static str,
    pub milliseconds: u128,
    /// What went wrong, if anything did.
    pub note: String,
}

impl Record {
    /// Before anything is known of its answer.
    pub fn new(client: SocketAddr, method: &str, url: &str) -> Record {
        Record {
            client,
            method: method.into(),
            url: url.into(),
            status: 0,
            bytes: 0,
            how: "-",
            milliseconds: 0,
            note: String::new(),
        }
    }

    fn line(&self) -> String {
        let note = match self.note.is_empty() {
            true => String::new(),
            false => format!(": {}", console::escape(self.note.as_bytes())),
        };
        format!(
            "[{}] {} {} -> {} {} bytes {} {} ms{note}\n",
            self.client,
            console::escape_short(self.method.as_bytes(), 20),
            console::escape_short(self.url.as_bytes(), LONGEST),
            self.status,
            self.bytes,
            self.how,
            self.milliseconds,
        )
    }
}

pub struct Log {
    writer: Option<Sender<String>>,
    thread: Option<JoinHandle<()>>,
    recent: VecDeque<Record>,
    dropped: u64,
}

impl Log {
    pub fn start(quiet: bool) -> Result<Log> {
        let (recent, dropped) = (VecDeque::new(), 0);
        if quiet {
            return Ok(Log { writer: None, thread: None, recent, dropped });
        }
        let (writer, lines) = bounded(QUEUE);
        let thread = thread::Builder::new()
            .name("log".into())
            .spawn(move || write(&lines))
            .map_err(|error| Error::new("spawn", "log", error))?;
        let (writer, thread) = (Some(writer), Some(thread));
        Ok(Log { writer, thread, recent, dropped })
    }

    pub fn add(&mut self, record: Record) {
        if let Some(writer) = &self.writer
            && writer.try_send(record.line()).is_err()
        {
            self.dropped += 1; // rather a gap in the log than a wait here
        }
        if self.recent.len() >= REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(record);
    }

    /// The last requests, the latest first.
    pub fn recent(&self) -> impl Iterator<Item = &Record> {
        self.recent.iter().rev()
    }

    /// Returns when all lines are printed; there will be no more.
    pub fn finish(&mut self) {
        self.writer = None; // the writer ends behind the last line
        let _ = self.thread.take().map(JoinHandle::join);
    }

    /// Lines that were not printed.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// What has come together is printed together.
fn write(lines: &Receiver<String>) {
    while let Ok(mut text) = lines.recv() {
        for line in lines.try_iter().take(QUEUE) {
            text.push_str(&line);
        }
        let _ = console::print_bytes(text.as_bytes());
    }
}
